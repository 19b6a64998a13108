"""Processes to run drivers in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.catalog.s3_server import require_server
from tests.runs.waiting import ROOT


@pytest.fixture(scope="session")
def weed() -> None:
    """Skip, saying so, where the S3 server is not installed."""
    require_server()


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python in a process group of its own, with no Ray settings but those given; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
