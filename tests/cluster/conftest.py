"""One Ray for the module's tests, and a process to run a driver in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isfray.cluster import session
from tests.catalog.s3_server import require_server


@pytest.fixture(scope="session")
def two_cpus() -> Iterator[None]:
    """Ray on this machine with two CPUs, for all tests that need it."""
    session.join(2)
    yield
    session.leave()


@pytest.fixture(scope="session")
def weed() -> None:
    """Skip, saying so, where the S3 server is not installed."""
    require_server()
