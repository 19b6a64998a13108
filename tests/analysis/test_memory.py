"""Memory: questions to a long run take as much as to a short one; what cannot is told before, and comes in parts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isfray.analysis import isf_wide_batches, neo_batches, run_tables, to_isf_wide, to_neo
from isfray.analysis.interchange import WIDE_TABLES
from isfray.catalog import Catalog, RunSpec
from isfray.catalog.isf_export import export_isf
from isfray.errors import InputError
from isfray.model.inputs import InputFile, ModelInputs
from isfray.tables import join_trials
from tests.catalog import synthetic
from tests.catalog.synthetic import batch, spec

ROWS = 4000
SHORT, LONG = 50, 800
MORE_MB = 120.0
"""What a run of sixteen times the trials may take more: pieces of a stream differ in size; its rows are 400 MB."""
ASK = """
import sys
from pathlib import Path
import polars as pl
from isfray import analysis
from isfray.analysis import run_tables
from isfray.catalog import Catalog
from isfray.figures import plot_activations
tables = run_tables(Catalog(sys.argv[1]), sys.argv[2])
names = tables.scan("synapse_activation", 0).select(pl.col("synapse_type").cast(pl.String).unique()).collect()
network = {name: "inhibitory" if name.startswith("L1") else "excitatory" for name in names.to_series()}
asked = {
    "activations": lambda: plot_activations(tables, sign="excitatory", network=network, stimulus=None),
    "in time": lambda: analysis.activation_psth(tables, by=["sign"], network=network).collect(engine="streaming"),
    "mean": lambda: analysis.mean_activation(tables, by=["celltype", "sign"], network=network)
    .collect(engine="streaming"),
    "distance": lambda: analysis.soma_distance(tables, by=["sign"], network=network).collect(engine="streaming"),
    "wide": lambda: [len(part) for part in analysis.isf_wide_batches(tables, trials_at_once=10)],
}
for question, ask in asked.items():
    ask()
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(question, int(peak.split()[1]) / 1024, sep=":")
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Catalog:
    """A short and a long run of realistic size, without voltage; trials repeat themselves."""
    catalog = Catalog(tmp_path_factory.mktemp("long") / "c")
    cell = ModelInputs(InputFile("cell.param", b"{}"), {})
    some = [synthetic.trial(n, synapses=ROWS, cells=5, samples=5) for n in range(SHORT)]
    for run, trials in (("short", SHORT), ("long", LONG)):
        catalog.open_run(RunSpec(run, 7, {"t_stop": 300.0, "dt": 0.025}, {"cell": cell}, trials=trials))
        for first in range(0, trials, SHORT):
            catalog.commit(run, join_trials(renumbered(tables, first + n) for n, tables in enumerate(some)))
    catalog.compact("long")
    return catalog


