"""Every catalog that an earlier version wrote is resumed and extended, for good: by this version and by the next."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from isfray.activity.seeds import trial_seed
from isfray.catalog import Catalog
from isfray.cli import main
from tests.old_catalogs import OLD, ONE_OF_EACH_KIND, become, everything, files_of, unpacked

SAMPLES = 602  # of 15 ms


@pytest.fixture(params=OLD)
def old(request, tmp_path) -> tuple[Catalog, str]:
    """A catalog and its run."""
    return unpacked(request.param, tmp_path)


def rows(of: dict[str, pl.DataFrame], chosen: pl.Expr) -> dict[str, pl.DataFrame]:
    return {table: frame.filter(chosen) for table, frame in of.items()}


def check_extended(catalog: Catalog, run: str, before: dict[str, pl.DataFrame], n: int) -> dict[str, pl.DataFrame]:
    """Look at a run that had n trials, wrong ones not counted in `before`, and has one more; return its tables."""
    after = everything(catalog, run)
    stored = pl.col("trial").is_in(before["trials"]["trial"].to_list())
    for table, frame in before.items():
        kept = after[table].filter(stored)
        assert_frame_equal(kept.select(frame.columns), frame)
        assert all(column.null_count() == len(kept) for column in kept.drop(frame.columns))
    assert after["trials"]["trial"].to_list() == list(range(n + 1))
    new = rows(after, pl.col("trial") == n)
    assert new["trials"]["seed"].to_list() == [trial_seed(7, trial=n)]
    assert [len(frame) > 0 for frame in new.values()] == [True] * len(before)
    for table, column in {"voltage_traces": "voltage", "variable_traces": "values"}.items():
        if table in new:
            places, first = (frame.select("site", "section_id", "x") for frame in (new[table], before[table]))
            assert places.equals(first.head(len(places)))
            assert new[table][column].list.len().to_list() == [SAMPLES] * len(places)
    report = Catalog(catalog.uri).verify(run)
    assert report.problems == ()
    assert report.trials == n + 1
    return after


def test_a_run_is_resumed_with_nothing_simulated_again_and_extended_verified_and_compacted(old, two_cpus):
    catalog, run = old
    wrong, n = catalog.verify(run).wrong_trials, len(catalog.committed_trials(run))
    before = rows(everything(catalog, run), ~pl.col("trial").is_in(list(wrong)))
    assert main(["resume", catalog.uri, run, "--workers", "1"]) == 0
    again = everything(catalog, run)
    assert rows(again, ~pl.col("trial").is_in(list(wrong)))["trials"].equals(before["trials"])  # when it ended, too
    assert again["trials"]["trial"].to_list() == list(range(n))
    assert main(["resume", catalog.uri, run, "--workers", "1", "--trials", str(n + 1)]) == 0
    after = check_extended(catalog, run, before, n)
    assert main(["compact", catalog.uri, run]) == 0
    assert [len(files_of(catalog, run, table)) for table in after] == [1] * len(after)
    for table, frame in check_extended(catalog, run, before, n).items():
        assert_frame_equal(frame, after[table])


def test_by_a_version_with_more_columns_too_which_are_null_in_what_was_there(old, python, monkeypatch):
    """Driver and actors are of a version to come, and say half the trial's number in a new column of `trials`."""
    catalog, run = old
    become(monkeypatch, 1)
    catalog.mend(run)
    left, n = catalog.committed_trials(run).tolist(), catalog.info(run).trials_asked
    before = everything(catalog, run)
    driver = python("-m", "tests.old_catalogs", "resume", catalog.uri, run, "--trials", str(n + 1))
    said = driver.communicate()[1]
    assert driver.returncode == 0, said
    after = check_extended(catalog, run, before, n)
    told = [None if trial in left else trial / 2 for trial in range(n + 1)]
    assert after["trials"]["new_0"].to_list() == told
    assert main(["compact", catalog.uri, run]) == 0
    for table, frame in check_extended(catalog, run, before, n).items():
        assert_frame_equal(frame, after[table])
        assert set(ONE_OF_EACH_KIND[table]) < set(frame.columns)
