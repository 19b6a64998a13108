"""The published replays of the reference cell in a catalog."""

from __future__ import annotations

import pytest

from tests.analysis.recorded import golden_catalog


@pytest.fixture(scope="session")
def golden(reference, tmp_path_factory):
    """Catalog with the run `replays`."""
    return golden_catalog(reference, tmp_path_factory.mktemp("golden") / "results")
