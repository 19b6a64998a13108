"""No wrong trial is stored; those that versions without the watch stored are found, withdrawn and written again."""

from __future__ import annotations

import json
import uuid

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from isfray.catalog.mending import now_and_then
from isfray.cli import main
from isfray.model.soundness import UnsoundTrialError
from tests.catalog.synthetic import Faulty, Stopped, batch, commit_unseen, spec, trial
from tests.catalog.test_catalog import RUN, assert_holds

DT = 300 / 48.5  # of the synthetic trials: 50 samples


def with_voltage(number: int, change) -> dict[str, pa.Table]:
    """A synthetic trial whose traces are changed."""
    tables = trial(number)
    traces = [np.array(row) for row in tables["voltage_traces"]["voltage"].to_pylist()]
    table = tables["voltage_traces"]
    column = pa.array([row.tolist() for row in change(*traces)], table.schema.field("voltage").type)
    tables["voltage_traces"] = table.set_column(table.schema.get_field_index("voltage"), "voltage", column)
    return tables


def put(trace: np.ndarray, at: int, value: float) -> np.ndarray:
    return np.where(np.arange(len(trace)) == at, value, trace)


WRONG = {
    "nan": (lambda a, b: (a, put(b, 7, np.nan)), f"voltage at apical is nan at {7 * DT:.10g} ms"),
    "far": (lambda a, b: (put(a, 9, 1200.0), put(b, 12, -3e4)), f"voltage at soma reaches 1200 mV at {9 * DT:.10g} ms"),
    "lost": (lambda a, b: (a[:1], b[:1]), "voltage at soma has 1 sample of 50"),
    "elsewhere": (lambda a, b: (a, put(b, 0, -60.0)), "voltage at apical begins with -60 mV instead of -70 mV"),
    "another spike": (lambda a, b: (a, put(b, 48, 0.0)), "spike_times: has not the spikes of voltage_traces"),
    "one spike less": (lambda a, b: (np.minimum(a, -1.0), b), "spike_times: has not the spikes of voltage_traces"),
}


def wrong(number: int, kind: str = "lost") -> dict[str, pa.Table]:
    return with_voltage(number, WRONG[kind][0])


def joined(numbers, bad) -> dict[str, pa.Table]:
    from isfray import tables

    return tables.join_trials(wrong(n) if n in bad else trial(n) for n in numbers)


def old_run(catalog: Catalog, batches, bad) -> Catalog:
    """A run as a version without the watch has left it."""
    catalog.open_run(cell_spec())
    for numbers in batches:
        commit_unseen(catalog, RUN, numbers, joined(numbers, bad))
    return catalog


def cell_spec():
    """A run whose cell file tells what voltages begin with."""
    from isfray.model.inputs import InputFile, ModelInputs

    cell = ModelInputs(InputFile("cell.param", b"{'sim': {'Vinit': -70.0}}"), {})
    given = spec(trials=12)
    return type(given)(given.name, given.seed, given.settings, {"cell": cell}, given.trials)


@pytest.fixture
def old(place) -> Catalog:
    """Trials 0 to 8 in three commits; 1 is wrong, and so is all that the last commit has."""
    return old_run(Catalog(place), [range(4), range(4, 7), (7, 8)], {1, 7, 8})


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_trial_is_refused_at_the_door_and_found_where_it_is_stored(kind):
    catalog, reason = Catalog(f"memory://{uuid.uuid4()}/r"), WRONG[kind][1]
    catalog.open_run(cell_spec())
    number = next(n for n in range(20) if trial(n)["trials"]["n_spikes"][0].as_py())
    with pytest.raises(UnsoundTrialError) as refused:
        catalog.commit(RUN, wrong(number, kind))
    assert refused.value.wrong == {number: reason}
    assert catalog["trials"].collect().height == 0
    commit_unseen(catalog, RUN, [number], wrong(number, kind))
    report = catalog.verify(RUN)
    assert report.wrong_trials == {number: reason}
    assert any(str(number) in problem and reason.split(": ")[-1] in problem for problem in report.problems)
    assert catalog.mend(RUN) == {number: reason}
    catalog.commit(RUN, trial(number))
    assert_holds(catalog, [number])
    assert catalog.verify(RUN).problems == ()


