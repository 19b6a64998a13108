"""What the catalog costs: trials a second, memory, files and bytes, and the time that questions take.

The trials are made up, of the size that the published network gives. Every step runs in a process of its own, so that
its memory is its own. `--growth` asks instead how the time grows with the number of commits and of runs, whose trials
are tiny.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl
import pyarrow as pa

from isfray import tables
from isfray.catalog import Catalog, RunSpec
from isfray.cli import main as isfray_command
from isfray.model.inputs import InputFile, ModelInputs

RUN, BATCH = "bench", 25
SYNAPSES, CELLS, SAMPLES, KINDS = 3950, 6900, 12_002, 278
TYPES = [f"L{i // 24}py_{'ABCDE'[i % 5]}{i % 24}" for i in range(KINDS)]
NAMES = {
    "type_names": TYPES,
    "celltypes": [name.split("_")[0] for name in TYPES],
    "columns": [name.split("_")[1] for name in TYPES],
}
STEPS = ("write", "read", "verify", "compact", "read", "verify")
OF_COMMITS = ("add_commits", "open_run", "info_run", "scan_run", "verify", "compact", "open_run")
OF_RUNS = ("add_runs", "scan_runs", "info_runs")
TINY = (4, 4, 20)  # synapses, cells, samples


def main() -> None:
    """Measure; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20_000, metavar="N", help="trials to write (20000: 4.6 GB)")
    parser.add_argument("--catalog", metavar="URI", help="an empty place (default: a folder that is removed again)")
    parser.add_argument("--s3", action="store_true", help="a SeaweedFS server that is started for it")
    parser.add_argument("--growth", type=int, nargs="+", metavar="N", help="instead: with so many commits, and runs")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        catalog, used = Catalog(options.catalog), time.process_time()
        found = globals()[options.step](catalog, options.trials)
        print(json.dumps({**found, "memory": peak(), "processor": time.process_time() - used}))
        return
    with tempfile.TemporaryDirectory(prefix="isfray-bench-") as folder:
        if options.s3:
            from tests.catalog.s3_server import BUCKET, S3Server

            server = S3Server(Path(folder)).start()
            os.environ.update(server.environment)
            try:
                begin(f"s3://{BUCKET}/bench", options)
            finally:
                server.kill()
        else:
            begin(options.catalog or f"{folder}/catalog", options)


def begin(uri: str, options: argparse.Namespace) -> None:
    """Measure what was asked for."""
    if options.growth:
        grow(uri, options.growth)
    else:
        measure(uri, options.trials)


def grow(uri: str, counts: list[int]) -> None:
    """Print the seconds, and those of the processor, that steps took with so many commits of a run, and many runs."""
    for kind, names in (("commits", OF_COMMITS), ("runs", OF_RUNS)):
        print(f"{kind:8}", *(f"{name:>15}" for name in names))
        for count in counts:
            print(f"{count:8}", end="", flush=True)
            for name in names:
                found = step(name, f"{uri}-{kind}-{count}", count)
                both = f"{found['seconds']:.2f} ({found['processor']:.2f})"
                print(f" {both:>15}", end="", flush=True)
            print(flush=True)


def measure(uri: str, trials: int) -> None:
    """Run every step and print what it took."""
    nothing = step("nothing", uri, trials)["memory"]
    print(f"{trials} trials in {uri}; a process that only imports isfray has {nothing:.0f} MB")
    print(f"{'step':10}{'seconds':>9}{'trials/s':>10}{'peak MB':>9}  ")
    for name in STEPS:
        found = step(name, uri, trials)
        seconds = found.pop("seconds")
        rate = f"{trials / seconds:10.0f}" if name != "read" else " " * 10
        rest = ", ".join(f"{key} {value}" for key, value in found.items() if key not in {"memory", "processor"})
        print(f"{name:10}{seconds:9.2f}{rate}{found['memory']:9.0f}  {rest}", flush=True)


