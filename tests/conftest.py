"""Fixtures every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of the reference cell, network and golden numbers; skips where it is absent."""
    folder = Path(os.environ.get("ISFRAY_REFERENCE", ROOT.parent / "shared" / "reference")).resolve()
    if not (folder / "golden").is_dir():
        pytest.skip(f"no reference data at {folder} (set ISFRAY_REFERENCE)")
    return folder
