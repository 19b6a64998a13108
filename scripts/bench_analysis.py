"""What it costs to ask a large run: seconds, memory and bytes read, each question in a process of its own.

The trials are made up, with as many releases, spikes and types as the reference network's, and no voltage.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

import isfray.analysis as analysis
from isfray import tables
from isfray.catalog import Catalog, RunSpec
from isfray.model.inputs import InputFile, ModelInputs

RUN = "large"
CELLTYPES = ("L2", "L34", "L4ss", "L5st", "L5tt", "L6cc", "VPM", "SymLocal1")
TYPES = [f"{celltype}_{arc}{row}" for celltype in CELLTYPES for arc in "BCD" for row in "123"]
QUESTIONS = {
    "PSTH": lambda catalog: analysis.psth(catalog, RUN),
    "mean soma distance by cell type": lambda catalog: analysis.soma_distance(catalog, RUN),
    "response probability and latency": lambda catalog: analysis.responses(catalog, RUN, t_min=245.0, t_max=295.0),
    "releases per trial by cell type": lambda catalog: analysis.mean_activation(catalog, RUN),
    "releases in time by cell type": lambda catalog: analysis.activation_psth(catalog, RUN),
    "one trial's active synapses": lambda catalog: catalog.scan("synapse_activation", RUN, 17),
}
"""What is asked, as lazy tables."""


def main() -> None:
    """Make the run, ask it, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000, metavar="N", help="trials of the made-up run (2000)")
    parser.add_argument("--rows", type=int, default=4000, metavar="N", help="active synapses of a trial (4000)")
    parser.add_argument("--keep", metavar="DIR", help="keep the catalog there, or use the one that is there")
    parser.add_argument("--ask", nargs=2, metavar=("DIR", "QUESTION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(ask(*options.ask)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        catalog = Catalog(folder)
        if not catalog.exists:
            began = time.perf_counter()
            make(catalog, options.trials, options.rows)
            print(f"made in {time.perf_counter() - began:.0f} s")
        about = catalog.info(RUN)
        size = ", ".join(f"{name} {about.rows[name]:,} rows {about.bytes[name] / 1e6:,.0f} MB" for name in about.rows)
        print(f"{about.trials_committed:,} trials: {size}\n")
        print(f"{'question':34} {'s':>6} {'CPU s':>6} {'peak MiB':>9} {'MB read':>8}")
        for question in QUESTIONS:
            command = [sys.executable, __file__, "--ask", folder, question]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"{question:34} {found['s']:6.2f} {found['cpu']:6.2f} {found['mib']:9,.0f} {found['mb']:8,.1f}")


def make(catalog: Catalog, trials: int, rows: int, at_once: int = 50) -> None:
    """Commit trials of realistic size; the spikes of each are its own, the releases those of one in fifty."""
    cell = ModelInputs(InputFile("cell.param", b"{}"), {})
    catalog.open_run(RunSpec(RUN, 7, {"t_stop": 300.0, "dt": 0.025, "engine": "none"}, {"cell": cell}, trials=trials))
    rng = np.random.default_rng(7)
    synapses = [synapse_rows(rng, rows) for _ in range(at_once)]
    for first in range(0, trials, at_once):
        numbers = range(first, min(first + at_once, trials))
        joined = tables.join_trials(small_tables(rng, n, rows) for n in numbers)
        parts = [renumbered(part, n) for part, n in zip(synapses, numbers, strict=False)]
        catalog.commit(RUN, {**joined, "synapse_activation": pa.concat_tables(parts)})
    catalog.compact(RUN)


def synapse_rows(rng: np.random.Generator, rows: int) -> pa.Table:
    """Active synapses of one trial."""
    releases = 1 + rng.poisson(0.2, rows)
    return tables.synapse_activation(
        0,
        synapse_type_index=rng.integers(0, len(TYPES), rows),
        type_names=TYPES,
        celltypes=[name.rpartition("_")[0] for name in TYPES],
        columns=[name.rpartition("_")[2] for name in TYPES],
        synapse_id=rng.integers(0, 900, rows),
        section_id=rng.integers(0, 170, rows),
        section_pt_id=rng.integers(0, 50, rows),
        soma_distance=rng.uniform(0, 1500, rows),
        label_index=rng.integers(0, 2, rows),
        labels=["Dendrite", "ApicalDendrite"],
        offsets=np.r_[0, np.cumsum(releases)],
        times=rng.uniform(0, 300, releases.sum()),
    )


def renumbered(table: pa.Table, trial: int) -> pa.Table:
    """The same rows as those of another trial."""
    return table.set_column(0, table.schema.field(0), pa.array(np.full(len(table), trial, np.int32)))


def small_tables(rng: np.random.Generator, trial: int, rows: int) -> dict[str, pa.Table]:
    """Row of `trials` and soma spikes of one trial."""
    spikes = np.sort(rng.uniform(0, 300, rng.poisson(2)))
    row = tables.trial_row(
        trial,
        seed=trial,
        t_stop=300.0,
        dt=0.025,
        n_active_synapses=rows,
        n_releases=rows,
        n_spikes=len(spikes),
        engine="none",
        host="none",
        wall_s=0.0,
        finished_at=datetime.fromtimestamp(0, UTC),
    )
    return {"trials": row, "spike_times": tables.spike_times(trial, sites=["soma"], thresholds=[0.0], times=[spikes])}


def ask(folder: str, question: str) -> dict[str, float]:
    """Cost of one question in this process: seconds with the catalog's listing, CPU seconds with the imports too."""
    before, began = bytes_read(), time.perf_counter()
    QUESTIONS[question](Catalog(folder)).collect(engine="streaming")
    seconds, after = time.perf_counter() - began, bytes_read()
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return {"s": seconds, "cpu": time.process_time(), "mib": int(peak.split()[1]) / 1024, "mb": (after - before) / 1e6}


def bytes_read() -> int:
    """Bytes this process has asked the system for (Linux)."""
    return int(Path("/proc/self/io").read_text().split()[1])


if __name__ == "__main__":
    main()
