"""The report: what it says, and that it needs nothing but itself."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import polars as pl
import pytest

from isfray.analysis import response
from isfray.catalog import Catalog
from isfray.cli import main
from isfray.model.errors import InputError
from isfray.visual import write_report
from tests.catalog.synthetic import spec


@pytest.fixture(scope="module")
def html(golden, tmp_path_factory):
    catalog, folder = golden, tmp_path_factory.mktemp("report")
    (folder / "cell.gif").write_bytes(b"GIF89a")
    out = folder / "report.html"
    assert main(["report", catalog.uri, "replays", "--out", str(out), "--film", str(folder / "cell.gif")]) == 0
    text = out.read_text()
    return catalog, text


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
    assert html[1].count("prefers-color-scheme: dark") == 9 + 1
    assert "data:image/gif;base64,R0lGODlh" in html[1]


def test_what_was_run_is_told(html):
    catalog, text = html
    about = catalog.info("replays")
    for fact in ("86_C2_center.hoc", "network.param", "2 trials of 300 ms, seed 7", "<td>neuron</td>"):
        assert fact in text
    assert about.inputs["cell"]["main"]["sha256"][:16] in text


def test_its_numbers_are_those_of_the_analysis(html):
    catalog, text = html
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
