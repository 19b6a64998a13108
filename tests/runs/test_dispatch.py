"""The dispatcher, its actors and a real catalog, with a stand-in for the simulator only."""

from __future__ import annotations

import logging
import math
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from isfray.activity import trial_seed
from isfray.catalog import Catalog
from isfray.errors import InputError
from isfray.runs import RunError, TrialError
from isfray.runs.dispatch.limits import Limits
from isfray.runs.handle import RunHandle
from isfray.runs.request import Request
from isfray.runs.run import run_sweep, run_trials
from tests.runs.null_engine import NullEngine, begun, spec
from tests.runs.waiting import gone, pids, until

pytestmark = pytest.mark.usefixtures("two_cpus")

QUICK = Limits(batch_trials=4, batch_seconds=0.3, pauses=(0.1, 0.2, 0.3))


def go(
    folder: Path, engine: NullEngine, trials: int = 12, *, workers: int = 2, limits: Limits = QUICK, **options
) -> RunHandle:
    return run_trials(
        spec("run", trials), folder, engine, t_stop=300.0, workers=workers, progress=False, limits=limits, **options
    )


def rows(folder: Path) -> dict[str, list[tuple]]:
    """Every table's rows by trial; the order within a trial as stored."""
    catalog = Catalog(folder)
    return {
        name: catalog.scan(name).drop("run").sort("trial", maintain_order=True).collect().rows()
        for name in catalog.tables()
    }


def trials(folder: Path) -> list[int]:
    return Catalog(folder).scan("trials").select("trial").sort("trial").collect()["trial"].to_list()


