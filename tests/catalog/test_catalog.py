"""The catalog: each finished trial exactly once, whatever happens on the way."""

from __future__ import annotations

import json
import pickle
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from isfray.catalog.log import by_table
from isfray.errors import InputError
from isfray.tables import SCHEMAS
from tests.catalog.synthetic import TABLES, Faulty, Stopped, batch, spec, trial

RUN = "stim_C2"
TIMED = ["wall_s", "finished_at"]


def rows(catalog: Catalog, table: str, **scan) -> pl.DataFrame:
    frame = catalog.scan(table, run=RUN, **scan).drop("run").collect()
    return frame.sort("trial", maintain_order=True).drop(TIMED, strict=False)


def expected(table: str, numbers) -> pl.DataFrame:
    frame = pl.from_arrow(batch(sorted(numbers))[table] if len(numbers) else SCHEMAS[table].empty_table())
    return frame.drop(TIMED, strict=False)


def assert_holds(catalog: Catalog, numbers) -> None:
    """Each of these trials once, whole, equal in every table; nothing else."""
    assert catalog.committed_trials(RUN).tolist() == sorted(numbers)
    for table in TABLES:
        assert_frame_equal(rows(catalog, table), expected(table, numbers), check_dtypes=True)


def test_what_is_committed_reads_back_value_for_value(opened):
    catalog = opened()
    done = catalog.commit(RUN, batch([4, 2, 7]))
    assert done.trials.tolist() == [2, 4, 7]
    assert_holds(opened(), [2, 4, 7])
    assert catalog.tables() == TABLES
    frame = catalog["synapse_activation"].collect()
    assert frame.columns[:2] == ["run", "trial"]
    assert frame.schema["run"] == pl.Categorical
    assert frame.schema["celltype"] == pl.Categorical
    assert frame["run"].unique().to_list() == [RUN]


def test_writing_twice_is_writing_once(opened, place):
    opened().commit(RUN, batch(range(5)))
    storage = open_storage(place)
    before = {k: storage.read(k) for k in storage.listing("")}
    again = opened().commit(RUN, batch(range(5)))
    assert again.trials.size == 0
    assert again.already_there.tolist() == [0, 1, 2, 3, 4]
    assert {k: storage.read(k) for k in storage.listing("")} == before


def test_the_first_commit_of_a_trial_wins(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(3), wall_s=1.0))
    late = catalog.commit(RUN, batch(range(5), wall_s=99.0))
    assert (late.trials.tolist(), late.already_there.tolist()) == ([3, 4], [0, 1, 2])
    assert catalog.scan("trials", run=RUN).collect()["wall_s"].to_list() == [1.0, 1.0, 1.0, 99.0, 99.0]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 11), min_size=1), min_size=1, max_size=6),
    st.lists(st.integers(0, 1), min_size=6, max_size=6),
)
def test_any_batches_in_any_order_by_any_writer_hold_each_trial_once(batches, writers):
    place = f"memory://{uuid.uuid4()}/r"
    catalogs = [Catalog(place), Catalog(place)]
    catalogs[0].open_run(spec())
    for numbers, writer in zip(batches, writers, strict=False):
        catalogs[writer].commit(RUN, batch(numbers, wall_s=float(writer)))
    assert_holds(Catalog(place), set().union(*batches))
    assert catalogs[0].verify(RUN).problems == ()


