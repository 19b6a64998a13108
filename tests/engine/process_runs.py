"""What the tests of a process's state ask of NEURON; each function runs in a child process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from isfray.engine import ENGINES, Simulator
from isfray.examples import example
from isfray.formats.isf import load_cell, load_network
from tests.engine.soak import digest, events_kept


def ends(cells: list[Path], networks: list[Path | None], engine: str, patch: str = "1") -> list[tuple[str, float]]:
    """Engine and last voltage at the soma of a trial of each model, one after the other in this process."""
    os.environ["ISFRAY_COREPATCH"] = patch
    out = []
    for cell, network in zip(cells, networks, strict=True):
        models = load_cell(cell), None if network is None else load_network(network)
        result = Simulator(*models, engine=engine).run(seed=3, t_stop=60.0)
        out.append(result.voltage["soma"][-1])
    return out


def counted(cell: Path, engine: str, steps: list[float], t_stop: float) -> list[tuple[int, float]]:
    """Samples and end of a trial with each time step."""
    results = [Simulator(load_cell(cell), engine=engine, dt=dt).run(t_stop=t_stop) for dt in steps]
    return [(len(result.time), float(result.time[-1])) for result in results]


def coarse(cell: Path, network: Path, dt: float) -> float:
    """Largest difference between the engines, mV, in a trial with synapses and a coarse step."""
    models = load_cell(cell), load_network(network)
    core, neuron = (Simulator(*models, engine=e, dt=dt).run(seed=1, t_stop=60.0) for e in ENGINES)
    return float(np.abs(core.voltage["soma"] - neuron.voltage["soma"]).max())


def many_events(cell: Path, network: Path, engine: str, kept: int) -> dict[str, Any]:
    """Three trials whose events are more than are kept, and the digests of the same with all kept."""
    models = load_cell(cell), load_network(network)
    with events_kept(kept):
        results = [Simulator(*models, engine=engine).run(seed=seed, t_stop=60.0) for seed in (1, 2, 3)]
    again = [Simulator(*models, engine=engine).run(seed=seed, t_stop=60.0) for seed in (1, 2, 3)]
    return {
        "samples": [len(r.time) for r in results],
        "releases": [r.tables["trials"]["n_releases"][0].as_py() for r in results],
        "spikes": [r.tables["trials"]["n_spikes"][0].as_py() for r in results],
        "same": [digest(a) == digest(b) for a, b in zip(results, again, strict=True)],
    }


def by_history(reference: Path, order: str) -> str:
    """Digest of the last of some trials, of the reference (A) or the example (B), one after the other."""
    folder = reference / "model"
    loaded: dict[str, Any] = {"B": example}
    loaded["A"] = lambda: (load_cell(folder / "86_C2_center.param"), load_network(folder / "network.param"))
    for which in order[:-1]:
        Simulator(*loaded[which]()).run(seed=11, t_stop=1.0)
    return digest(Simulator(*loaded[order[-1]]()).run(seed=11, t_stop=80.0))
