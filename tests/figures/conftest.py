"""The published replays of the reference cell in a catalog."""

from __future__ import annotations

import pytest

from tests.analysis.recorded import golden_catalog


@pytest.fixture(scope="session")
def golden(reference, tmp_path_factory):
    """Catalog with the run `replays`."""
    return golden_catalog(reference, tmp_path_factory.mktemp("golden") / "results")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium; skips where there is none."""
    from tests.films.browser import DRIVER, PROGRAM, browsing

    if not (PROGRAM and DRIVER):
        pytest.skip("no chromium with chromedriver here (scripts/setup-browser)")
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
