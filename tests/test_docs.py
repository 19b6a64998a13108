"""What the documentation shows runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from isfray.catalog import Catalog
from tests.analysis.recorded import golden_catalog
from tests.catalog.synthetic import batch, spec
from tests.model import small_cell, small_measurements
from tests.model.test_swc import NEURITES, SOMA

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_code_of_networks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small_measurements.write(tmp_path)
    small_cell.write(tmp_path).rename(tmp_path / "cell.param")
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "cell.swc").write_text(SOMA + NEURITES)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "networks.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 6
    evoked = {p.column for p in names["both"].populations if len(p.activity) > 1}
    assert {"E1", "B3"} < evoked
    assert "VPM" not in {p.celltype for p in names["no_thalamus"].populations}
    assert (tmp_path / "my_cell" / "cell.swc").is_file()


def test_the_code_of_analysis_runs_on_the_published_trials(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    golden_catalog(reference, tmp_path / "results", run="stim_C2")
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "analysis.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 8
    shown = capsys.readouterr().out
    assert "2 of 2 trials: 100%" in shown
    assert "PROJECT 2/11 COLUMNS" in shown
    assert names["rate"]["spikes"].sum() == 3
    assert len(names["steep"]) == 4
    assert {path.name for path in tmp_path.glob("*.*")} == {
        *("psth.png", "inputs.pdf", "voltage.svg"),
        *("excitation.png", "dendrogram.png"),
    }


def test_the_code_of_the_catalog_reads_tables_without_isfray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    catalog = Catalog(tmp_path / "results")
    catalog.open_run(spec())
    for trial in range(4):
        catalog.commit("stim_C2", batch([trial]))
    catalog.compact("stim_C2")
    catalog.commit("stim_C2", batch([4]))
    monkeypatch.chdir(tmp_path)
    plain, _ = re.findall(r"```python\n(.*?)```", (DOCS / "catalog.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(plain, names)
    assert set(names["frame"].collect()["trial"]) == set(range(5))
