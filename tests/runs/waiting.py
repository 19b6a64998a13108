"""Waiting for what a test has brought about, without trusting the clock."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import psutil

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # s; only a test that fails waits so long


def until(see: Callable[[], T], what: str, alive: subprocess.Popen[Any] | None = None) -> T:
    """Return what `see` returns once that is true; fails if the process `alive` ends before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if seen := see():
            return seen
        if alive is not None and alive.poll() is not None:
            raise AssertionError(f"{what} was not seen; the process ended: {alive.communicate()}")
        time.sleep(0.05)
    raise AssertionError(f"{what} was not seen in {PATIENCE:.0f} s")


def pids(diary: Path, since: int = 0) -> dict[int, set[int]]:
    """Processes that began trials from number `since` on, with these trials."""
    found: dict[int, set[int]] = {}
    for line in diary.read_text().splitlines() if diary.exists() else []:
        trial, pid = map(int, line.split())
        if trial >= since:
            found.setdefault(pid, set()).add(trial)
    return found


def started_by(driver: subprocess.Popen[Any]) -> list[psutil.Process]:
    """Processes below a driver, without Ray's agents, which linger for a minute when their node has died."""
    found = []
    for process in psutil.Process(driver.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [process] * ("gent" not in process.name())
    return found


def gone(processes: Iterable[psutil.Process]) -> bool:
    """Whether all of them have ended; also true of those whose parent has not asked after them yet (zombies)."""
    return all(map(_gone, processes))


def _gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
