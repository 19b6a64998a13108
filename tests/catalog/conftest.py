"""Places for a catalog."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from isfray.catalog import Catalog
from tests.catalog.synthetic import spec


@pytest.fixture(params=["local", "memory"])
def place(request, tmp_path) -> str:
    """An empty place for a catalog."""
    return str(tmp_path / "results") if request.param == "local" else f"memory://{uuid.uuid4()}/results"


@pytest.fixture
def opened(place) -> Callable[..., Catalog]:
    """Make the catalog with an open run, or open it again."""

    def make(name: str = "stim_C2") -> Catalog:
        catalog = Catalog(place)
        if name not in catalog.runs():
            catalog.open_run(spec(name))
        return catalog

    return make
