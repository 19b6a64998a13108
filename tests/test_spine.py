"""The main job, whole: the reference cell and network in, a queryable catalog out, on Ray."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import isfray
from isfray.cli import main

ROOT = Path(__file__).resolve().parent.parent
TABLES = ["trials", "synapse_activation", "cell_activation", "spike_times", "voltage_traces"]
MEASURED = ["host", "wall_s", "finished_at"]


def command(reference: Path, catalog: Path, run: str, **options: object) -> list[str]:
    model = reference / "model"
    files = ["--cell", str(model / "86_C2_center.param"), "--network", str(model / "network.param")]
    rest = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    return [sys.executable, "-m", "isfray", "run", *files, "--catalog", str(catalog), "--run", run, *rest]


def rows(catalog: isfray.Catalog, table: str, run: str) -> pl.DataFrame:
    frame = catalog.scan(table, run=run).drop("run", *(MEASURED if table == "trials" else [])).collect()
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String)).sort("trial", maintain_order=True)


@pytest.fixture(scope="module")
def results(reference, tmp_path_factory) -> isfray.Catalog:
    """The issue's own command: eight trials of 300 ms."""
    folder = tmp_path_factory.mktemp("spine") / "results"
    done = subprocess.run(
        command(reference, folder, "stim_C2", trials=8, seed=7, t_stop=300),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "8 of 8 trials" in done.stdout
    for word in ("Warning", "WARNING", "Traceback", "INFO"):
        assert word not in done.stderr
    assert "8/8 trials" in done.stderr
    return isfray.Catalog(folder)


def test_a_run_ends_with_every_table(results):
    assert results.runs() == ["stim_C2"]
    assert results.tables() == TABLES
    trials = rows(results, "trials", "stim_C2")
    assert trials["trial"].to_list() == list(range(8))
    assert trials["seed"].to_list() == [isfray.trial_seed(7, k) for k in range(8)]
    assert results.verify("stim_C2").ok


def test_counts_in_trials_are_those_of_the_tables(results):
    trials = results.scan("trials").select("trial", "n_active_synapses", "n_releases", "n_spikes")
    activation = results.scan("synapse_activation").group_by("trial")
    synapses = activation.agg(pl.len().alias("synapses"), pl.col("times").list.len().sum().alias("releases"))
    at_soma = (
        results.scan("spike_times").filter(pl.col("site") == "soma").group_by("trial").agg(pl.len().alias("spikes"))
    )
    both = trials.join(synapses, on="trial").join(at_soma, on="trial", how="left").collect()
    assert len(both) == 8
    assert (both["n_active_synapses"] == both["synapses"]).all()
    assert (both["n_releases"] == both["releases"]).all()
    assert (both["n_spikes"] == both["spikes"].fill_null(0)).all()


def test_the_mean_soma_distance_of_a_cell_type_is_one_expression(results, reference):
    found = results.scan("synapse_activation").group_by("celltype").agg(pl.col("soma_distance").mean()).collect()
    distance = dict(found.with_columns(pl.col("celltype").cast(pl.String)).iter_rows())
    assert len(distance) == 22
    stored = []
    for k in (1, 2):
        lines = (reference / "golden" / f"replay{k}_synapses.csv").read_text().splitlines()[1:]
        stored += [float(line.split("\t")[2]) for line in lines if line.startswith("VPM_")]
    # Other trials of the same embedding: the mean over some hundred active VPM synapses.
    assert distance["VPM"] == pytest.approx(sum(stored) / len(stored), rel=0.1)
    assert distance["L1"] > distance["VPM"]


def test_the_models_come_back_from_the_catalog(results, reference):
    cell, network = results.load_models("stim_C2")
    assert cell.sites == isfray.load_cell(reference / "model" / "86_C2_center.param").sites
    assert network == isfray.load_network(reference / "model" / "network.param")


def test_the_run_goes_to_isf_s_raw_layout_and_back_with_equal_tables(results, tmp_path):
    assert main(["export", results.uri, "stim_C2", str(tmp_path / "raw"), "--to", "isf"]) == 0
    assert main(["import", str(tmp_path / "raw"), "--catalog", str(tmp_path / "back"), "--run", "stim_C2"]) == 0
    back = isfray.Catalog(tmp_path / "back")
    for table in TABLES:
        not_of_isf = ["seed", "engine"] if table == "trials" else []
        mine, theirs = (rows(catalog, table, "stim_C2").drop(not_of_isf) for catalog in (results, back))
        assert_frame_equal(mine, theirs)
    assert back.verify("stim_C2").ok


def test_asking_again_simulates_nothing_and_more_trials_extend_the_run(reference, results):
    before = results.scan("trials", run="stim_C2").collect()
    again = subprocess.run(
        command(reference, results.uri, "stim_C2", trials=8, seed=7, t_stop=300),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert "8 of 8 trials" in again.stdout
    assert results.scan("trials", run="stim_C2").collect().equals(before)


def test_other_settings_under_the_same_name_are_refused(reference, results):
    done = subprocess.run(
        command(reference, results.uri, "stim_C2", trials=8, seed=8, t_stop=300),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "stim_C2" in line
    assert "seed 7" in line


def test_the_number_of_workers_and_ray_itself_change_no_value(reference, tmp_path):
    for workers in (1, 2):
        done = subprocess.run(
            command(reference, tmp_path / "results", f"w{workers}", trials=3, seed=7, t_stop=40, workers=workers),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    catalog = isfray.Catalog(tmp_path / "results")
    for table in TABLES:
        assert rows(catalog, table, "w1").equals(rows(catalog, table, "w2")), table

    alone = subprocess.run(
        [sys.executable, "-c", ALONE, str(reference / "model"), str(tmp_path / "alone")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert alone.returncode == 0, alone.stderr
    for table in TABLES:
        mine = pl.read_parquet(tmp_path / "alone" / f"{table}.parquet").with_columns(
            pl.col(pl.Categorical).cast(pl.String)
        )
        mine = mine.drop(MEASURED if table == "trials" else [])
        assert mine.equals(rows(catalog, table, "w2").filter(pl.col("trial") == 2)), table


ALONE = """
import sys
from pathlib import Path
import isfray, pyarrow.parquet
model, out = map(Path, sys.argv[1:])
cell, network = isfray.load_cell(model / "86_C2_center.param"), isfray.load_network(model / "network.param")
simulator = isfray.Simulator(cell, network)
result = simulator.run(seed=isfray.trial_seed(7, 2), t_stop=40.0, trial=2)
out.mkdir()
for name, table in result.tables.items():
    pyarrow.parquet.write_table(table, out / f"{name}.parquet")
"""


def test_a_killed_worker_loses_no_trial_and_doubles_none(reference, tmp_path):
    catalog = tmp_path / "results"
    process = subprocess.Popen(
        command(reference, catalog, "killed", trials=6, seed=7, t_stop=40, workers=2),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    victim = _simulating_child(process)
    os.kill(victim, signal.SIGKILL)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    found = isfray.Catalog(catalog)
    assert rows(found, "trials", "killed")["trial"].to_list() == list(range(6))
    assert found.verify("killed").ok
    info = found.info("killed")
    assert info.trials_committed == 6


def _simulating_child(process: subprocess.Popen[str]) -> int:
    """Process id of an actor that simulates a trial of the run."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for entry in Path("/proc").iterdir():
            try:
                title = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
            except OSError:
                continue
            if "SimulationActor.run" in title and _descends(int(entry.name), process.pid):
                return int(entry.name)
        time.sleep(0.01)
    raise AssertionError("no simulation actor was seen")


def _descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False
