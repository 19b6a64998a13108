"""Models, runs and results show themselves: one line, a few lines on a terminal, a small table in a notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from isfray.catalog import Catalog, RunSpec
from isfray.catalog.display import SHOWN
from isfray.engine import TrialResult
from isfray.examples import example
from isfray.model.thumbnail import trace
from isfray.runs.dispatch.ledger import Failure
from isfray.runs.handle import RunHandle, SweepHandle
from isfray.runs.progress import Progress
from tests.analysis.recorded import trial_tables
from tests.catalog.synthetic import batch, spec


@pytest.fixture(scope="module")
def models():
    return example()


class Balanced(HTMLParser):
    """Fails on a tag that is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def shows(thing: object) -> tuple[str, str, str]:
    """What it shows, checked for what holds of all: one line, plain lines, a page's part that needs nothing else."""
    line, text, html = repr(thing), str(thing), thing._repr_html_()  # type: ignore[attr-defined]
    assert "\n" not in line
    assert len(line) < 160
    assert max(map(len, text.splitlines())) < 160
    assert len(text.splitlines()) > 1
    Balanced(html)
    assert not re.search(r"<script|src=|href=|url\(", html)
    return line, text, html


def test_a_cell_tells_its_size_and_draws_itself(models):
    cell, _ = models
    line, text, html = shows(cell)
    assert f"{len(cell.morphology)} sections, {cell.geometry.n_segments} segments" in line
    assert "51 ApicalDendrite" in text
    assert "dt 0.025 ms, 34 degC" in text
    dendrites = sum(label not in ("AIS", "Myelin") for label in cell.morphology.labels)
    assert html.count("<polyline") == dendrites
    assert len(html) < 100_000


def test_a_network_tells_its_populations_cells_and_synapses(models):
    _, network = models
    line, text, _ = shows(network)
    assert f"198 populations, {network.cell_offsets[-1]:,} cells, {len(network.synapses):,} synapses" in line
    counts = re.search(r"([\d,]+) excitatory, ([\d,]+) inhibitory", text)
    assert counts is not None
    assert sum(int(n.replace(",", "")) for n in counts.groups()) == len(network.synapses)


def test_a_trial_tells_its_spikes_and_draws_its_voltage():
    time = np.arange(0.0, 100.0, 0.025)
    voltage = {"soma": -70.0 + 90.0 * (np.abs(time - 50.0) < 0.5)}
    result = TrialResult(time, voltage, trial_tables(3, soma=[49.5], synapses=[("VPM_C2", 0, 50.0, [1.0, 2.0])]))
    line, text, html = shows(result)
    assert line == "<TrialResult trial 3: 100 ms, 1 spike at the soma, 2 releases>"
    assert "49.5 ms" in text
    assert "2 at 1 synapse\n" in text
    assert "-70 to 20 mV, 0 to 100 ms" in html


def test_the_thumbnail_of_a_trace_keeps_every_extreme():
    values = np.zeros(12_000)
    values[[17, 7_123]] = 30.0, -80.0
    drawn = trace(np.arange(12_000) * 0.025, values, "mV")
    ((points, _),) = drawn.lines
    assert np.ptp(points[:, 1]) == pytest.approx(126.0)
    assert len(points) < 500


def run_at(done: int, failures: int = 0, run: str = "touch", total: int = 100) -> RunHandle:
    progress = Progress(run, total, done, 20, 2, 3, 1, failures, 2, 1_500_000, 30.0)
    handle = RunHandle(run, Catalog("memory://display"), progress)
    if done + failures == total:
        handle._tell_over([Failure(k, 3, "boom", "") for k in range(failures)], None)
    return handle


def test_a_run_tells_how_far_it_is_and_what_failed():
    line, text, _ = shows(run_at(50))
    assert line == "<RunHandle touch: 50 of 100 trials committed>"
    assert "33 trials in 0:30, 1.10 a second" in text
    assert "47 trials, about 0:43 more" in text
    _, text, _ = shows(run_at(98, failures=2))
    assert "over" in text
    assert "trials 0, 1" in text


def test_a_sweep_tells_of_every_variant():
    runs = {name: run_at(done, run=f"touch.{name}") for name, done in (("control", 100), ("no_VPM", 40))}
    _, text, html = shows(SweepHandle("touch", Catalog("memory://display"), runs))
    assert "140 of 200 trials" in text
    assert re.search(r"no_VPM +touch.no_VPM +40 of 100 +0 +in progress", text)
    assert html.count("<tr") > 4


def test_a_catalog_lists_its_latest_runs(tmp_path):
    catalog = Catalog(tmp_path / "results")
    assert repr(catalog) == f"Catalog({catalog.uri!r})"
    assert str(catalog).endswith(": 0 runs")
    catalog.open_run(spec())
    catalog.commit("stim_C2", batch([0, 1]))
    _, text, _ = shows_catalog(catalog)
    assert re.search(r"stim_C2 +2", text)
    for k in range(SHOWN):
        catalog.open_run(RunSpec(f"run{k}", 1, {"t_stop": 300.0}, spec().inputs, trials=5))
    _, text, _ = shows_catalog(catalog)
    assert re.search(r"run3 +0 of 5 +300 ms +1 ", text)
    assert "not shown  1 run" in text


def shows_catalog(catalog: Catalog) -> tuple[str, str, str]:
    """Like `shows`; a catalog's place may be long."""
    Balanced(catalog._repr_html_())
    return repr(catalog), str(catalog), catalog._repr_html_()
