"""The report: what it says, and that it needs nothing but itself."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from matplotlib.image import imsave

from isfray.analysis import response
from isfray.catalog import Catalog
from isfray.cli import main
from isfray.errors import InputError
from isfray.figures import write_report
from isfray.films.player import player
from tests.catalog.synthetic import spec

PICTURE = np.full((80, 100, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def html(golden, tmp_path_factory):
    catalog, folder = golden, tmp_path_factory.mktemp("report")
    films = [folder / "cell.gif", folder / "vm.html"]
    imsave(films[0], PICTURE, format="gif")
    data = BytesIO()
    imsave(data, PICTURE, format="png")
    films[1].write_text(player([data.getvalue()] * 3, [0.0, 0.2, 0.4], title="vm", fps=5.0))
    out = folder / "report.html"
    told = [word for f in films for word in ("--film", str(f))]
    assert main(["report", catalog.uri, "replays", "--out", str(out), *told]) == 0
    text = out.read_text()
    return catalog, text, out


class Links(HTMLParser):
    """Everything a page refers to, and whether its tags are balanced."""

    def __init__(self):
        super().__init__()
        self.links, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "link", "img", "source", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_fetches_nothing_and_is_well_formed(html):
    page = Links()
    page.feed(html[1])
    assert not page.open
    assert len(page.links) > 15
    assert all(link.startswith("data:") for link in page.links)
    assert "<script" not in html[1]
    assert "url(" not in html[1]


def test_every_figure_is_there_for_light_and_dark(html):
    images = re.findall(r'(srcset|img src)="data:image/png;base64,([^"]+)"', html[1])
    assert len(images) == 2 * 9
    assert all(base64.b64decode(data).startswith(b"\x89PNG") for _, data in images)
    assert html[1].count("prefers-color-scheme: dark") == 9 + 2  # the page and the player in it
    assert "data:image/gif;base64,R0lGOD" in html[1]


def test_what_was_run_is_told(html):
    catalog, text, _ = html
    about = catalog.info("replays")
    for fact in ("86_C2_center.hoc", "network.param", "2 trials of 300 ms, seed 7", "<td>neuron</td>"):
        assert fact in text
    assert about.inputs["cell"]["main"]["sha256"][:16] in text


def test_its_numbers_are_those_of_the_analysis(html):
    catalog, text, _ = html
    found = response(catalog, "replays", t_min=245.0, t_max=295.0)
    low, high = found.probability_interval
    assert f"100 % (95 %: {100 * low:.0f} to {100 * high:.0f} %)" in text
    assert f"{found.latency:.1f} ms (95 %" in text
    rows = catalog.scan("synapse_activation", run="replays").filter(pl.col("celltype") == "VPM").collect()
    (cells,) = re.findall(r"<tr><td>VPM</td>(.*?)</tr>", text)
    values = re.findall(r">([^<]+)</td>", cells)
    assert values[0] == "excitatory"
    assert values[2] == f"{len(rows) / 2:,.1f}"
    assert values[4] == f"{rows['soma_distance'].mean():,.1f}"


def test_an_empty_run_and_a_name_that_is_no_page_are_refused(html, tmp_path):
    catalog = Catalog(tmp_path / "results")
    catalog.open_run(spec())
    with pytest.raises(InputError, match="has no finished trial yet"):
        write_report(catalog, "stim_C2", tmp_path / "report.html")
    with pytest.raises(InputError, match=r"report\.pdf' is no page"):
        write_report(html[0], "replays", tmp_path / "report.pdf")
    with pytest.raises(InputError, match=r"notes\.txt' is no film"):
        write_report(html[0], "replays", tmp_path / "report.html", films=["notes.txt"])
    (tmp_path / "other.html").write_text("<!doctype html><title>other</title><script>alert(1)</script>")
    with pytest.raises(InputError, match=r"other\.html' is no page with a player"):
        write_report(html[0], "replays", tmp_path / "report.html", films=[tmp_path / "other.html"])


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_a_browser_shows_it_at_any_width_without_complaint(html, browser, width, dark):
    browser.open(html[2], width, 900, dark)
    whole = browser.js("return [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert whole
    fits = "return document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('figure')]"
    assert browser.js(fits + ".every((f) => f.getBoundingClientRect().right <= innerWidth)")
    assert browser.js("return document.images[0].currentSrc !== document.images[0].src") is dark
    browser.driver.switch_to.frame(0)
    browser.driver.find_element("css selector", "button[aria-label='Step forward']").click()
    assert browser.driver.find_element("tag name", "output").text == "0.2 ms"
    browser.driver.switch_to.default_content()
    assert browser.complaints() == []
