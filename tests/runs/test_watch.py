"""No wrong trial on the way into the catalog, and a run of the version before made right."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from isfray.activity import TrialSpec
from isfray.catalog import Catalog, RunSpec
from isfray.cli import main
from isfray.engine import Simulator, TrialResult
from isfray.errors import InputError
from isfray.formats.isf import load_cell
from isfray.model.soundness import UnsoundTrialError
from isfray.runs import TrialError, simulate
from isfray.runs.resume import resume
from isfray.runs.run import run_trials
from tests.catalog.synthetic import TABLES
from tests.model import small_cell

DATA = Path(__file__).resolve().parent.parent / "data"
LOST = {2, 5, 8}  # trials of 0 to 8 that the version before has stored with one sample and no spike
OF_THE_MACHINE = ["wall_s", "host", "finished_at"]


@dataclass(frozen=True)
class Overdriven:
    """Simulates a cell whose dendrite gets more current than it can bear in some trials."""

    cell: Path
    overdriven: frozenset[int]

    def __call__(self) -> Overdriven:
        return self

    def trials(
        self, trials: Sequence[TrialSpec], t_stop: float | None = None
    ) -> Iterator[TrialResult | UnsoundTrialError]:
        for trial in trials:
            amp = 20.0 if trial.number in self.overdriven else 0.1
            clamp = [{"section": 2, "x": 1.0, "delay": 5.0, "dur": 10.0, "amp": amp}]
            yield from Simulator(load_cell(self.cell), clamp=clamp, record=["soma", "2(1.0)"]).trials([trial], t_stop)


@pytest.fixture
def lost(tmp_path) -> Catalog:
    """A run with lost trials: tests/data/lost_trials.zip was made at commit e66df35, with EVENTS_KEPT = 150."""
    shutil.unpack_archive(DATA / "lost_trials.zip", tmp_path / "lost")
    return Catalog(tmp_path / "lost")


def test_a_diverged_trial_fails_by_its_number_with_time_and_place_and_all_others_are_stored(tmp_path, two_cpus):
    path = small_cell.write(tmp_path)
    cell, catalog = load_cell(path), Catalog(tmp_path / "results")
    spec = RunSpec("r", 7, {"t_stop": 20.0}, {"cell": cell.inputs}, trials=5)
    with pytest.raises(TrialError) as failed:
        run_trials(spec, catalog, Overdriven(path, frozenset({1, 3})), t_stop=20.0, workers=2, progress=False)
    told = "UnsoundTrialError: voltage at 2(1.0) reaches 1053 mV at 5.2 ms"
    assert [(f.trial, f.tries, f.error) for f in failed.value.failures] == [(1, 1, told), (3, 1, told)]
    assert f"2 of 5 trials of r failed: 1, 3; trial 1: {told}" in str(failed.value)
    assert catalog.committed_trials("r").tolist() == [0, 2, 4]
    assert catalog.verify("r").problems == ()


def test_lost_trials_of_the_version_before_are_found_by_number(lost, capsys):
    report = lost.verify("lost")
    assert report.wrong_trials == dict.fromkeys(LOST, "voltage at soma has 1 sample of 602")
    assert main(["verify", lost.uri, "lost"]) == 1
    said = capsys.readouterr().out
    assert "3 trials are wrong: 2 (voltage at soma has 1 sample of 602), 5 (" in said
    assert "isfray resume simulates wrong trials again" in said


@pytest.mark.parametrize("since", ["as it was left", "compacted", "repaired", "withdrawn by another process"])
def test_a_run_with_lost_trials_is_mended_by_resume_and_equal_to_a_fresh_one(lost, fresh, tmp_path, since, capsys):
    if since == "compacted":
        lost.compact("lost")
    elif since == "repaired":
        assert main(["verify", lost.uri, "lost", "--repair"]) == 1
        assert "3 wrong trials are withdrawn; isfray resume simulates them again" in capsys.readouterr().out
    elif since == "withdrawn by another process":
        Catalog(lost.uri).mend("lost")
    assert main(["resume", lost.uri, "lost", "--workers", "1"]) == 0
    if since in {"as it was left", "compacted"}:
        assert "3 trials that an earlier version stored are wrong and simulated again: 2 (" in capsys.readouterr().err
    now = Catalog(lost.uri)
    assert now.verify("lost").problems == ()
    for name in TABLES:
        old, new = (
            catalog.scan(name, run="lost").drop(OF_THE_MACHINE, strict=False).collect() for catalog in (now, fresh)
        )
        old, new = old.sort("trial", maintain_order=True), new.sort("trial", maintain_order=True)
        again = pl.col("trial").is_in(sorted(LOST))
        assert_frame_equal(old.filter(again), new.filter(again))
        if name == "voltage_traces":
            for a, b in zip(old["voltage"], new["voltage"], strict=True):
                assert len(a) == len(b) == 602
                np.testing.assert_allclose(a.to_numpy(), b.to_numpy(), rtol=0, atol=1e-6)
            old, new = old.drop("voltage"), new.drop("voltage")
        assert_frame_equal(old, new)
    assert main(["resume", lost.uri, "lost"]) == 0
    assert "earlier version" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def fresh(tmp_path_factory, two_cpus) -> Catalog:
    """The same run, simulated now."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.unpack_archive(DATA / "lost_trials.zip", folder / "lost")
    old, catalog = Catalog(folder / "lost"), Catalog(folder / "fresh")
    about, (cell, network) = old.info("lost"), old.load_models("lost")
    given = {key: about.settings[key] for key in ("t_stop", "engine", "clamp", "record")}
    simulate(cell, network, catalog, run="lost", trials=9, seed=about.seed, workers=1, progress=False, **given)
    return catalog


