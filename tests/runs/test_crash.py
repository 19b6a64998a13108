"""Whole runs, with their drivers, actors and S3 server killed at random moments, and several drivers at once.

`ISFRAY_ACTOR_KILLS` sets how many processes are killed.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import psutil
from polars.testing import assert_frame_equal

from isfray.activity import trial_seed
from isfray.catalog import Catalog
from isfray.tables import join_trials
from tests.catalog.s3_server import BUCKET, S3Server
from tests.catalog.synthetic import TABLES
from tests.runs.null_engine import trial_tables
from tests.runs.waiting import ROOT, gone, started_by, until


def start(
    catalog: str,
    folder: Path,
    trials: int,
    seconds: float,
    run: str = "run",
    *,
    held: tuple[int, Path] | None = None,
    environment: Mapping[str, str] = {},
) -> subprocess.Popen[bytes]:
    """Start a driver; trials from the number `held[0]` on wait until the file `held[1]` exists."""
    command = [sys.executable, "-m", "tests.runs.drive_to", catalog, run, str(trials), str(seconds)]
    command += map(str, held or ())
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "AWS_"))}
    with open(folder / "out", "ab") as out:
        return subprocess.Popen(command, cwd=ROOT, env={**inherited, **environment}, stdout=out, stderr=out)


def assert_equals_an_undisturbed_run(catalog: Catalog, trials: int, run: str = "run") -> None:
    undisturbed = join_trials(trial_tables(t, trial_seed(7, t), 300.0, 20) for t in range(trials))
    for table in TABLES:
        found = catalog.scan(table, run=run).drop("run").collect().sort("trial", maintain_order=True)
        assert_frame_equal(found, pl.DataFrame(undisturbed[table]))
    report = catalog.verify(run, repair=True, grace_s=0)
    assert (report.problems, report.leftovers) == ((), ())


def of(driver: subprocess.Popen[bytes]) -> dict[str, list[psutil.Process]]:
    """Processes of a driver by what they are."""
    found: dict[str, list[psutil.Process]] = {"driver": [psutil.Process(driver.pid)], "simulation": [], "catalog": []}
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            title = " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        if title.startswith("ray::CatalogActor"):
            found["catalog"].append(process)
        elif title.startswith("ray::SimulationActor") or " simulation " in title:
            found["simulation"].append(process)
    return found


def end(driver: subprocess.Popen[bytes]) -> None:
    """Kill a driver and wait until what it had started has gone too, so that the machine is free for the next."""
    started = started_by(driver) if driver.poll() is None else []
    driver.kill()
    driver.wait()
    until(lambda: gone(started), "the end of what a driver had started")


def test_a_run_whose_processes_are_killed_at_random_ends_as_if_undisturbed(tmp_path):
    kills, moments = int(os.environ.get("ISFRAY_ACTOR_KILLS", "7")), random.Random(3)
    catalog, trials = str(tmp_path / "c"), 400
    kinds = ["simulation", "catalog", "simulation", "catalog", "simulation", "catalog", "driver"]
    killed: list[str] = []
    driver = start(catalog, tmp_path, trials, 0.05)
    while len(killed) < kills:
        time.sleep(moments.uniform(0.0, 0.4))
        if driver.poll() is not None:  # over; or a trial was unlucky too often, and is begun again
            trials += 400 * (driver.returncode == 0)
            driver = start(catalog, tmp_path, trials, 0.05)
            continue
        kind = kinds[len(killed) % len(kinds)]
        try:
            processes = of(driver)
            if not (processes["simulation"] and processes["catalog"]):
                continue  # not under way yet
            if kind == "driver":
                end(driver)
            else:
                moments.choice(processes[kind]).kill()
            killed.append(kind)
        except psutil.NoSuchProcess:
            continue
    end(driver)
    last = start(catalog, tmp_path, trials, 0.0)
    assert last.wait(120) == 0, (tmp_path / "out").read_text()[-2000:]
    assert {"driver", "simulation", "catalog"} == set(killed)
    assert_equals_an_undisturbed_run(Catalog(catalog), trials)


def test_a_run_outlives_its_s3_server(weed, tmp_path):
    server = S3Server(tmp_path / "weed").start()
    try:
        place = f"s3://{BUCKET}/results"
        catalog = Catalog(place, server.options)
        gate = tmp_path / "gate"  # the run must not be over before the server has gone a second time
        driver = start(place, tmp_path, 40, 0.1, held=(20, gate), environment=server.environment)
        seen = 0
        for _ in range(2):
            until(lambda: committed(catalog) > seen, "a commit", driver)  # noqa: B023
            server.kill()
            time.sleep(1.0)
            server.start()
            seen = committed(catalog)
            gate.touch()
        assert driver.wait(120) == 0, (tmp_path / "out").read_text()[-2000:]
        assert_equals_an_undisturbed_run(Catalog(place, server.options), 40)
    finally:
        server.kill()


def committed(catalog: Catalog) -> int:
    return len(catalog.committed_trials("run")) if catalog.exists and "run" in catalog.runs() else 0


def test_two_drivers_of_one_run_and_one_of_another_share_a_catalog_while_it_is_read(tmp_path):
    catalog = str(tmp_path / "c")
    drivers = [start(catalog, tmp_path, 24, 0.1, run) for run in ("run", "run", "other")]
    reader = Catalog(catalog)
    seen: set[int] = set()
    while any(driver.poll() is None for driver in drivers):
        now = reader.snapshot()
        for run in now.runs():
            held = {table: trials_of(now, table, run) for table in TABLES}
            assert all(trials == held["trials"] for trials in held.values())
            assert sorted(set(held["trials"])) == sorted(held["trials"])
            seen.add(len(held["trials"]))
        time.sleep(0.2)
    assert [driver.returncode for driver in drivers] == [0, 0, 0], (tmp_path / "out").read_text()[-2000:]
    assert len(seen) > 2
    for run in ("run", "other"):
        assert_equals_an_undisturbed_run(Catalog(catalog), 24, run)


def trials_of(now: Any, table: str, run: str) -> list[int]:
    """Trials in the rows of a table (in `trials`, row by row), ascending."""
    frame = now.scan(table, run=run, columns=["trial"])
    return sorted((frame if table == "trials" else frame.unique()).collect()["trial"].to_list())
