"""Waiting for what a test has brought about, without trusting the clock."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # s; only a test that fails waits so long


def until(see: Callable[[], T], what: str, alive: subprocess.Popen[str] | None = None) -> T:
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
