"""Every catalog that an earlier version wrote is read, verified, mended, compacted and exported, for good.

By this version, and by one whose tables have a column more of every kind; `tests/runs/test_old_catalogs.py` resumes and
extends them.
"""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from isfray import analysis
from isfray.catalog import Catalog, RunSpec, runs
from isfray.catalog.isf_export import export_isf
from isfray.catalog.isf_import import import_isf
from isfray.cli import main
from isfray.errors import InputError
from isfray.model import settings
from tests.old_catalogs import OF_TODAY, OLD, become, everything, plainly, read, unpacked

NEW = [f"new_{i}" for i in range(4)]


@pytest.fixture(params=["this version", "one whose tables have grown"], autouse=True)
def new_columns(request, monkeypatch) -> list[str]:
    """Who reads, and which columns it knows that no old catalog has."""
    if request.param == "this version":
        return []
    become(monkeypatch, 1)
    return NEW


@pytest.fixture(params=OLD)
def old(request, tmp_path) -> tuple[Catalog, str]:
    """A catalog and its run."""
    return unpacked(request.param, tmp_path)


@pytest.fixture
def sound(old) -> tuple[Catalog, str]:
    """Without the trials that are wrong."""
    catalog, run = old
    catalog.mend(run)
    return catalog, run


def test_the_data_hold_rows_of_every_table(tmp_path):
    found = {table for i, name in enumerate(OLD) for table in unpacked(name, tmp_path / str(i))[0].tables()}
    assert found == set(OF_TODAY)


def test_every_table_has_the_rows_that_are_stored_and_null_in_every_column_that_is_new(old, new_columns):
    catalog, run = old
    for table in catalog.tables():
        stored = plainly(catalog, run, table)
        assert len(stored) == catalog.info(run).rows[table] > 0
        frames = [read(catalog, run, table), catalog[table].drop("run").collect(), catalog.snapshot().scan(table)]
        for frame in frames:
            frame = frame.lazy().collect().sort("trial", maintain_order=True)
            assert_frame_equal(frame.select(stored.columns), stored, categorical_as_str=True)
            assert [name for name in frame.columns if frame[name].null_count() == len(frame)] == new_columns
        chosen = catalog.scan(table, run, trials=[1], columns=[*new_columns, "trial"]).collect()
        assert chosen.rows() == [(*[None] * len(new_columns), 1)] * len(stored.filter(pl.col("trial") == 1))


def test_what_is_known_of_the_run_and_its_models_is_read(old, capsys):
    catalog, run = old
    about = catalog.info(run)
    assert about.trials_committed == about.trials_asked == len(read(catalog, run, "trials"))
    cell, network = catalog.load_models(run)
    assert [inputs.main.name for inputs in (cell.inputs, network.inputs)] == ["small.param", "network.param"]
    assert sorted(network.names) == ["INH", "VPM_C2"]
    assert main(["info", catalog.uri, run]) == 0
    assert f"{about.trials_committed} of {about.trials_asked} trials, seed 7" in capsys.readouterr().out


def test_verification_finds_nothing_but_trials_that_are_wrong_and_nothing_once_they_are_withdrawn(old):
    catalog, run = old
    report = catalog.verify(run)
    assert len(report.problems) == bool(report.wrong_trials)
    withdrawn = catalog.mend(run)
    assert withdrawn == report.wrong_trials
    report = Catalog(catalog.uri).verify(run)
    assert report.problems == ()
    assert report.files > 0


def test_compaction_keeps_every_row_and_gives_the_files_every_column(old, new_columns):
    catalog, run = old
    before, wrong = everything(catalog, run), catalog.verify(run).wrong_trials
    report = catalog.compact(run)
    assert report.files_after == len(before) < report.files_before
    for table, frame in before.items():
        assert_frame_equal(read(catalog, run, table), frame)
        assert sorted(plainly(catalog, run, table).columns) == sorted(frame.columns)
        assert set(new_columns) <= set(plainly(catalog, run, table).columns)
    assert Catalog(catalog.uri).verify(run).wrong_trials == wrong


def test_an_analysis_counts_the_stored_spikes(sound):
    catalog, run = sound
    spikes = plainly(catalog, run, "spike_times").filter(pl.col("site").cast(pl.String) == "soma")
    histogram = analysis.psth(catalog, run, t_min=0.0, t_max=15.0, bin_size=15.0).collect()
    assert (histogram["spikes"].item(), histogram["n_trials"].item()) == (
        len(spikes),
        len(catalog.committed_trials(run)),
    )
    assert len(spikes) > 0


def test_it_goes_out_as_isf_s_files_and_comes_back(sound, tmp_path):
    catalog, run = sound
    assert export_isf(catalog, run, tmp_path / "isf").trials == len(catalog.committed_trials(run))
    again = Catalog(tmp_path / "again")
    import_isf(again, "again", tmp_path / "isf")
    assert again.verify("again").problems == ()
    for table in ("synapse_activation", "cell_activation", "spike_times"):
        assert_frame_equal(read(again, "again", table), read(catalog, run, table))


def test_it_goes_out_to_neo_and_nwb(sound, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    catalog, run = sound
    spikes = plainly(catalog, run, "spike_times")
    block = analysis.to_neo(catalog, run)
    assert sum(len(train) for segment in block.segments for train in segment.spiketrains) == len(spikes)
    with pynwb.NWBHDF5IO(str(analysis.to_nwb(catalog, run, tmp_path / "run.nwb")), "r") as io:
        file = io.read()
        assert len(file.trials) == len(catalog.committed_trials(run))
        assert sum(len(file.units.get_unit_spike_times(i)) for i in range(len(file.units))) == len(spikes)


def test_a_setting_to_come_leaves_old_runs_what_they_are_and_is_told_to_versions_that_lack_it(old, monkeypatch):
    catalog, run = old
    about, inputs = catalog.info(run), catalog.load_inputs(run)

    def asked(name: str, flavour: str) -> RunSpec:
        return RunSpec(name, about.seed, {**about.settings, "flavour": flavour}, inputs, about.trials_asked)

    with monkeypatch.context() as later:
        later.setattr(settings, "_LATER", {**settings._LATER, "flavour": (settings.VERSION + 1, "plain")})
        later.setattr(settings.Settings, "flavour", "plain", raising=False)
        later.setattr(runs, "RUN_VERSION", settings.VERSION + 1)
        assert catalog.info(run).settings.complete["flavour"] == "plain"
        catalog.close_run(run, catalog.open_run(asked(run, "plain")))
        with pytest.raises(InputError, match="flavour plain there, sweet here"):
            catalog.open_run(asked(run, "sweet"))
        catalog.close_run("other", catalog.open_run(asked("other", "sweet")))
        assert catalog.info("other").settings["flavour"] == "sweet"
    assert catalog.info(run).trials_committed == about.trials_committed
    with pytest.raises(InputError, match=r"other/run\.json: version = 3 was written by a newer isfray"):
        catalog.info("other")