@pytest.fixture(scope="module")
def undisturbed(two_cpus, tmp_path_factory) -> dict[str, list[tuple]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    go(folder, NullEngine(), workers=1)
    return rows(folder)


def assert_whole(folder: Path, undisturbed: dict[str, list[tuple]]) -> None:
    assert rows(folder) == undisturbed
    assert Catalog(folder).verify("run").ok


def test_one_and_two_workers_give_equal_tables(tmp_path, undisturbed):
    handle = go(tmp_path, NullEngine(), workers=2)
    assert handle.progress().done == 12
    assert_whole(tmp_path, undisturbed)


def test_each_trial_gets_the_seed_that_follows_from_run_seed_and_number(undisturbed):
    assert [row[:2] for row in undisturbed["trials"]] == [(trial, trial_seed(7, trial)) for trial in range(12)]


def test_a_killed_worker_loses_no_trial_and_doubles_none(tmp_path, undisturbed):
    diary = tmp_path / "diary"
    handle = go(tmp_path / "c", NullEngine(diary=diary, dies_once=frozenset({1, 6})))
    assert_whole(tmp_path / "c", undisturbed)
    assert begun(diary).count(1) == begun(diary).count(6) == 2
    assert handle.progress().retried >= 2
    assert not handle.failures


def test_a_trial_that_always_raises_is_reported_by_number_and_the_others_finish(tmp_path):
    diary = tmp_path / "diary"
    with pytest.raises(TrialError) as caught:
        go(tmp_path / "c", NullEngine(diary=diary, raises=frozenset({3, 7})))
    assert [failure.trial for failure in caught.value.failures] == [3, 7]
    assert "2 of 12 trials of run failed: 3, 7; trial 3: ValueError: no spikes for trial 3" in str(caught.value)
    assert "null_engine.py" in caught.value.failures[0].trace
    assert trials(tmp_path / "c") == [t for t in range(12) if t not in (3, 7)]
    assert begun(diary).count(3) == 1, "its seed decides: trying again is no use"


def test_a_trial_that_the_catalog_refuses_is_reported_by_number_and_the_others_finish(tmp_path):
    with pytest.raises(TrialError) as caught:
        go(tmp_path / "c", NullEngine(diverges=frozenset({3, 7})))
    assert [failure.trial for failure in caught.value.failures] == [3, 7]
    assert "2 of 12 trials of run failed: 3, 7; trial 3: voltage at soma is nan at 300" in str(caught.value)
    assert trials(tmp_path / "c") == [t for t in range(12) if t not in (3, 7)]


def test_a_trial_that_kills_its_process_is_given_up_after_some_tries_and_the_others_finish(tmp_path):
    diary = tmp_path / "diary"
    with pytest.raises(TrialError, match="1 of 6 trials of run failed: 2; trial 2: its process died") as caught:
        go(
            tmp_path / "c",
            NullEngine(diary=diary, exits=frozenset({2})),
            6,
            limits=replace(QUICK, max_retries=1),
        )
    assert caught.value.failures[0].tries == 2
    # Once more if its first death came before the answer of the trial before, which is blamed for it, once.
    assert begun(diary).count(2) in (2, 3)
    assert trials(tmp_path / "c") == [0, 1, 3, 4, 5]


def test_a_stuck_trial_is_tried_elsewhere(tmp_path, undisturbed):
    diary = tmp_path / "diary"
    go(
        tmp_path / "c",
        NullEngine(diary=diary, hangs_once=frozenset({5})),
        limits=replace(QUICK, trial_timeout=2.0, max_retries=100),  # on a slow machine, others are late too
    )
    assert_whole(tmp_path / "c", undisturbed)
    assert len([tried for tried in pids(diary).values() if 5 in tried]) >= 2


def test_patience_follows_from_the_median_of_the_same_run_and_is_never_less_than_a_minute():
    limits = Limits()
    assert limits.patience([]) == math.inf, "nothing is known yet"
    assert limits.patience([0.01]) == 60.0
    assert limits.patience([9.0, 10.0, 300.0]) == 200.0
    assert replace(limits, trial_timeout=2.0).patience([10.0]) == 2.0


def test_a_run_of_long_trials_is_not_judged_by_the_short_ones_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(Limits, "patience", lambda self, seconds: 20 * max(seconds) if seconds else math.inf)
    gate = tmp_path / "gate"
    asked = {"short": NullEngine(), "long": NullEngine(held_from=0, gate=gate, diary=tmp_path / "diary")}
    runs = {name: Request(spec(name, 3), engine, 300.0) for name, engine in asked.items()}
    sweep = run_sweep("s", runs, tmp_path / "c", workers=2, wait=False, progress=False, limits=QUICK)
    until(lambda: sweep["short"].progress().done == 3 and begun(tmp_path / "diary"), "a long trial alone")
    time.sleep(2.0)
    gate.touch()
    assert sweep.wait().progress().retried == 0


def test_a_trial_that_meets_a_machine_in_trouble_is_tried_elsewhere(tmp_path, undisturbed):
    diary = tmp_path / "diary"
    go(tmp_path / "c", NullEngine(diary=diary, sick_once=frozenset({4})))
    assert_whole(tmp_path / "c", undisturbed)
    lines = [line.split() for line in diary.read_text().splitlines()]
    first, second = [pid for trial, pid in lines if trial == "4"]
    assert first != second


def test_an_actor_that_grows_is_replaced_and_nothing_is_retried(tmp_path, undisturbed):
    diary = tmp_path / "diary"
    handle = go(
        tmp_path / "c",
        NullEngine(diary=diary, grows_by=40_000_000),
        workers=1,
        limits=replace(QUICK, memory_growth=60_000_000),
    )
    assert_whole(tmp_path / "c", undisturbed)
    assert sorted(begun(diary)) == list(range(12))
    assert len({line.split()[1] for line in diary.read_text().splitlines()}) > 1
    assert handle.progress().retried == 0


def catalog_actors() -> list[psutil.Process]:
    """Processes of catalog actors below this one."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.cmdline() and process.cmdline()[0].startswith("ray::CatalogActor"):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_a_killed_catalog_actor_loses_nothing(tmp_path, undisturbed):
    gate = tmp_path / "gate"
    handle = go(tmp_path / "c", NullEngine(held_from=8, gate=gate), wait=False)
    killed = 0
    for _ in handle:
        for actor in catalog_actors() if killed < 2 else []:
            actor.send_signal(signal.SIGKILL)
            killed += 1
        if killed:
            gate.touch()
    handle.wait()
    assert killed >= 1
    assert_whole(tmp_path / "c", undisturbed)


def test_an_extended_or_repeated_run_simulates_only_what_is_missing(tmp_path, undisturbed):
    diary = tmp_path / "diary"
    with pytest.raises(TrialError):
        go(tmp_path / "c", NullEngine(diary=diary, raises=frozenset({2})), 5)
    diary.unlink()
    handle = go(tmp_path / "c", NullEngine(diary=diary), 12)
    assert sorted(begun(diary)) == [2, *range(5, 12)]
    assert handle.progress().before == 4
    assert_whole(tmp_path / "c", undisturbed)


def test_nothing_to_do_starts_no_actor(tmp_path):
    diary = tmp_path / "diary"
    go(tmp_path / "c", NullEngine(), 3)
    handle = go(tmp_path / "c", NullEngine(diary=diary, unbuildable=RuntimeError("not to be built")), 3)
    assert handle.over
    assert handle.progress().done == 3
    assert not begun(diary)


def test_a_run_in_the_background_tells_its_progress_and_its_trials_as_they_are_committed(tmp_path, undisturbed):
    gate = tmp_path / "gate"
    handle = go(tmp_path / "c", NullEngine(held_from=8, gate=gate), wait=False)
    seen = []
    for trial in handle:
        seen.append(trial)
        assert trial in trials(tmp_path / "c")
        if len(seen) == 8:
            assert trials(tmp_path / "c") == list(range(8))
            assert not handle.over
            with pytest.raises(TimeoutError, match="is not over"):
                handle.wait(timeout=0.0)
            gate.touch()
    assert sorted(seen) == list(range(12))
    assert handle.wait() is handle
    assert_whole(tmp_path / "c", undisturbed)


def test_a_cancelled_run_keeps_what_it_has_simulated_and_goes_on_later(tmp_path, undisturbed):
    diary = tmp_path / "diary"
    handle = go(tmp_path / "c", NullEngine(diary=diary, held_from=8, gate=tmp_path / "gate"), wait=False)
    next(iter(handle))
    handle.cancel()
    handle.wait()
    kept = trials(tmp_path / "c")
    assert 0 < len(kept) <= 8
    assert handle.progress().done == len(kept)
    diary.unlink()
    go(tmp_path / "c", NullEngine(diary=diary))
    assert not set(begun(diary)) & set(kept)
    assert_whole(tmp_path / "c", undisturbed)


def test_two_runs_share_the_cluster(tmp_path, undisturbed):
    first = go(tmp_path / "a", NullEngine(), wait=False)
    second = go(tmp_path / "b", NullEngine(), workers=1, wait=False)
    first.wait()
    second.wait()
    assert_whole(tmp_path / "a", undisturbed)
    assert_whole(tmp_path / "b", undisturbed)


def test_what_is_in_flight_and_unwritten_stays_bounded(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(RunHandle, "_tell", lambda self, progress: seen.append(progress))
    monkeypatch.setattr("isfray.runs.dispatch.dispatcher.TICK", 0.0)
    small = replace(QUICK, batch_trials=50, unwritten_bytes=1)  # one trial's tables fill it
    go(tmp_path, NullEngine(), 40, limits=small)
    assert len(seen) > 20
    assert max(progress.unwritten for progress in seen) <= 4, "two actors with two trials each"
    assert max(progress.running for progress in seen) <= 2
    assert trials(tmp_path) == list(range(40))


def test_a_user_mistake_found_in_an_actor_is_raised_as_such_and_leaves_the_name_free(tmp_path):
    mistake = InputError("is no mechanism", file="cell.param", key="Soma.Kv9", expected="one of ...")
    with pytest.raises(InputError, match=r"Soma\.Kv9 is no mechanism"):
        go(tmp_path, NullEngine(unbuildable=mistake))
    assert Catalog(tmp_path).runs() == []


def test_actors_that_cannot_start_end_the_run_with_the_reason(tmp_path):
    with pytest.raises(RunError, match=r"run run stopped with 0 of 12 trials .*OSError: no space left"):
        go(tmp_path, NullEngine(unbuildable=OSError("no space left")))
    assert Catalog(tmp_path).runs() == ["run"]


def test_a_catalog_that_can_no_longer_be_written_ends_the_run_and_keeps_what_is_there(tmp_path, undisturbed):
    gate = tmp_path / "gate"
    handle = go(tmp_path / "c", NullEngine(held_from=8, gate=gate), wait=False)
    next(iter(handle))
    table = tmp_path / "c" / "trials"
    table.rename(tmp_path / "aside")
    table.write_text("a file where a folder belongs")
    gate.touch()
    with pytest.raises(RunError, match=r"stopped with \d+ of 12 trials in the catalog: InputError: .*trials"):
        handle.wait()
    table.unlink()
    (tmp_path / "aside").rename(table)
    assert 0 < len(trials(tmp_path / "c")) < 12
    go(tmp_path / "c", NullEngine())
    assert_whole(tmp_path / "c", undisturbed)


def test_the_loss_of_an_actor_is_an_ordinary_event(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="isfray"):
        go(tmp_path / "c", NullEngine(diary=tmp_path / "diary", dies_once=frozenset({0})), 4)
    mine = [record for record in caplog.records if record.name.startswith("isfray")]
    assert any("is gone" in record.message for record in mine)
    assert all(record.levelno == logging.INFO for record in mine)


def test_no_actor_outlives_its_run(tmp_path):
    go(tmp_path, NullEngine(), 4)
    left = [p for p in psutil.Process(os.getpid()).children(recursive=True) if _is_actor(p)]
    until(lambda: gone(left), "the end of the actors")


def _is_actor(process: psutil.Process) -> bool:
    try:
        return "Actor" in "".join(process.cmdline()[:1])
    except psutil.NoSuchProcess:
        return False


def test_a_catalog_in_memory_is_refused_because_actors_would_not_see_it():
    with pytest.raises(InputError, match=r"memory://here. is seen by this process only"):
        go("memory://here", NullEngine())