def renumbered(tables, trial):
    column = lambda table: np.full(len(table), trial, np.int32)  # noqa: E731
    return {
        name: table.set_column(0, table.schema.field(0), [column(table)])
        for name, table in tables.items()
        if name != "voltage_traces"
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_the_memory_of_questions_does_not_grow_with_the_run(runs):
    def peaks(run: str) -> dict[str, float]:
        command = [sys.executable, "-c", ASK, runs.uri, run]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return {question: float(mb) for question, mb in (line.split(":") for line in told.splitlines())}

    short, long = peaks("short"), peaks("long")
    assert {question: mb for question, mb in long.items() if mb > max(short.values()) + MORE_MB} == {}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Catalog:
    catalog = Catalog(tmp_path_factory.mktemp("small") / "c")
    session = catalog.open_run(spec(trials=7))
    catalog.commit("stim_C2", batch(range(7)))
    catalog.close_run("stim_C2", session)
    return catalog


@pytest.mark.parametrize("table", WIDE_TABLES)
def test_batches_of_a_wide_table_are_the_table(small, table):
    whole = to_isf_wide(small, "stim_C2", table)
    parts = list(isf_wide_batches(small, "stim_C2", table, trials_at_once=3))
    assert [part.index.nunique() for part in parts] == [3, 3, 1]
    pd.testing.assert_frame_equal(pd.concat(parts), whole, check_dtype=False, check_index_type=False)


def test_batches_for_neo_are_its_segments(small):
    whole = to_neo(small, "stim_C2", voltage=True)
    parts = [segment for b in neo_batches(small, "stim_C2", voltage=True, trials_at_once=3) for segment in b.segments]
    assert [segment.index for segment in parts] == [segment.index for segment in whole.segments]
    for one, other in zip(parts, whole.segments, strict=True):
        assert np.array_equal(one.analogsignals[0].magnitude, other.analogsignals[0].magnitude)
        assert np.array_equal(one.spiketrains[0].magnitude, other.spiketrains[0].magnitude)


@pytest.mark.parametrize("table", ["synapse_activation", "cell_activation", "voltage_traces"])
def test_what_is_too_much_is_refused_with_its_size_and_the_way_out(small, table, monkeypatch):
    whole = to_isf_wide(small, "stim_C2", table)
    taken = float(whole.memory_usage(index=True, deep=False).sum())
    with pytest.raises(InputError, match=rf"{table} of 7 trials would take about .* isf_wide_batches") as told:
        to_isf_wide(small, "stim_C2", table, at_most=taken / 2)
    assert len(str(told.value)) < 200
    assert len(to_isf_wide(small, "stim_C2", table, at_most=1.3 * taken)) == len(whole)
    monkeypatch.setattr("isfray.analysis.interchange._TOLD", taken / 2)
    with pytest.warns(UserWarning, match=rf"{table} of 7 trials will take about .* isf_wide_batches"):
        to_isf_wide(small, "stim_C2", table)


def test_a_run_larger_than_half_of_the_memory_is_refused_before_it_is_read(small, monkeypatch):
    monkeypatch.setattr("isfray.analysis.interchange._memory", lambda: 100.0)
    with pytest.raises(InputError, match="voltage_traces of 7 trials would take about"):
        to_neo(small, "stim_C2", voltage=True)
    assert len(to_neo(small, "stim_C2").segments) == 7
    with pytest.raises(InputError, match="synapse_activation of 7 trials would take"):
        to_isf_wide(small, "stim_C2")


@pytest.mark.parametrize("value", [0, -1, 2.5, "3"])
def test_a_batch_has_at_least_a_trial(small, value):
    for reader in (isf_wide_batches, neo_batches):
        with pytest.raises(InputError, match="trials_at_once"):
            next(iter(reader(small, "stim_C2", trials_at_once=value)))


def test_numbers_of_an_export_are_written_as_python_writes_them(tmp_path):
    catalog = Catalog(tmp_path / "c")
    catalog.open_run(spec())
    tables = dict(batch([0], synapses=8, cells=3, samples=5))
    odd = [0.0, -0.0, 1e-05, 9.9e-05, 0.0001, 123456789.125, 1e16, 1e-300]
    rows = tables["synapse_activation"]
    at = rows.schema.get_field_index("soma_distance")
    tables["synapse_activation"] = rows.set_column(at, rows.schema.field(at), [odd])
    catalog.commit("stim_C2", tables)
    expected = catalog.scan("synapse_activation").select("soma_distance", "times").collect().rows()
    (folder,) = export_isf(catalog, "stim_C2", tmp_path / "out").folders
    lines = (folder / "simulation_run0000_synapses.csv").read_text().splitlines()[1:]
    found = [(line.split("\t")[2], line.split("\t")[6]) for line in lines]
    assert found == [(repr(d), "".join(f"{t!r}," for t in times)) for d, times in expected]
    assert all(re.fullmatch(r"[^\t]+(\t[^\t]*){6}", line) for line in lines)


def test_a_sign_must_be_given_for_every_population(small):
    from isfray.analysis import activation_psth

    with pytest.raises(InputError, match=r"network = .* has no sign of a population"):
        activation_psth(run_tables(small, "stim_C2"), by=["sign"], network={"VPM_A0": "excitatory"})
