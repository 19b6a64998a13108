"""Verification finds what is wrong, and repair removes only what no reader sees."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from isfray.catalog.log import by_table
from isfray.model.soundness import UnsoundTrialError
from tests.catalog.synthetic import batch, commit_unseen
from tests.catalog.test_catalog import RUN, assert_holds


def replaced(table: pa.Table, column: str, values) -> pa.Table:
    at = table.schema.get_field_index(column)
    return table.set_column(at, table.schema.field(at), values)


def plus(table: pa.Table, column: str, amount) -> pa.Table:
    return replaced(table, column, pc.add(table.column(column), amount).cast(table.schema.field(column).type))


def late(table: pa.Table) -> pa.Table:
    times = [[*row[:-1], 1e4] if row else row for row in table.column("times").to_pylist()]
    return replaced(table, "times", pa.array(times, pa.list_(pa.float64())))


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("trials", lambda t: plus(t, "n_releases", 1), "trials: n_releases disagrees with the rows of trials 0, 1"),
        ("trials", lambda t: plus(t, "n_active_synapses", 1), "n_active_synapses disagrees"),
        ("trials", lambda t: plus(t, "n_spikes", 1), "n_spikes disagrees"),
        ("synapse_activation", late, "synapse_activation: has times after the end of trials 0, 1"),
        ("cell_activation", late, "cell_activation: has times after the end"),
        ("spike_times", lambda t: plus(t, "time", -400.0), "spike_times: has times before 0"),
    ],
)
def test_tables_that_contradict_each_other_are_reported(opened, table, change, message):
    catalog = opened()
    tables = batch([0, 1])
    tables[table] = change(tables[table])
    with pytest.raises(UnsoundTrialError) as refused:
        catalog.commit(RUN, tables)
    assert refused.value.wrong.keys() == {0, 1}
    assert not len(catalog.committed_trials(RUN))
    commit_unseen(catalog, RUN, [0, 1], tables)
    report = catalog.verify(RUN)
    assert any(message in problem for problem in report.problems)
    assert dict(report.wrong_trials) == refused.value.wrong


def test_damaged_and_missing_files_are_reported(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(3)))
    files = by_table(catalog._log(RUN).live())
    path = files["voltage_traces"][0].path
    whole = catalog.storage.read(path)
    catalog.storage.put(path, whole[: len(whole) // 2])
    report = catalog.verify(RUN, repair=True, grace_s=0)
    assert not report.ok
    assert any(path in p and "other content" in p for p in report.problems)
    assert any(path in p and "not a whole Parquet file" in p for p in report.problems)
    catalog.storage.put(path, whole)
    assert catalog.verify(RUN).ok
    catalog.storage.delete([files["spike_times"][0].path])
    assert any("is missing" in p for p in catalog.verify(RUN).problems)


def test_a_changed_input_is_reported(opened):
    catalog = opened()
    catalog.storage.put(next(iter(catalog.storage.listing("inputs/"))), b"other")
    assert "has changed" in catalog.verify(RUN).problems[0]


def test_leftovers_are_listed_and_removed_only_when_old_enough(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(2)))
    stray = f"trials/run={RUN}/batch=000007-000007-0123.parquet"
    catalog.storage.put(stray, b"half")
    report = catalog.verify(RUN, repair=True)
    assert (report.ok, report.leftovers, report.removed) == (True, (stray,), ())
    report = catalog.verify(RUN, repair=True, grace_s=0)
    assert (report.ok, report.leftovers, report.removed) == (True, (), (stray,))
    assert_holds(opened(), range(2))


def test_a_sound_run_verifies_with_what_was_checked(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(4)))
    catalog.commit(RUN, batch(range(4, 6)))
    report = catalog.verify(RUN)
    assert (report.trials, report.files, report.problems) == (6, 10, ())
    assert report.bytes == sum(catalog.info(RUN).bytes.values())