def test_wrong_trials_are_withdrawn_and_written_again_in_every_table(old, opened):
    assert old.verify(RUN).wrong_trials.keys() == {1, 7, 8}
    before = old.scan("voltage_traces", run=RUN)
    assert old.mend(RUN).keys() == {1, 7, 8}
    assert_holds(opened(), [0, 2, 3, 4, 5, 6])
    assert before.collect().height == 18, "a frame that was scanned before still collects"
    assert opened().verify(RUN).problems == ()
    assert opened().commit(RUN, batch(range(9))).trials.tolist() == [1, 7, 8]
    assert_holds(opened(), range(9))
    report = opened().verify(RUN, repair=True, grace_s=0)
    assert (report.problems, report.leftovers) == ((), ())
    assert_holds(opened(), range(9))


def test_what_was_looked_at_once_is_not_read_again(old, opened, monkeypatch):
    old.mend(RUN)
    old.commit(RUN, batch(range(9)))
    later, asked = opened(), []
    read = later.storage.read
    monkeypatch.setattr(later.storage, "read", lambda key: asked.append(key) or read(key))
    told = []
    assert later.mend(RUN, lambda *how_far: told.append(how_far)) == {}
    assert not [key for key in asked if key.endswith(".parquet")]
    assert not told
    later.compact(RUN)
    assert later.mend(RUN, lambda *how_far: told.append(how_far)) == {}
    assert not told, "a compaction of sound trials needs no look either"


def test_only_trials_that_nobody_has_looked_at_are_read(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(5)))
    commit_unseen(catalog, RUN, [5, 6], joined([5, 6], {6}))
    catalog.compact(RUN)
    told = []
    assert catalog.mend(RUN, lambda *how_far: told.append(how_far)).keys() == {6}
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 0
    assert_holds(opened(), range(6))


def test_a_long_look_says_now_and_then_how_far_it_is(old, monkeypatch, capsys):
    monkeypatch.setattr("isfray.catalog.mending.TELL_S", 0.0)
    said: list[int] = []
    old.verify(RUN, tell=now_and_then(said.append))
    assert said == sorted(said)
    assert len(said) == 16, "at the beginning and after each file"
    assert main(["verify", old.uri, RUN]) == 1
    assert f"{RUN}: 0% read" in capsys.readouterr().err


def test_a_repair_withdraws_what_verify_finds_and_says_so(old, opened):
    report = opened().verify(RUN, repair=True)
    assert (report.withdrawn, set(report.wrong_trials)) == ((1, 7, 8), {1, 7, 8})
    assert_holds(opened(), [0, 2, 3, 4, 5, 6])
    assert opened().mend(RUN) == {}


def test_a_damaged_file_is_no_reason_to_withdraw_a_trial(old, opened):
    (file, *_) = [f for c in old._log(RUN).live() for f in c.files if f.table == "cell_activation"]
    old.storage.put(file.path, old.storage.read(file.path)[:100])
    report = opened().verify(RUN, repair=True)
    assert not report.ok
    assert report.withdrawn == ()
    assert opened().committed_trials(RUN).tolist() == list(range(9))


