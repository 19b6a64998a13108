"""Names from files and catalogs are text on a page, whatever they hold: nothing of them runs, or becomes an element."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.image import imsave

import isfray
from isfray.analysis import run_tables
from isfray.catalog import Catalog, RunSpec
from isfray.examples import write_example
from isfray.figures import plot_activations, plot_raster, write_report
from isfray.films.player import player
from isfray.look.interactive import framed
from isfray.look.page import film as page_film
from isfray.look.page import page
from isfray.look.style import place
from isfray.tables import SCHEMAS, join_trials
from tests.catalog.synthetic import commit_unseen
from tests.catalog.synthetic import trial as synthetic_trial
from tests.runs.waiting import until

EVIL = """</script></title><script>top.ran=1</script><img/src=x/onerror=top.ran=1>"'onload=top.ran=1/$x^{"""
"""Ends elements and attributes, begins others, and is no formula."""
ENDS = ("</script>", "</title>", "</style>", "-->", "]]>", '"', "'", "<svg/onload=top.ran=1>", "&quot;", "&#60;b&#62;")


class Elements(HTMLParser):
    """What a page is made of: tags with the names of their attributes, and the pages in it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[str, ...]] = Counter()
        self.inner: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found[tag, *(name for name, _ in attrs)] += 1
        self.inner += [value for name, value in attrs if name == "srcdoc"]


def elements(html: str) -> Counter[tuple[str, ...]]:
    """Of a page and of those in its frames."""
    parsed = Elements()
    parsed.feed(html)
    parsed.close()
    for inner in parsed.inner:
        parsed.found += elements(inner)
    return parsed.found


def picture() -> bytes:
    data = BytesIO()
    imsave(data, np.full((80, 100, 3), 90, np.uint8), format="png")
    return data.getvalue()


def film(folder: Path, name: str, title: str) -> Path:
    """A player that says of itself what its author likes, as one who writes the file by hand can."""
    path = folder / f"{name}.html"
    path.write_text(player([picture()] * 3, [0.0, 0.2, 0.4], title=title, fps=5.0))
    return path


def report(folder: Path, evil: str) -> Path:
    """The report of a run that is called by such names wherever a name may be."""
    word = evil or "plain"
    _, network_file = write_example(folder / "model")
    for path in (network_file, *(folder / "model").glob("*.syn"), *(folder / "model").glob("*.con")):
        text = path.read_text()
        path.write_text(text.replace("L4ss_C2", f"{escape_json(word) if path == network_file else word}_C2"))
    network = isfray.load_network(network_file)
    cell = isfray.example()[0].inputs
    cell = replace(cell, main=replace(cell.main, name=f"{slashless(word)}.param"))
    catalog = Catalog(folder / slashless(word) / "c")
    provenance = {"host": word, "git_commit": word, "versions": {word: word, "isfray": word}}
    settings = {"t_stop": 300.0, "dt": 0.025, "engine": word, "record": [word]}
    inputs = {"cell": cell, "network": network.inputs}
    catalog.open_run(RunSpec("run", 7, settings, inputs, trials=2, provenance=provenance))
    names = [population.name for population in network.populations]
    assert f"{word}_C2" in names
    made = join_trials(renamed(synthetic_trial(n, samples=12001), word, names) for n in (0, 1))
    commit_unseen(catalog, "run", (0, 1), made)
    films = [film(folder, f"{slashless(word)[:60]}", word), folder / f"{slashless(word)[:60]}.gif"]
    imsave(films[1], np.full((80, 100, 3), 90, np.uint8), format="gif")
    return write_report(catalog, "run", folder / "report.html", films=films)


def slashless(word: str) -> str:
    return word.replace("/", "")[:100]


def escape_json(word: str) -> str:
    return word.replace('"', '\\"')


def renamed(tables: dict[str, pa.Table], word: str, names: list[str]) -> dict[str, pa.Table]:
    """The same trial of other populations, with a site of that name."""
    out = dict(tables)
    for table, column in (("spike_times", "site"), ("voltage_traces", "site")):
        values = [word if value == "apical" else value for value in tables[table].column(column).to_pylist()]
        out[table] = with_column(out[table], table, column, values)
    for table in ("synapse_activation", "cell_activation"):
        types = [names[i % len(names)] for i in range(len(tables[table]) - 5)] + [f"{word}_C2"] * 5
        columns = {"synapse_type": types, "celltype": [t.rpartition("_")[0] for t in types]}
        for column, values in columns.items():
            out[table] = with_column(out[table], table, column, values)
    return out


def with_column(rows: pa.Table, table: str, column: str, values: list[str]) -> pa.Table:
    schema = SCHEMAS[table]
    field = schema.field(column)
    return rows.set_column(schema.get_field_index(column), field, pa.array(values).cast(field.type))


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> tuple[Path, Path]:
    """The same report with plain names and with hostile ones."""
    return report(tmp_path_factory.mktemp("plain"), ""), report(tmp_path_factory.mktemp("evil"), EVIL)


def test_a_report_has_the_same_elements_and_attributes_whatever_things_are_called(reports):
    plain, evil = (path.read_text() for path in reports)
    assert escape(EVIL) in evil
    assert elements(evil) == elements(plain)
    assert elements(plain)["iframe", "sandbox", "title", "style", "srcdoc"] == 1


def test_no_script_of_a_name_runs_in_a_browser(reports, browser):
    browser.open(reports[1])
    assert browser.js("return [window.ran, document.scripts.length]") == [None, 0]
    browser.driver.switch_to.frame(0)
    browser.driver.find_element("css selector", "button[aria-label='Step forward']").click()
    assert browser.driver.find_element("tag name", "output").text == "0.2 ms"  # its own player does
    browser.driver.switch_to.default_content()
    assert browser.complaints() == []


@pytest.mark.parametrize("title", ['" onload="top.ran=1', '"><script>top.ran=1</script>', "&quot; onload=&quot;x"])
def test_the_title_of_a_foreign_page_stays_in_its_attribute(tmp_path, title):
    text = film(tmp_path, "film", "TITLE").read_text().replace("<title>TITLE</title>", f"<title>{title}</title>")
    frame = Counter({("iframe", "sandbox", "title", "style", "srcdoc"): 1})
    assert elements(framed(text)) == frame + elements(text)


def test_a_foreign_page_in_a_report_reaches_neither_it_nor_anything_else(tmp_path, browser):
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}"
    foreign = film(tmp_path, "film", "mine").read_text()
    calls = f"<script>top.ran=1;fetch('{there}/a');new Image().src='{there}/b'</script><img src='{there}/c'>"
    policy = foreign[foreign.index("<meta http-equiv") : foreign.index('<meta name="viewport"')]
    (tmp_path / "film.html").write_text(foreign.replace(policy, "").replace("</body>", f"{calls}</body>"))
    html, scripts = page_film(tmp_path / "film.html")
    (tmp_path / "report.html").write_text(page("report", [html], scripts))
    browser.open(tmp_path / "film.html")
    until(lambda: {"/a", "/b", "/c"} <= set(asked), "what it asks for when it is opened alone")
    asked.clear()
    browser.open(tmp_path / "report.html")
    browser.driver.switch_to.frame(0)
    browser.driver.find_element("css selector", "button[aria-label='Step forward']").click()  # it plays
    time.sleep(0.5)
    browser.driver.switch_to.default_content()
    assert browser.js("return window.ran") is None
    server.shutdown()
    assert not asked


def test_figures_take_names_as_they_are(reports, tmp_path):
    (path,) = (reports[1].parent).rglob("catalog.json")
    tables = run_tables(Catalog(path.parent), "run")
    plot_raster(tables, of="cells", path=tmp_path / "raster.svg")
    plot_activations(tables, celltype=EVIL, path=tmp_path / "activations.svg")
    for figure in tmp_path.glob("*.svg"):
        assert "<script" not in figure.read_text()
    assert place(f"x_somaDist_{EVIL}") == f"x_somaDist_{EVIL}"


@pytest.mark.parametrize("end", [EVIL, *ENDS])
def test_pages_that_move_keep_names_in_their_data(tmp_path, end):
    assert elements(film(tmp_path, "film", end).read_text()) == elements(film(tmp_path, "film", "x").read_text())
