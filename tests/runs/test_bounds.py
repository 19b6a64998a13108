"""A set of trials costs by its intervals, and what cannot be met is refused at once, before anything is stored."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import isfray
from isfray.catalog.intervals import Intervals, count, missing
from isfray.catalog.log import ranges, union, up_to
from isfray.cli import main
from isfray.errors import InputError
from isfray.runs.dispatch.ledger import Ledger
from isfray.runs.request import MAX_TRIALS, check_trials
from tests.finished_run import RUN, SEED, T_STOP, TRIALS, FinishedRun, finished_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_run(tmp_path_factory.mktemp("bounds"))


numbers = st.sets(st.integers(0, 60))


@given(st.integers(0, 60), numbers)
def test_what_is_missing_is_what_is_not_there(trials: int, there: set[int]):
    found = missing(up_to(trials), ranges(there))
    assert list(found) == sorted(set(range(trials)) - there)
    assert len(found) == len(list(found))
    assert [found[-1 - i] for i in range(len(found))] == list(found)[::-1]


@given(numbers, numbers)
def test_ranges_of_two_sets_are_those_of_both(a: set[int], b: set[int]):
    both = union(ranges(a), ranges(b))
    assert list(Intervals(both)) == sorted(a | b)
    assert count(both) == len(a | b)


def test_two_billion_trials_cost_no_more_than_two():
    tracemalloc.start()
    left = missing(up_to(2**31 - 1), ((0, 9), (2_000_000_000, 2_000_000_100)))
    ledger = Ledger(left, 111)
    assert [ledger.lease() for _ in range(3)] == [10, 11, 12]
    assert left[-1] == 2**31 - 2
    assert ledger.total == 2**31 - 1
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


@pytest.mark.parametrize("trials", [MAX_TRIALS + 1, 2**31 - 1, 2**31, 2**63, 10**400])
def test_more_trials_than_anyone_means_are_refused_and_the_bound_can_be_lifted(
    trials: int, run: FinishedRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    before = run.contents()
    assert main(["resume", run.catalog.uri, RUN, "--trials", str(trials)]) == 2
    told = capsys.readouterr().err
    assert (
        "is more than a run may have; expected at most 10,000,000; the environment variable ISFRAY_MAX_TRIALS" in told
    )
    assert run.contents() == before
    monkeypatch.setenv("ISFRAY_MAX_TRIALS", str(2**40))
    if trials < 2**31:
        assert check_trials(trials) == ((0, trials - 1),)
    else:
        with pytest.raises(InputError, match="at most 2,147,483,647"):
            check_trials(trials)


def test_a_stored_session_that_asked_for_too_much_is_survived(
    run: FinishedRun, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    (session, *_) = run.catalog.info(RUN).sessions
    for asked in (2**31, 2**40, 10**30):
        odd = replace(session, id=f"{session.id}-{asked}", trials=asked)
        body = json.dumps(odd.__dict__).encode()
        run.catalog.storage.put(f"runs/{RUN}/sessions/{odd.id}.json", body)
    try:
        for command in (["resume"], ["info"], ["verify"]):
            assert main([*command, run.catalog.uri, RUN]) == 0, capsys.readouterr().err
        assert "4 of" in capsys.readouterr().out
        assert isfray.analysis.run_tables(run.catalog, RUN).n_trials == TRIALS
        assert main(["report", run.catalog.uri, RUN, "--out", str(tmp_path / "r.html")]) == 0
    finally:
        keys = run.catalog.storage.listing(f"runs/{RUN}/sessions/")
        run.catalog.storage.delete(key for key in keys if f"{session.id}-" in key)


def test_a_trial_that_would_fill_the_memory_is_refused(run: FinishedRun, monkeypatch: pytest.MonkeyPatch):
    cell, network = run.catalog.load_models(RUN)
    before = run.contents()
    with pytest.raises(InputError, match=r"t_stop = .* makes a trial record .* values .*ISFRAY_MAX_VALUES"):
        isfray.simulate(cell, network, run.catalog, run="long", trials=1, t_stop=1e12)
    monkeypatch.setenv("ISFRAY_MAX_VALUES", "1000")
    with pytest.raises(InputError, match="at most 1,000"):
        isfray.simulate(cell, network, run.catalog, run=RUN, trials=TRIALS, seed=SEED, t_stop=T_STOP)
    assert run.contents() == before


def test_more_workers_than_can_be_started_are_refused(run: FinishedRun):
    cell, network = run.catalog.load_models(RUN)
    with pytest.raises(InputError, match="workers = 1000000 are more than can be started"):
        isfray.simulate(cell, network, run.catalog, run=RUN, trials=TRIALS, seed=SEED, t_stop=T_STOP, workers=10**6)


TOML = """catalog = "results"
cell = "small.param"
network = "network.param"
run = "r"
trials = 4
seed = 7
t_stop = 20.0
"""
ODD_TOML = [
    *("record = 5", "record = [5]", "record = {a = 1}", "clamp = 5", "clamp = [5]", 'clamp = "x"', "clamp = [[]]"),
    *("clamp = [{section = []}]", "clamp = [{section = 0, x = nan}]", "clamp = {amp = inf}", "clamp = [{amp = 1e400}]"),
    *("search_paths = 5", "search_paths = [5]", 'search_paths = ["a\\u0000b"]', "edits = 5", "edits = [5]"),
    *('edits = [{edit = "scale_activity"}]', "edits = [{edit = []}]", "variants = 5", "variants = {a = 5}"),
    *("variants = {a = {b = 1}}", "variants = {a = {trials = -1}}", "variants = {}", "sweep = 5", "sweep = {}"),
    *("sweep = {trials = []}", 'sweep = {"x.y" = [1]}', 'sweep = {"record.9" = [1]}', 'sweep = {"record.²" = [1]}'),
    *("workers = 1e400", "workers = nan", "workers = true", "batch_seconds = inf", "batch_trials = 0.5"),
    *("engine = 5", "engine = []", "engine = {}", "trial_timeout = -1", "max_retries = 1e9", "variants = [[variants]]"),
    *(
        "x = " + "[" * 100_000,
        "x = " + "9" * 5000,
        "x = 2024-01-01",
        "runs = 5",
        "runs = [5]",
        "runs = [{trials = nan}]",
    ),
    *('runs = [{seed = 7}, {run = "../x"}]', 'runs = [{run = "new"}, {run = "newer", seed = "x"}]', "\0", "[", "\\"),
]
ODD_VALUES = ["5", "nan", "[]", "{}", "true", '""', '"a\\u0000b"', "2024-01-01", "-1", "1e400", '"' + "x" * 300 + '"']
REPLACED = ["catalog", "cell", "network", "run", "trials", "seed", "t_stop"]


@pytest.mark.parametrize(
    "more",
    [*ODD_TOML, *(f"{key} = {value}" for key in REPLACED for value in ODD_VALUES if (key, value) != ("trials", "5"))],
)
def test_an_odd_configuration_is_one_line_and_nothing_is_stored(
    more: str, run: FinishedRun, capsys: pytest.CaptureFixture[str]
):
    key = more.partition(" = ")[0]
    lines = [line for line in TOML.splitlines() if not line.startswith(f"{key} = ")]
    path = run.folder / "odd.toml"
    path.write_text("\n".join([*lines, more]) + "\n")
    before = run.contents()
    assert main(["run-config", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert len(told) <= 600
    assert run.contents() == before
