"""Places for a catalog."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from isfray.catalog import Catalog
from tests.catalog.s3_server import BUCKET, S3Server, require_server
from tests.catalog.synthetic import spec


@pytest.fixture(scope="session")
def weed() -> None:
    """Skip, saying so, where the S3 server is not installed."""
    require_server()


@pytest.fixture(scope="session")
def s3_server(weed, tmp_path_factory) -> Iterator[S3Server]:
    """A real S3 server for the whole session."""
    server = S3Server(tmp_path_factory.mktemp("weed")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bucket(s3_server) -> Iterator[str]:
    """Its bucket, reached through the usual AWS variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        yield f"s3://{BUCKET}"


@pytest.fixture(params=["local", "memory", "s3"])
def place(request, tmp_path) -> str:
    """An empty place for a catalog."""
    if request.param == "local":
        return str(tmp_path / "results")
    root = "memory:/" if request.param == "memory" else request.getfixturevalue("bucket")
    return f"{root}/{uuid.uuid4()}/results"


@pytest.fixture
def opened(place) -> Callable[..., Catalog]:
    """Make the catalog with an open run, or open it again."""

    def make(name: str = "stim_C2") -> Catalog:
        catalog = Catalog(place)
        if name not in catalog.runs():
            catalog.open_run(spec(name))
        return catalog

    return make