def step(name: str, uri: str, trials: int) -> dict[str, Any]:
    """Run one step in a process."""
    command = [sys.executable, __file__, "--step", name, "--catalog", uri, "--trials", str(trials)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def nothing(catalog: Catalog, trials: int) -> dict[str, Any]:
    """Do nothing."""
    return {}


def write(catalog: Catalog, trials: int) -> dict[str, Any]:
    """Write all trials in batches, as the catalog actor does; making them up does not count."""
    inputs = {"cell": ModelInputs(InputFile("cell.param", b"{}"), {})}
    catalog.open_run(RunSpec(RUN, 7, {"t_stop": 300.0, "dt": 0.025}, inputs, trials))
    wall = processor = 0.0
    for first in range(0, trials, BATCH):
        made = [trial(number) for number in range(first, min(first + BATCH, trials))]
        begun, used = time.perf_counter(), time.process_time()
        catalog.commit(RUN, tables.join_trials(made))
        wall, processor = wall + time.perf_counter() - begun, processor + time.process_time() - used
    return {"seconds": wall, "trials a CPU second": round(trials / processor), **size(catalog)}


def read(catalog: Catalog, trials: int) -> dict[str, Any]:
    """Ask what is asked most."""
    place, asked = catalog.uri, {}

    def ask(question: str, of: Callable[[Catalog], pl.LazyFrame]) -> None:
        begun = time.perf_counter()
        rows = of(Catalog(place)).collect().height
        asked[question] = f"{time.perf_counter() - begun:.2f} s ({rows} rows)"

    begun = time.perf_counter()
    ask("one trial's activations", lambda c: c.scan("synapse_activation", RUN, trials // 2))
    ask("all spike times", lambda c: c.scan("spike_times", RUN))
    ask("a trace", lambda c: c.scan("voltage_traces", RUN, trials // 3).filter(pl.col("site") == "soma"))
    return {"seconds": time.perf_counter() - begun, **asked}


def compact(catalog: Catalog, trials: int) -> dict[str, Any]:
    """Merge, and remove what was merged."""
    begun = time.perf_counter()
    catalog.compact(RUN)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, **size(catalog)}


def verify(catalog: Catalog, trials: int) -> dict[str, Any]:
    """Check everything."""
    begun = time.perf_counter()
    report = catalog.verify(RUN)
    return {"seconds": time.perf_counter() - begun, "problems": len(report.problems), "trials": report.trials}


def add_commits(catalog: Catalog, count: int) -> dict[str, Any]:
    """Write tiny trials, a commit each."""
    catalog.open_run(tiny_run(RUN))
    begun = time.perf_counter()
    for number in range(count):
        catalog.commit(RUN, trial(number, *TINY))
    return {"seconds": time.perf_counter() - begun}


def open_run(catalog: Catalog, count: int) -> dict[str, Any]:
    """Find out what is there."""
    begun = time.perf_counter()
    assert len(catalog.snapshot(RUN).committed_trials(RUN)) == count
    return {"seconds": time.perf_counter() - begun}


def info_run(catalog: Catalog, count: int) -> dict[str, Any]:
    """Tell about one run."""
    begun = time.perf_counter()
    assert catalog.info(RUN).trials_committed == count
    return {"seconds": time.perf_counter() - begun}


def scan_run(catalog: Catalog, count: int) -> dict[str, Any]:
    """Read one table."""
    begun = time.perf_counter()
    assert catalog.scan("spike_times", RUN).collect().height
    return {"seconds": time.perf_counter() - begun}


def add_runs(catalog: Catalog, count: int) -> dict[str, Any]:
    """Write runs of one tiny trial, a few at a time."""

    def add(numbers: range) -> None:
        own = Catalog(catalog.uri)
        for number in numbers:
            name = f"r{number:06d}"
            session = own.open_run(tiny_run(name))
            own.commit(name, trial(number, *TINY))
            own.close_run(name, session)

    begun = time.perf_counter()
    add(range(1))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, (range(first, count, 4) for first in range(1, 5))))
    return {"seconds": time.perf_counter() - begun}


def scan_runs(catalog: Catalog, count: int) -> dict[str, Any]:
    """Open a table of all runs, without reading it."""
    begun = time.perf_counter()
    catalog["trials"]
    return {"seconds": time.perf_counter() - begun}


def info_runs(catalog: Catalog, count: int) -> dict[str, Any]:
    """`isfray info`."""
    begun, said = time.perf_counter(), io.StringIO()
    with contextlib.redirect_stdout(said):
        isfray_command(["info", catalog.uri])
    assert len(said.getvalue().splitlines()) == 1 + count
    return {"seconds": time.perf_counter() - begun}


def tiny_run(name: str) -> RunSpec:
    """Make up a run of one trial."""
    inputs = {"cell": ModelInputs(InputFile("cell.param", b"{}"), {})}
    return RunSpec(name, 7, {"t_stop": 300.0, "dt": 0.025, "engine": "neuron"}, inputs, 1)


def size(catalog: Catalog) -> dict[str, Any]:
    """Files and bytes a reader sees."""
    files = [file for commit in catalog.snapshot(RUN).commits[RUN] for file in commit.files]
    return {"files": len(files), "MB": round(sum(file.bytes for file in files) / 1e6)}


def peak() -> float:
    """Peak memory of this process, MB."""
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def trial(number: int, synapses: int = SYNAPSES, cells: int = CELLS, samples: int = SAMPLES) -> dict[str, pa.Table]:
    """Make up a trial."""
    rng = np.random.default_rng(number)

    def ragged(rows: int, mean: float) -> dict[str, Any]:
        offsets = np.concatenate([[0], np.cumsum(1 + rng.poisson(mean, rows))])
        return {"offsets": offsets, "times": rng.uniform(0, 300, offsets[-1])}

    releases, spikes = ragged(synapses, 0.2), ragged(cells, 0.1)
    voltage = -70 + np.cumsum(rng.normal(0, 0.02, (2, samples)), axis=1)
    soma = np.sort(rng.choice(samples // 4, min(samples // 4, rng.poisson(2)), replace=False)) * 4 + 1
    voltage[0, soma] = voltage[1, soma[:1]] = 20.0
    return {
        "trials": tables.trial_row(
            number,
            seed=number,
            t_stop=300.0,
            dt=0.025,
            n_active_synapses=synapses,
            n_releases=len(releases["times"]),
            n_spikes=len(soma),
            engine="neuron",
            host="host",
            wall_s=1.0,
            finished_at=datetime.now(UTC),
        ),
        "synapse_activation": tables.synapse_activation(
            number,
            synapse_type_index=np.sort(rng.integers(0, KINDS, synapses)),
            synapse_id=rng.integers(0, 900, synapses),
            section_id=rng.integers(0, 170, synapses),
            section_pt_id=rng.integers(0, 50, synapses),
            soma_distance=rng.uniform(0, 1200, synapses),
            label_index=rng.integers(0, 3, synapses),
            labels=["Soma", "Dendrite", "ApicalDendrite"],
            **NAMES,
            **releases,
        ),
        "cell_activation": tables.cell_activation(
            number,
            synapse_type_index=np.sort(rng.integers(0, KINDS, cells)),
            cell_id=rng.integers(0, 400, cells),
            **NAMES,
            **spikes,
        ),
        "spike_times": tables.spike_times(
            number, sites=["soma", "apical"], thresholds=[0.0, -30.0], times=[soma * 0.025, soma[:1] * 0.025]
        ),
        "voltage_traces": tables.voltage_traces(
            number,
            sites=["soma", "apical"],
            section_id=[0, 5],
            x=[0.5, 0.3],
            soma_distance=[0.0, 800.0],
            t_start=0.0,
            dt=0.025,
            voltage=voltage,
        ),
    }


if __name__ == "__main__":
    main()