def test_calling_simulate_again_mends_too_and_says_so_as_a_line_of_json(lost, two_cpus, capsys):
    about, (cell, network) = lost.info("lost"), lost.load_models("lost")
    given = {key: about.settings[key] for key in ("t_stop", "engine", "clamp", "record")}
    run = simulate(cell, network, lost, run="lost", trials=9, seed=about.seed, workers=1, progress="json", **given)
    assert sorted(run) == sorted(LOST)
    assert '"event": "withdrawn", "withdrawn": [2, 5, 8]' in capsys.readouterr().err


def test_a_lost_trial_makes_no_film(lost, two_cpus, tmp_path, capsys):
    window = ["--t-start", "0", "--t-stop", "10", "--out", str(tmp_path / "vm.gif")]
    assert main(["animate", "2d", lost.uri, "lost", "--trial", "2", *window]) == 1
    assert (
        "trial 2: its stored voltage has 1 of 402 samples up to 10 ms; see `isfray verify`" in capsys.readouterr().err
    )


def test_a_run_that_isfray_did_not_simulate_is_not_resumed_and_is_told_in_a_line(tmp_path, capsys):
    catalog = Catalog(tmp_path / "r")
    cell = load_cell(small_cell.write(tmp_path))
    isf = {"t_stop": 20.0, "dt": 0.025, "engine": "isf", "record": ["soma"]}
    for name, settings in (("imported", isf), ("bare", {"t_stop": 20.0}), ("nothing", {})):
        session = catalog.open_run(RunSpec(name, 7, settings, {"cell": cell.inputs}, trials=2))
        catalog.close_run(name, session)
        with pytest.raises(InputError) as refused:
            resume(catalog, name)
        what = "was imported from ISF's files" if name == "imported" else "was stored without engine, record, clamp"
        assert f"run = '{name}' {what}" in str(refused.value)
        assert main(["resume", catalog.uri, name]) == 2
        assert capsys.readouterr().err.startswith("isfray: ")
        assert main(["info", catalog.uri, name]) == 0
        assert "seed 7" in capsys.readouterr().out
