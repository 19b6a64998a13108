"""Drivers that are interrupted or die: what they leave behind, and how the next one goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from isfray.catalog import Catalog
from isfray.runs import orphans
from tests.runs.null_engine import begun
from tests.runs.waiting import ROOT, gone, until


def start(folder: Path) -> subprocess.Popen[str]:
    """Start a driver in a process group of its own, as a shell does; its trials from 20 on wait for the gate."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.runs.drive", str(folder), "30", "20"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def committed(folder: Path) -> list[int]:
    return Catalog(folder / "c").committed_trials("run").tolist()


def in_the_middle(driver: subprocess.Popen[str], folder: Path) -> list[psutil.Process]:
    """Wait until both actors are at the gate and something is committed; returns what the driver has started."""
    at_the_gate = lambda: [trial for trial in begun(folder / "diary") if trial >= 20]  # noqa: E731
    until(lambda: len(at_the_gate()) == 2 and committed(folder), "two actors at the gate and a commit", driver)
    return psutil.Process(driver.pid).children(recursive=True)


def assert_gone(processes: list[psutil.Process]) -> None:
    assert len(processes) >= 4, "raylet, GCS and two actors at least"
    until(lambda: gone(processes), f"the end of {processes}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_driver_writes_what_is_done_says_how_to_go_on_and_leaves_no_process(tmp_path, number):
    driver = start(tmp_path)
    processes = in_the_middle(driver, tmp_path)
    if number == signal.SIGINT:
        os.killpg(driver.pid, number)  # a terminal sends Ctrl-C to the whole group
    else:
        driver.send_signal(number)
    out, error = driver.communicate(timeout=180)
    assert driver.returncode != 0
    assert_gone(processes)
    kept = committed(tmp_path)
    assert out == ""
    assert f"run run stopped with {len(kept)} of 30 trials in {tmp_path / 'c'}; the same call goes on" in error
    assert kept == list(range(20)), "all that was simulated is written"
    assert Catalog(tmp_path / "c").verify("run").ok


def test_a_driver_that_dies_leaves_no_process_and_the_next_one_quietly_does_what_is_missing(tmp_path):
    driver = start(tmp_path)
    processes = in_the_middle(driver, tmp_path)
    (watcher,) = (process for process in processes if orphans.__file__ in process.cmdline())
    *_, session, _ = watcher.cmdline()
    assert [p for p in processes if "gent" in p.name()], "agents of Ray, which would live on for a minute"
    reader = subprocess.Popen(["tail", "-f", str(next(Path(session, "logs").glob("*.out")))], stdout=subprocess.DEVNULL)
    driver.kill()
    driver.communicate()
    until(lambda: gone([watcher]), "the end of what watched over the driver")
    assert gone(processes), "nothing outlives it"
    assert reader.poll() is None, "somebody else's process"
    reader.kill()
    reader.wait()
    kept = committed(tmp_path)
    assert 0 < len(kept) <= 20
    (tmp_path / "diary").unlink()
    (tmp_path / "gate").touch()

    out, error = start(tmp_path).communicate(timeout=120)
    assert out == ""
    assert all(re.fullmatch(r"run: \d+/30 trials \(\d+%\).*", line) for line in error.splitlines()), error
    assert error.splitlines()[-1].startswith("run: 30/30 trials (100%)")
    assert sorted([*kept, *begun(tmp_path / "diary")]) == list(range(30))
    assert committed(tmp_path) == list(range(30))
    assert Catalog(tmp_path / "c").verify("run").ok
