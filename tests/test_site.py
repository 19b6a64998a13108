"""The documentation builds without a warning, runs its tutorial, and is whole and self-contained."""

from __future__ import annotations

import html
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from tests.conftest import ROOT

SITE = ROOT / "build" / "docs"
GONE = {"genindex.html", "search.html", "py-modindex.html"}  # made by Sphinx; they hold no text of ours


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built anew by the script that builds it; this runs the tutorial."""
    environment = {**os.environ, "ISFRAY_DOCS_EXTRAS": "test"}
    done = subprocess.run(
        ["scripts/docs", "--fresh-env"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return SITE


class Page(HTMLParser):
    """Links, what the browser loads by itself, and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loads.append(given["href"])
        if tag in ("script", "img", "video", "source", "iframe") and given.get("src"):
            self.loads.append(given["src"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}


def test_every_page_is_there_and_in_the_search(site: Path, pages: dict[Path, Page]):
    sources = [p for p in (ROOT / "docs").rglob("*") if p.suffix in (".md", ".rst", ".ipynb")]
    built = {str(path.relative_to(site).with_suffix("")) for path in pages}
    expected = {str(p.relative_to(ROOT / "docs").with_suffix("")) for p in sources}
    assert expected <= built
    index = (site / "searchindex.js").read_text()
    assert all(f'"{name}"' in index for name in expected)


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path, pages: dict[Path, Page]):
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(html.unescape(link))
            if parts.scheme:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert there.exists(), f"{path.relative_to(site)}: {link}"
            if parts.fragment and there in pages:
                assert unquote(parts.fragment) in pages[there].anchors, f"{path.relative_to(site)}: {link}"


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]):
    for path, page in pages.items():
        for name in page.loads:
            parts = urlsplit(name)
            assert parts.scheme in ("", "data"), f"{path.relative_to(site)}: {name}"
            if not parts.scheme:
                assert (path.parent / unquote(parts.path)).exists(), f"{path.relative_to(site)}: {name}"
        assert not re.search(r"@import|url\(\s*['\"]?https?:", path.read_text())
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?https?:|@import\s+['\"]https?:", sheet.read_text()), sheet


def test_the_reference_leads_to_the_sections_it_cites(pages: dict[Path, Page]):
    reference = [path for path in pages if "api" in path.parts]
    assert all("docs/formats.md" not in path.read_text() for path in reference)
    assert any("formats.html#formats-weights" in path.read_text() for path in reference)


@pytest.fixture(scope="module")
def tutorial(site: Path) -> nbformat.NotebookNode:
    """The tutorial as it was run for the site."""
    (path,) = site.glob("_downloads/*/tutorial.ipynb")
    return nbformat.read(path, as_version=4)


def outputs(tutorial: nbformat.NotebookNode, code: str) -> list[nbformat.NotebookNode]:
    """Outputs of the only cell that contains some code."""
    (cell,) = (c for c in tutorial.cells if c.cell_type == "code" and code in c.source)
    return list(cell.outputs)


def text_of(output: nbformat.NotebookNode) -> str:
    return str(output.get("text") or output["data"]["text/plain"])


def test_the_tutorial_runs_on_a_clean_kernel_without_an_error_or_a_warning(tutorial):
    code = [cell for cell in tutorial.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.get("text")


def test_the_tutorial_shows_models_trials_runs_and_catalogs(tutorial):
    for code, expected in {
        "cell, network = isfray.example()\ncell": "CellModel",
        "simulator = isfray.Simulator": "TrialResult",
        'run="touch", trials=24, seed=7, t_stop=300.0)\nrun': "RunHandle",
    }.items():
        shown = outputs(tutorial, code)[-1]
        assert expected in shown["data"]["text/html"]
    progress, result = outputs(tutorial, "trials=24, seed=7, t_stop=300.0)\nrun")
    assert "24/24 trials (100%)" in progress["data"]["text/plain"]  # replaced, not repeated
    assert "24 of 24 trials committed" in result["data"]["text/plain"]


def test_every_figure_of_the_tutorial_is_a_picture_in_the_page(site: Path, tutorial):
    drawn = [c for c in tutorial.cells if c.cell_type == "code" and c.source.startswith("isfray.plot_")]
    assert len(drawn) > 7
    assert all("image/png" in cell.outputs[-1]["data"] for cell in drawn)
    page = Page(site / "tutorial.html")
    assert sum(name.startswith("_images/") for name in page.loads) == len(drawn)


def test_the_tutorial_s_cell_answers_the_touch_and_owes_it_to_the_thalamus(tutorial):
    said = text_of(outputs(tutorial, "compare_responses")[-1])
    found = re.search(r"(\d+)% with VPM, (\d+)% without", said)
    assert found is not None
    with_vpm, without = map(int, found.groups())
    assert with_vpm > 60 > 40 > without


def test_the_tutorial_s_replay_gives_the_same_voltage(tutorial):
    assert text_of(outputs(tutorial, "simulator.replay")[-1]) == "largest difference: 0 mV\n"
