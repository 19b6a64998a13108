"""Real processes killed in the middle of their work: writers, the merger, the remover, the S3 server.

`ISFRAY_CRASH_POINTS=all` dies at every step; by default each test takes some, evenly spread.
"""

from __future__ import annotations

import os
import random
import shutil
import time
import uuid
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from isfray.catalog import Catalog
from tests.catalog.lives import LONG, RUN, TRIALS, begin, count_steps, die, long_life, removal, whole_life
from tests.catalog.s3_server import BUCKET, S3Server
from tests.catalog.synthetic import TABLES, spec
from tests.catalog.test_catalog import assert_holds, expected, rows

KINDS = ["system call", "before an operation", "after an operation"]


def points(steps: int, share: int) -> range:
    """Steps to die at, all of them if that is asked for."""
    asked = os.environ.get("ISFRAY_CRASH_POINTS", str(share))
    number = steps if asked == "all" else int(asked)
    return range(0, steps, max(1, steps // number))


def assert_every_trial_is_whole(catalog: Catalog) -> set[int]:
    """Whatever is there of the run is there in every table, once, with the right rows; returns the trials."""
    if RUN not in catalog.runs():
        assert catalog["trials"].collect().height == 0
        return set()
    now = catalog.snapshot(RUN)
    there = now.committed_trials(RUN).tolist()
    for table in TABLES:
        assert_frame_equal(rows(now, table), expected(table, there))
    return set(there)


def expected_files(catalog: Catalog) -> set[str]:
    """Every object the catalog has reason to keep."""
    listed = {file.path for commit in catalog.snapshot().commits.get(RUN, ()) for file in commit.files}
    known = {k for k in catalog.storage.listing("") if k.startswith(("runs/", "inputs/", "catalog.json"))}
    return listed | known


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_writer_or_merger_killed_at_any_step_loses_and_doubles_nothing(tmp_path, kind):
    steps = count_steps(whole_life, str(tmp_path / "count"), None, kind)
    assert steps > 100
    for step in points(steps, 12):
        place = tmp_path / str(step)
        die(whole_life, str(place), None, kind, step)
        before = assert_every_trial_is_whole(Catalog(place))
        assert before in ({*()}, {0, 1}, {0, 1, 2, 3}, {0, 1, 2, 3, 4, 5})
        resumed = Catalog(place)
        whole_life(resumed)
        assert_holds(Catalog(place), range(TRIALS))
        report = resumed.verify(RUN, repair=True, grace_s=0)
        resumed.sweep(grace_s=0)
        assert (report.problems, report.leftovers) == ((), ())
        assert files_below(place) == expected_files(resumed)
        assert resumed.load_inputs(RUN).keys() == {"cell", "network"}
        shutil.rmtree(place)


@pytest.mark.parametrize("kind", KINDS)
def test_a_remover_killed_at_any_step_leaves_the_run_whole_or_gone(tmp_path, kind):
    whole_life(Catalog(tmp_path / "whole"))
    shutil.copytree(tmp_path / "whole", tmp_path / "count")
    steps = count_steps(removal, str(tmp_path / "count"), None, kind)
    assert steps > 40
    for step in points(steps, 6):
        place = tmp_path / str(step)
        shutil.copytree(tmp_path / "whole", place)
        die(removal, str(place), None, kind, step)
        assert assert_every_trial_is_whole(Catalog(place)) in (set(range(TRIALS)), set())
        removal(Catalog(place))
        left = files_below(place)
        assert left == {f for f in left if f == "catalog.json" or "/commits/" in f}
        whole_life(Catalog(place))
        assert_holds(Catalog(place), range(TRIALS))
        shutil.rmtree(place)


def test_a_process_killed_at_any_operation_on_s3_loses_and_doubles_nothing(s3_server):
    root, options = f"s3://{BUCKET}/{uuid.uuid4()}", s3_server.options
    steps = count_steps(whole_life, f"{root}/count", options, "before an operation")
    for turn, step in enumerate(points(steps, 5)):
        place = f"{root}/{step}"
        die(whole_life, place, options, KINDS[1 + turn % 2], step)
        assert_every_trial_is_whole(Catalog(place, options))
        resumed = Catalog(place, options)
        whole_life(resumed)
        assert_holds(Catalog(place, options), range(TRIALS))
        report = resumed.verify(RUN, repair=True, grace_s=0)
        assert (report.problems, report.leftovers) == ((), ())
        assert set(resumed.storage.listing("")) == expected_files(resumed)


def test_writers_killed_again_and_again_lose_and_double_no_trial(tmp_path):
    moments = random.Random(5)
    place = str(tmp_path / "r")
    catalog = Catalog(place)
    catalog.open_run(spec())
    seen: list[int] = []
    for _ in range(12):
        both = [begin(long_life, place), begin(long_life, place)]  # two drivers resume one run at once
        time.sleep(moments.uniform(0.05, 0.4))
        for process in both:
            process.kill()
            process.join()
        seen.append(len(assert_every_trial_is_whole(catalog)))
        assert catalog.verify(RUN).problems == ()
    assert seen == sorted(seen)
    last = begin(long_life, place)
    last.join()
    assert last.exitcode == 0
    assert_holds(catalog, range(LONG))
    report = catalog.verify(RUN, repair=True, grace_s=0)
    catalog.sweep(grace_s=0)
    assert (report.problems, report.leftovers) == ((), ())
    assert files_below(tmp_path / "r") == expected_files(catalog)


def test_an_s3_server_killed_again_and_again_loses_and_doubles_no_trial(weed, tmp_path):
    moments = random.Random(7)
    server = S3Server(tmp_path / "weed").start()
    place, options = f"s3://{BUCKET}/r", server.options
    try:
        Catalog(place, options).open_run(spec(trials=LONG))
        for _ in range(int(os.environ.get("ISFRAY_SERVER_KILLS", "3"))):
            writers = [begin(long_life, place, options) for _ in range(2)]
            time.sleep(moments.uniform(0.5, 1.5))
            server.kill()
            time.sleep(moments.uniform(0.0, 1.0))
            server.start()
            assert_every_trial_is_whole(Catalog(place, options))
            for writer in writers:  # they have waited for it, or given up: either is fine
                writer.join(moments.uniform(0.0, 1.0))
                writer.kill()
                writer.join()
        last = begin(long_life, place, options)
        last.join()
        assert last.exitcode == 0
        catalog = Catalog(place, options)
        assert_holds(catalog, range(LONG))
        report = catalog.verify(RUN, repair=True, grace_s=0)
        assert (report.problems, report.leftovers) == ((), ())
    finally:
        server.kill()
