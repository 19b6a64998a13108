"""Many trials by few actors: all whole, chosen ones the same in processes of their own, all of one distribution."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import isfray

RUN = "soak"
UNTOLD = ["host", "wall_s", "finished_at"]
"""Columns of `trials` in which equal trials differ."""
SHUFFLES = 10_000
MOST_MV = 1e-8
"""How far the engines may be apart, mV."""


def main() -> int:
    """Simulate, look, tell; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", metavar="FILE", help="cell .param (default: the built-in example)")
    parser.add_argument("--network", metavar="FILE", help="network .param")
    parser.add_argument("--rates", type=float, default=1.0, metavar="X", help="ongoing rates times this (1)")
    parser.add_argument("--t-stop", type=float, default=300.0, metavar="MS")
    parser.add_argument("--trials", type=int, default=2000, metavar="N")
    parser.add_argument("--actors", type=int, default=2, metavar="N")
    parser.add_argument("--alone", type=int, default=100, metavar="N", help="trials to repeat in fresh processes (100)")
    parser.add_argument("--neuron", type=int, default=20, metavar="N", help="trials to repeat with engine neuron (20)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--block", type=int, default=20, metavar="N", help="trials whose spikes are averaged (20)")
    parser.add_argument("--child", nargs=3, metavar=("TRIAL", "ENGINE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        alone(options, int(options.child[0]), options.child[1], Path(options.child[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        catalog, began = isfray.Catalog(Path(folder) / "results"), time.perf_counter()
        isfray.simulate(
            *models(options),
            catalog,
            run=RUN,
            trials=options.trials,
            seed=options.seed,
            t_stop=options.t_stop,
            workers=options.actors,
        )
        print(f"{options.trials} trials of {options.t_stop:g} ms by {options.actors} actors", end=", ")
        print(f"{time.perf_counter() - began:.0f} s")
        wrong = [*whole(catalog), *repeated(options, catalog, Path(folder)), *drifting(options, catalog)]
    print("\n".join(wrong) if wrong else "nothing is wrong")
    return 1 if wrong else 0


def models(options: argparse.Namespace) -> tuple[Any, Any]:
    """The cell and network that are simulated."""
    if options.cell:
        cell, network = isfray.load_cell(options.cell), isfray.load_network(options.network)
    else:
        cell, network = isfray.example()
    return cell, network if options.rates == 1.0 else isfray.edits.scale_ongoing_rates(network, options.rates)


def whole(catalog: isfray.Catalog) -> list[str]:
    """Trials that do not have all their samples, and what else verification finds."""
    traces = catalog.scan("voltage_traces", run=RUN).select("trial", pl.col("voltage").list.len()).collect()
    samples = traces["voltage"].max()
    short = sorted(traces.filter(pl.col("voltage") < samples)["trial"].unique())
    print(f"{traces['trial'].n_unique()} trials with {samples} samples at most, {len(short)} with fewer")
    found = [f"trials with fewer samples than {samples}: {short}"] if short else []
    return found + list(catalog.verify(RUN).problems)


def stored(catalog: isfray.Catalog, trial: int) -> dict[str, pl.DataFrame]:
    """Rows of a trial by table, but for when and where it was computed."""
    tables = [t for t in catalog.tables() if t != "variable_traces"]
    return {t: comparable(catalog.scan(t, run=RUN, trials=trial).drop("run").collect()) for t in tables}


def comparable(table: pl.DataFrame) -> pl.DataFrame:
    """The table with names as text, without what differs between equal trials."""
    return table.drop(UNTOLD, strict=False).with_columns(pl.col(pl.Categorical).cast(pl.String))


def repeated(options: argparse.Namespace, catalog: isfray.Catalog, folder: Path) -> list[str]:
    """Chosen trials in processes of their own: the same rows, or with the other engine the same spikes and voltage."""
    rng = np.random.default_rng(options.seed)
    n = {"coreneuron": min(options.alone, options.trials), "neuron": min(options.neuron, options.trials)}
    chosen = [(int(t), e) for e in n for t in np.sort(rng.choice(options.trials, n[e], replace=False))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda one: start(options, *one, folder), chosen))
    wrong, worst = [], 0.0
    for trial, engine in chosen:
        ours = stored(catalog, trial)
        again = {path.stem: pl.read_parquet(path) for path in (folder / f"{engine}-{trial}").iterdir()}
        if engine == "neuron":
            voltages = [np.stack(x["voltage_traces"]["voltage"].to_list()) for x in (ours, again)]
            worst = max(worst, float(np.abs(voltages[0] - voltages[1]).max()))
            same = ours["spike_times"].equals(again["spike_times"]) and worst <= MOST_MV
        else:
            same = all(rows.equals(again[table]) for table, rows in ours.items())
        if not same:
            wrong.append(f"trial {trial} differs from itself alone, engine {engine}")
    print(f"{n['coreneuron']} trials held against fresh processes", end=", ")
    print(f"{n['neuron']} against engine neuron (voltages {worst:.1e} mV apart): {len(wrong)} differ")
    return wrong


def start(options: argparse.Namespace, trial: int, engine: str, folder: Path) -> None:
    """One trial in a process of its own."""
    out = folder / f"{engine}-{trial}"
    out.mkdir()
    given = [f"--{key}={value}" for key in ("cell", "network", "rates", "seed") if (value := getattr(options, key))]
    command = [sys.executable, __file__, *given, f"--t-stop={options.t_stop}", "--child", str(trial), engine, str(out)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def alone(options: argparse.Namespace, trial: int, engine: str, folder: Path) -> None:
    """Simulate one trial and write its rows."""
    seed = isfray.trial_seed(options.seed, trial)
    result = isfray.Simulator(*models(options), engine=engine).run(seed=seed, t_stop=options.t_stop, trial=trial)
    for name, table in result.tables.items():
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        comparable(frame).write_parquet(folder / f"{name}.parquet")


def drifting(options: argparse.Namespace, catalog: isfray.Catalog) -> list[str]:
    """Whether spikes per trial depend on how many trials came before: blocks of trials against shuffled trials."""
    trials = catalog.scan("trials", run=RUN).select("trial", "n_spikes").sort("trial").collect()
    spikes = trials["n_spikes"].to_numpy().astype(float)
    error = spikes.std(ddof=1) / np.sqrt(len(spikes))
    print(f"spikes per trial {spikes.mean():.3f} +- {error:.3f} (standard error), sd {spikes.std(ddof=1):.2f}")
    p = share_of_shuffles(spikes, options.block, options.seed)
    print(f"spread of the means of {options.block} trials: as wide in {p:.3f} of {SHUFFLES} shuffles")
    return ["trials that came early and late are of different distributions"] if p < 1e-3 else []


def share_of_shuffles(spikes: NDArray[np.float64], block: int, seed: int) -> float:
    """How often shuffled trials have block means that are spread as widely: a permutation test."""
    whole_blocks = spikes[: len(spikes) // block * block]
    if len(whole_blocks) < 2 * block:
        return 1.0
    rng, spread = np.random.default_rng(seed), np.var(whole_blocks.reshape(-1, block).mean(axis=1))
    wider = sum(
        np.var(rng.permutation(whole_blocks).reshape(-1, block).mean(axis=1)) >= spread for _ in range(SHUFFLES)
    )
    return (wider + 1) / (SHUFFLES + 1)


if __name__ == "__main__":
    sys.exit(main())