def test_imported_trials_are_held_to_what_isf_promises_only(opened):
    """Another length or beginning may be ISF's way; what is no number is wrong everywhere."""
    catalog = opened()

    def imported(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
        table = tables["trials"]
        at = table.schema.get_field_index("engine")
        isf = pc.dictionary_encode(pa.array(["isf"]))
        return {**tables, "trials": table.set_column(at, table.schema.field(at), isf.cast(table.schema.field(at).type))}

    short = next(n for n in range(50) if not trial(n)["spike_times"].num_rows)
    catalog.commit(RUN, imported(with_voltage(short, lambda a, b: (a[1:30], b[1:30]))))
    with pytest.raises(UnsoundTrialError, match="is nan at"):
        catalog.commit(RUN, imported(wrong(short + 1, "nan")))
    assert catalog.verify(RUN).problems == ()


@pytest.mark.parametrize("first", ["compaction", "another mender", "a writer"])
def test_whoever_comes_first_nothing_sound_is_lost_and_nothing_wrong_stays(old, opened, monkeypatch, first):
    other, create = opened(), old.storage.create

    def late(key, data):
        monkeypatch.setattr(old.storage, "create", create)
        if first == "compaction":
            other.compact(RUN)
        elif first == "another mender":
            other.mend(RUN)
            other.commit(RUN, batch([1, 7]))
        else:
            other.commit(RUN, batch([9, 10]))
        return create(key, data)

    monkeypatch.setattr(old.storage, "create", late)
    old.mend(RUN)
    sound = {0, 2, 3, 4, 5, 6} | {"another mender": {1, 7}, "a writer": {9, 10}}.get(first, set())
    assert_holds(opened(), sound)
    opened().commit(RUN, batch(range(11)))
    assert_holds(opened(), range(11))
    assert opened().verify(RUN).problems == ()


def test_a_slow_writer_of_the_version_before_does_not_bring_a_withdrawn_file_back(old, opened):
    opened().mend(RUN)
    opened().verify(RUN, repair=True, grace_s=0)
    commit_unseen(old, RUN, [1], wrong(1))
    assert opened().mend(RUN).keys() == {1}
    assert_holds(opened(), [0, 2, 3, 4, 5, 6])


@pytest.mark.parametrize("after", [False, True])
def test_a_mender_stopped_at_any_operation_leaves_the_run_as_it_was_or_mended(after):
    k, stopped = 0, True
    while stopped:
        catalog = old_run(Catalog(f"memory://{uuid.uuid4()}/r"), [range(3), (3,)], {1, 3})
        try:
            Catalog(Faulty(open_storage(catalog.uri), k, after=after)).mend(RUN)
            stopped = False
        except Stopped:
            pass
        again = Catalog(catalog.uri)
        assert again.committed_trials(RUN).tolist() in ([0, 1, 2, 3], [0, 2])
        again.mend(RUN)
        assert_holds(Catalog(catalog.uri), [0, 2])
        again.commit(RUN, batch(range(4)))
        report = again.verify(RUN, repair=True, grace_s=0)
        assert (report.problems, report.leftovers) == ((), ())
        assert_holds(Catalog(catalog.uri), range(4))
        k += 1
    assert k > 10


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 9), min_size=1), min_size=1, max_size=4),
    st.sets(st.integers(0, 9)),
    st.lists(st.sampled_from(["mend", "compact", "commit"]), max_size=4),
)
def test_whatever_was_stored_and_done_since_exactly_the_wrong_trials_go(batches, bad, deeds):
    catalog, there = Catalog(f"memory://{uuid.uuid4()}/r"), set()
    catalog.open_run(cell_spec())
    for numbers in batches:
        if new := numbers - there:
            commit_unseen(catalog, RUN, new, joined(sorted(new), bad))
            there |= new
    held, mended = set(there), False
    for deed in [*deeds, "mend"]:
        if deed == "compact":
            catalog.compact(RUN)
        elif deed == "commit":
            catalog.commit(RUN, batch([20]))
            held.add(20)
        else:
            found = catalog.mend(RUN)
            assert found.keys() == (set() if mended else there & bad)
            held -= found.keys()
            mended = True
    assert_holds(Catalog(catalog.uri), held)
    assert catalog.verify(RUN).problems == ()


def test_a_reader_that_knows_nothing_of_checks_reads_a_mended_run(tmp_path):
    catalog = old_run(Catalog(tmp_path / "r"), [range(4), (4,)], {1, 4})
    catalog.mend(RUN)
    catalog.commit(RUN, batch([1]))
    commits = [json.loads(p.read_bytes()) for p in sorted((tmp_path / "r/runs" / RUN / "commits").glob("*.json"))]
    assert [commit["kind"] for commit in commits] == ["batch", "batch", "check", "batch"]
    replaced = {n for c in commits for first, last in c["replaces"] for n in range(first, last + 1)}
    live = [c for c in commits if c["sequence"] not in replaced]
    files = [tmp_path / "r" / f["path"] for c in live for f in c["files"] if f["table"] == "trials"]
    assert sorted(pl.read_parquet(files)["trial"].to_list()) == [0, 1, 2, 3]
