"""Readers in processes of their own, while runs grow, are merged and are removed."""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from isfray.catalog import Catalog
from isfray.errors import InputError
from tests.catalog.lives import RUN
from tests.catalog.synthetic import TABLES, batch, spec
from tests.catalog.test_catalog import expected, rows

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.catalog.test_readers", "s3fs"])


@pytest.fixture(params=["local", "s3"])
def shared(request, tmp_path) -> tuple[str, dict[str, Any] | None]:
    """A place that other processes see, and the options to reach it."""
    if request.param == "local":
        return str(tmp_path / "r"), None
    server = request.getfixturevalue("s3_server")
    return f"s3://isfray/{tmp_path.name}/r", server.options


def poll(place: str, options: Any, removals: bool, over: Any, looked: Any, found: Any) -> None:
    """Look again and again; put a line for each broken promise, then how many trials were seen each time."""
    catalog, looks = Catalog(place, options), []
    while not over.is_set():
        try:
            now = catalog.snapshot()
            held = {table: now.scan(table).select("trial").collect()["trial"] for table in TABLES}
            trials = held["trials"]
            if trials.n_unique() != len(trials):
                found.put(f"a trial twice: {trials.to_list()}")
            for table in ("synapse_activation", "cell_activation", "voltage_traces"):
                if set(held[table]) != set(trials):
                    found.put(f"{table} differs: {sorted(set(held[table]) ^ set(trials))}")
            if (counts := held["voltage_traces"].value_counts()["count"].unique().to_list()) not in ([], [2]):
                found.put(f"traces a trial: {counts}")
            later = catalog.scan("cell_activation").select("trial").collect()["trial"]
            if not (removals or set(trials) <= set(later)):
                found.put(f"gone: {sorted(set(trials) - set(later))}")
            looks.append(len(trials))
            looked.set()
        except (OSError, pl.exceptions.ComputeError) as error:  # the files of a removed run: an error, never a part
            if not removals:
                found.put(f"{type(error).__name__}: {error}")
    found.put(looks)


class Reader:
    """A process that polls."""

    def __init__(self, place: str, options: Any, *, removals: bool = False) -> None:
        self.over, self.looked, self.found = _NURSERY.Event(), _NURSERY.Event(), _NURSERY.Queue()
        arguments = (place, options, removals, self.over, self.looked, self.found)
        self.process = _NURSERY.Process(target=poll, args=arguments, daemon=True)
        self.process.start()

    def wait(self) -> None:
        """Return when it has looked at what is there now."""
        for _ in range(2):  # the first look may have begun before
            self.looked.clear()
            assert self.looked.wait(60)

    def end(self) -> list[int]:
        """Trials of each look; fails if a promise was broken."""
        self.over.set()
        while isinstance(said := self.found.get(timeout=60), str):
            pytest.fail(said)
        self.process.join()
        return said


def grow(catalog: Catalog, batches: range) -> None:
    for i in batches:
        catalog.commit(RUN, batch(range(2 * i, 2 * i + 2)))
        time.sleep(0.03)


def test_readers_see_whole_trials_while_a_run_grows_and_is_merged(shared):
    catalog = Catalog(*shared)
    catalog.open_run(spec())
    readers = [Reader(*shared) for _ in range(2)]
    for first in range(0, 24, 8):
        grow(catalog, range(first, first + 8))
        readers[0].wait()
        catalog.compact(RUN)
    looks = [reader.end() for reader in readers]
    assert all(of == sorted(of) for of in looks)
    assert {16, 32, 48} <= set(looks[0])
    assert_frame_equal(rows(catalog, "voltage_traces"), expected("voltage_traces", range(48)))


def test_readers_see_a_removed_run_whole_or_not_at_all(shared):
    catalog = Catalog(*shared)
    catalog.open_run(spec())
    grow(catalog, range(6))
    reader = Reader(*shared, removals=True)
    for turn in range(4):
        reader.wait()
        catalog.delete(RUN)
        catalog.open_run(spec(seed=turn))
        catalog.commit(RUN, batch(range(12)))
    looks = reader.end()
    assert set(looks) <= {0, 12}
    assert 12 in looks


def test_a_frame_scanned_before_a_merge_collects_until_the_grace_is_over(shared):
    catalog = Catalog(*shared)
    catalog.open_run(spec())
    grow(catalog, range(5))
    reader = Catalog(*shared)
    held = {table: reader.scan(table, run=RUN).drop("run") for table in TABLES}
    before = {table: frame.collect() for table, frame in held.items()}
    catalog.compact(RUN)
    catalog.commit(RUN, batch([50]))
    catalog.compact(RUN)
    catalog.verify(RUN, repair=True)
    for table, frame in held.items():
        assert_frame_equal(frame.collect(), before[table])
    catalog.verify(RUN, repair=True, grace_s=0)
    for frame in held.values():
        with pytest.raises((FileNotFoundError, OSError, pl.exceptions.ComputeError)):
            frame.collect()  # never a part of it


def test_a_reader_follows_a_growing_run_and_gets_each_trial_once(shared):
    catalog = Catalog(*shared)
    catalog.open_run(spec(trials=20))
    catalog.commit(RUN, batch(range(4)))
    seen: list[int] = []
    for trials in Catalog(*shared).live(RUN, every_s=0.01):
        spikes = catalog.scan("cell_activation", run=RUN, trials=trials)
        assert set(spikes.collect()["trial"]) == set(trials.tolist())
        seen += trials.tolist()
        if len(seen) < 20:  # the run goes on while the reader is at it
            catalog.commit(RUN, batch(range(len(seen), len(seen) + 4)))
            if len(seen) == 8:
                catalog.compact(RUN)
    assert seen == list(range(20))
    catalog.open_run(spec(trials=30))
    assert [trials.tolist() for trials in catalog.live(RUN, every_s=0.01, patience_s=0.05)] == [list(range(20))]


def test_the_tables_of_a_snapshot_stay_in_step(shared):
    catalog = Catalog(*shared)
    catalog.open_run(spec())
    catalog.commit(RUN, batch([0]))
    now = catalog.snapshot()
    catalog.commit(RUN, batch([1]))
    catalog.open_run(spec("late"))
    assert now.committed_trials(RUN).tolist() == now["trials"].collect()["trial"].to_list() == [0]
    assert set(now.scan("voltage_traces", run=RUN).collect()["trial"]) == {0}
    assert (now.runs(), now.tables()) == ([RUN], TABLES)
    with pytest.raises(InputError, match="run = 'late' is not in the snapshot; expected one of its runs: stim_C2"):
        now.scan("trials", run="late")
