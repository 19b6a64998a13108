"""One Ray for the module's tests, and a process to run a driver in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isfray.cluster import session


@pytest.fixture(scope="session")
def two_cpus() -> Iterator[None]:
    """Ray on this machine with two CPUs, for all tests that need it."""
    session.join(2)
    yield
    session.leave()
