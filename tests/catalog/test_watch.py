"""A run in progress, as another process sees it in the catalog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from isfray.catalog import Catalog
from isfray.catalog.watch import in_progress
from tests.catalog.synthetic import batch, spec


@pytest.fixture
def catalog(tmp_path):
    return Catalog(tmp_path / "c")


def finished(first: int, n: int, at: datetime, every: float) -> dict[str, pa.Table]:
    """Some trials that ended one after the other, the last one at some time."""
    tables = batch(range(first, first + n))
    times = [at - timedelta(seconds=every * (n - 1 - i)) for i in range(n)]
    column = tables["trials"].schema.get_field_index("finished_at")
    field = tables["trials"].schema.field(column)
    tables["trials"] = tables["trials"].set_column(column, field, pa.array(times, field.type))
    return tables


def test_a_session_without_trials_is_in_progress_and_an_ended_one_is_not(catalog):
    session = catalog.open_run(spec(trials=10, provenance={"host": "node7"}))
    begun = datetime.fromisoformat(session.started)
    assert in_progress(catalog, "stim_C2", begun + timedelta(seconds=75)) == (
        "in progress: begun on node7 0:01:15 ago, 0 trials since"
    )
    catalog.close_run("stim_C2", session)
    assert in_progress(catalog, "stim_C2") is None


def test_rate_and_time_left_count_the_trials_of_this_session_only(catalog):
    catalog.close_run("stim_C2", catalog.open_run(spec(trials=10)))
    catalog.commit("stim_C2", finished(0, 2, datetime(2020, 1, 1, tzinfo=UTC), 1.0))
    session = catalog.open_run(spec(trials=14))
    begun = datetime.fromisoformat(session.started)
    catalog.commit("stim_C2", finished(2, 4, begun + timedelta(seconds=40), 10.0))
    assert in_progress(catalog, "stim_C2", begun + timedelta(seconds=45)) == (
        "in progress: begun 0:00:45 ago, 4 trials since, 0.10/s, the last one 0:00:05 ago; about 0:01:20 left"
    )
    much_later = in_progress(catalog, "stim_C2", begun + timedelta(hours=2))
    assert much_later is not None
    assert much_later.startswith("in progress, or its driver was killed: ")


def test_a_run_with_every_trial_is_not_in_progress_though_its_driver_died_before_saying_so(catalog):
    catalog.open_run(spec(trials=3))
    catalog.commit("stim_C2", batch(range(3)))
    assert in_progress(catalog, "stim_C2") is None
