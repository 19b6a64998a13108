"""Tests of the reference data say that it is absent, or fail if that is asked of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("asked", "there", "outcome"),
    [
        ("required", False, "1 error"),
        ("required", True, "1 passed"),
        ("", False, "1 skipped"),
        ("elsewhere", False, "1 skipped"),
    ],
)
def test_they_skip_without_it_unless_it_is_required(tmp_path: Path, asked: str, there: bool, outcome: str):
    """In a checkout of its own, which has the fixture and one test that asks for the folder."""
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    (tests / "test_it.py").write_text("def test_it(reference):\n    assert reference.name == 'reference'\n")
    default = tmp_path / "shared" / "reference"
    if there:
        (default / "golden").mkdir(parents=True)
    named = str(tmp_path / asked) if asked == "elsewhere" else asked
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tests)],
        env={**os.environ, "ISFRAY_REFERENCE": named, "PYTEST_ADDOPTS": ""},
        cwd=tests.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout.splitlines()[-1], done.stdout
    assert done.returncode == (outcome == "1 error")
    if not there:
        assert f"no reference data at {named if asked == 'elsewhere' else default}" in done.stdout