def test_two_writers_of_the_same_trials_at_once_leave_each_once(opened):
    opened()

    def work(writer: int) -> None:
        catalog = opened()
        for first in range(0, 24, 4):
            catalog.commit(RUN, batch(range(first, first + 5 + writer % 2), wall_s=float(writer)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert_holds(opened(), range(26))
    assert opened().verify(RUN).problems == ()


def operations_of_a_commit(place: str) -> int:
    counting = Faulty(open_storage(place), 10**9)
    catalog = Catalog(counting)
    catalog.open_run(spec())
    catalog.commit(RUN, batch(range(3)))
    return 10**9 - counting.left


@pytest.mark.parametrize("after", [False, True])
def test_a_writer_stopped_at_any_operation_loses_and_doubles_nothing(tmp_path, after):
    total = operations_of_a_commit(str(tmp_path / "count"))
    assert total > 15
    for k in range(total):
        place = tmp_path / f"{k}{after}"
        try:
            catalog = Catalog(Faulty(open_storage(place), k, after=after))
            catalog.open_run(spec())
            catalog.commit(RUN, batch(range(3), wall_s=3.0))
        except Stopped:
            pass
        reader = Catalog(place)
        if RUN in reader.runs():  # all tables of a trial, or none
            seen = {table: set(rows(reader, table)["trial"]) for table in TABLES}
            assert all(trials in (set(), {0, 1, 2}) for trials in seen.values())
            assert len({len(seen[t]) for t in ("trials", "synapse_activation", "voltage_traces")}) == 1
        catalog = Catalog(place)
        catalog.open_run(spec())
        catalog.commit(RUN, batch(range(3), wall_s=4.0))
        assert_holds(Catalog(place), range(3))
        report = catalog.verify(RUN, repair=True, grace_s=0)
        assert (report.problems, report.leftovers) == ((), ())
        assert catalog.load_inputs(RUN) == catalog.load_inputs(RUN)
        assert_holds(Catalog(place), range(3))


def test_the_same_batch_is_the_same_bytes(tmp_path):
    contents = []
    for name, order in (("a", [0, 1, 2, 3]), ("b", [3, 1, 0, 2])):
        catalog = Catalog(tmp_path / name)
        catalog.open_run(spec())
        catalog.commit(RUN, batch(order))
        storage = catalog.storage
        contents.append(
            {k: storage.read(k) for k in storage.listing("") if k.split("/")[0] in SCHEMAS or "commits" in k}
        )
    assert contents[0] == contents[1]
    assert len(contents[0]) == 6


def test_a_reader_sees_no_file_that_no_commit_lists(opened, place):
    catalog = opened()
    catalog.commit(RUN, batch([0]))
    storage = open_storage(place)
    some = next(iter(storage.listing(f"trials/run={RUN}/")))
    storage.put(f"trials/run={RUN}/batch=000009-000009-0.parquet", storage.read(some))
    storage.put(f"trials/run={RUN}/half.parquet", b"PAR1")
    assert_holds(opened(), [0])


def test_only_the_files_that_hold_the_asked_trials_are_opened(tmp_path):
    catalog = Catalog(tmp_path)
    catalog.open_run(spec())
    for first in range(0, 40, 4):
        catalog.commit(RUN, batch(range(first, first + 4)))
    for file in by_table(catalog._log(RUN).live())["spike_times"]:
        if file.trials != ((8, 11),):
            Path(catalog.uri, file.path).unlink()
    assert_frame_equal(rows(catalog, "spike_times", trials=9), expected("spike_times", [9]))
    assert_frame_equal(rows(catalog, "spike_times", trials=range(8, 11)), expected("spike_times", [8, 9, 10]))
    assert rows(catalog, "spike_times", trials=[]).height == 0
    assert rows(catalog, "spike_times", trials=[99]).height == 0


@pytest.mark.parametrize("trials", [3, [1, 5], range(2, 4), np.array([0, 7, 99]), np.int64(4)])
def test_trials_can_be_chosen_in_every_usual_way(opened, trials):
    catalog = opened()
    catalog.commit(RUN, batch(range(0, 6)))
    catalog.commit(RUN, batch(range(6, 8)))
    wanted = set(np.atleast_1d(np.asarray(trials)).tolist()) & set(range(8))
    assert_frame_equal(rows(catalog, "cell_activation", trials=trials), expected("cell_activation", wanted))


def test_columns_can_be_chosen_and_come_in_the_asked_order(opened):
    catalog = opened()
    catalog.commit(RUN, batch([0, 1]))
    frame = catalog.scan("synapse_activation", run=RUN, columns=["soma_distance", "trial", "run"]).collect()
    assert frame.columns == ["soma_distance", "trial", "run"]
    with pytest.raises(
        InputError, match=r"'distance' is not a column of synapse_activation; expected one of run, trial"
    ):
        catalog.scan("synapse_activation", columns=["distance"])
    with pytest.raises(InputError, match="trial numbers"):
        catalog.scan("synapse_activation", trials=[0.5])


def test_an_empty_run_scans_as_an_empty_table_of_the_right_schema(opened):
    catalog = opened()
    empty = catalog.scan("voltage_traces", run=RUN)
    schema = empty.collect_schema()
    assert empty.collect().height == 0
    catalog.commit(RUN, batch([0]))
    assert catalog.scan("voltage_traces", run=RUN).collect_schema() == schema
    assert catalog.scan("voltage_traces", run=RUN).collect().schema == schema


def test_a_trial_without_spikes_is_there_all_the_same(opened):
    catalog = opened()
    silent = next(k for k in range(100) if not trial(k)["spike_times"].num_rows)
    catalog.commit(RUN, trial(silent))
    assert catalog.committed_trials(RUN).tolist() == [silent]
    assert rows(catalog, "spike_times").height == 0
    assert "spike_times" not in catalog.tables()


def test_runs_stand_side_by_side_and_are_told_apart(opened):
    catalog = opened("a.1")
    opened("b")
    catalog.commit("a.1", batch([0, 1]))
    catalog.commit("b", batch([0]))
    assert catalog.runs() == ["a.1", "b"]
    trials = catalog["trials"].select("run", "trial").collect()
    assert sorted(trials.with_columns(pl.col("run").cast(str)).rows()) == [("a.1", 0), ("a.1", 1), ("b", 0)]
    assert catalog["trials"].filter(pl.col("run") == "b").collect().height == 1


def test_unknown_runs_and_tables_are_refused_with_what_there_is(opened):
    catalog = opened()
    with pytest.raises(InputError, match=f"run = 'other' is not in the catalog; expected one of its runs: {RUN}"):
        catalog.scan("trials", run="other")
    with pytest.raises(InputError, match="table = 'spikes' is not a table; expected one of trials, synapse_activation"):
        catalog.scan("spikes")
    with pytest.raises(InputError, match="not in the catalog"):
        catalog.commit("other", batch([0]))
    with pytest.raises(InputError, match="not a run name"):
        catalog.scan("trials", run="../x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.pop("trials"), "needs the table trials"),
        (lambda b: b.update(trials=b["trials"].slice(0, 1)), "spike_times has trials|_activation has trials"),
        (lambda b: b.update(trials=batch([0, 1, 1])["trials"]), "each once"),
        (lambda b: b.update(notes=b["trials"]), "unknown table"),
    ],
)
def test_a_batch_that_does_not_hang_together_is_refused_and_changes_nothing(opened, change, message):
    catalog = opened()
    tables = batch([0, 1])
    change(tables)
    with pytest.raises(ValueError, match=message):
        catalog.commit(RUN, tables)
    assert catalog.committed_trials(RUN).size == 0
    assert "trials" not in catalog.storage.folders("")


def test_looking_at_a_place_does_not_write_to_it(tmp_path):
    catalog = Catalog(tmp_path / "nothing")
    assert (catalog.runs(), catalog.tables()) == ([], [])
    assert catalog["trials"].collect().height == 0
    assert not (tmp_path / "nothing").exists()


def test_a_catalog_travels_to_another_process(tmp_path):
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    assert pickle.loads(pickle.dumps(catalog)).runs() == [RUN]


def test_polars_and_arrow_read_committed_files_without_isfray(tmp_path):
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    catalog.commit(RUN, batch(range(3)))
    catalog.commit(RUN, batch(range(3, 6)))
    commits = [json.loads(p.read_bytes()) for p in sorted((tmp_path / "r" / "runs" / RUN / "commits").iterdir())]
    gone = {n for c in commits for a, b in c["replaces"] for n in range(a, b + 1)}
    files = [f for c in commits if c["sequence"] not in gone for f in c["files"] if f["table"] == "synapse_activation"]
    paths = [str(tmp_path / "r" / f["path"]) for f in files]
    frame = pl.read_parquet(paths, hive_partitioning=True)
    assert frame.height == sum(f["rows"] for f in files) == expected("synapse_activation", range(6)).height
    assert frame["run"].unique().to_list() == [RUN]
    assert ds.dataset(paths, format="parquet").count_rows() == frame.height
    assert pq.read_schema(paths[0]).equals(SCHEMAS["synapse_activation"], check_metadata=True)


def test_one_trial_of_a_file_is_read_without_the_others(tmp_path):
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    catalog.commit(RUN, batch(range(25), samples=12002))
    (path,) = (tmp_path / "r" / "voltage_traces" / f"run={RUN}").iterdir()
    metadata = pq.ParquetFile(path).metadata
    spans = [metadata.row_group(i).column(0).statistics for i in range(metadata.num_row_groups)]
    assert len(spans) > 1
    assert all(a.max < b.min for a, b in pairwise(spans))
