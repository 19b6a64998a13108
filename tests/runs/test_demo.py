"""`isfray demo`, as a newcomer runs it: the example's trials on Ray, into a catalog, told as tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from isfray.catalog import Catalog
from isfray.examples import STIMULUS, example
from isfray.formats.isf import load_cell, load_network
from isfray.runs.demo import RUN, SETTLED, WINDOW

ROOT = Path(__file__).resolve().parents[2]
TRIALS = 16


def isfray(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
    return subprocess.run(
        [sys.executable, "-m", "isfray", *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def said(folder):
    done = isfray("demo", "--out", str(folder), "--trials", str(TRIALS))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def somatic(said, folder):
    spikes = Catalog(folder / "catalog").scan("spike_times", run=RUN).filter(pl.col("site") == "soma")
    return spikes.select("trial", "time").collect()


def responding(somatic: pl.DataFrame, begin: float) -> float:
    return somatic.filter(pl.col("time").is_between(begin, begin + WINDOW, closed="left"))["trial"].n_unique() / TRIALS


def test_ongoing_input_makes_the_cell_fire_at_a_low_rate(somatic):
    spikes = somatic.filter(pl.col("time").is_between(SETTLED, STIMULUS, closed="left"))
    assert 0.5 <= len(spikes) / TRIALS / (STIMULUS - SETTLED) * 1000 <= 10


def test_a_touch_makes_a_response_at_least_twice_as_likely_and_not_certain(somatic):
    after = responding(somatic, STIMULUS)
    assert 0.3 <= after <= 0.98
    assert after >= 2 * responding(somatic, STIMULUS - WINDOW)


def test_it_tells_what_is_in_the_catalog(said, somatic, folder):
    assert "synthetic: nothing in it was reconstructed or measured" in said
    activations = Catalog(folder / "catalog").scan("synapse_activation", run=RUN)
    assert f"synapse_activation: {activations.select(pl.len()).collect().item():,} rows" in said
    told = {line.split()[0]: line.split()[-1] for line in said.splitlines() if len(line.split()) == 4}
    distances = activations.group_by("celltype").agg(pl.col("soma_distance").mean()).collect()
    assert len(distances) == 22
    for celltype, distance in distances.iter_rows():
        assert told[celltype] == f"{distance:,.1f}"
    counts = next(line for line in said.splitlines() if line.startswith("Somatic spikes")).rpartition(": ")[2]
    assert sum(map(int, counts.split())) == somatic.filter(pl.col("time") >= SETTLED).height
    assert len(counts.split()) == TRIALS
    for begin in (STIMULUS - WINDOW, STIMULUS):
        assert f"{responding(somatic, begin):.0%}" in said


def test_the_files_it_leaves_are_the_models_it_ran(said, folder):
    cell, network = Catalog(folder / "catalog").load_models(RUN)
    assert load_network(folder / "model" / "network.param") == network
    read = load_cell(next((folder / "model").glob("*L5tt.param")))
    assert read.inputs.main.data == cell.inputs.main.data == example()[0].inputs.main.data


def test_a_second_time_it_takes_up_what_is_there(said, folder):
    again = isfray("demo", "--out", str(folder), "--trials", str(TRIALS))
    assert again.returncode == 0, again.stderr
    assert again.stdout == said


def test_the_example_command_writes_files_that_load(tmp_path):
    done = isfray("example", str(tmp_path / "files"))
    assert done.returncode == 0, done.stderr
    cell, network = (line.split(maxsplit=2)[2] for line in done.stdout.splitlines())
    assert load_cell(cell).inputs.main.text.count("ynthetic") >= 1
    assert len(load_network(network).populations) == 198


def test_no_trials_are_refused_in_one_line(tmp_path):
    done = isfray("demo", "--out", str(tmp_path), "--trials", "0")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "trials" in done.stderr
