"""What the reference tests ask of NEURON; each function runs in a child process."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from isfray.engine import Simulator
from isfray.engine.neuron import mechanisms
from isfray.engine.neuron.live_cell import LiveCell
from isfray.formats.isf import load_cell, load_network


def built_cell(model: Path) -> dict[str, Any]:
    """Geometry and every density of the cell as NEURON holds it."""
    cell = load_cell(model / "86_C2_center.param")
    live = LiveCell(cell, mechanisms.load())
    names = [n for n in np.load(model.parent / "golden" / "conductances.npz").files if n not in ("section", "seg", "x")]
    read = {"area": lambda s: s.area(), "ri": lambda s: s.ri(), "diam": lambda s: s.diam, "cm": lambda s: s.cm}
    out = {key: [[f(segment) for segment in section] for section in live.sections] for key, f in read.items()}
    out["L"] = [section.L for section in live.sections]
    densities = [n for n in names if n not in read]
    out["densities"] = {n: [getattr(segment, n, np.nan) for segment in live.segments] for n in densities}
    return out


def step(model: Path, amplitude: float | None, engine: str) -> dict[str, Any]:
    """300 ms without synapses, with or without the golden current step."""
    clamp = [] if amplitude is None else [{"section": "Soma", "delay": 100, "dur": 150, "amp": amplitude}]
    cell = load_cell(model / "86_C2_center.param")
    simulator = Simulator(cell, clamp=clamp, record="all", engine=engine)
    result = simulator.run(t_stop=300.0)
    end = [v[-1] for name, v in result.voltage.items() if name.startswith("sec_")]
    return {
        "time": result.time,
        "soma": result.voltage["soma"],
        "site": result.voltage[cell.sites[0].label],
        "end": end,
    }


def replays(model: Path, engine: str, share: bool) -> list[dict[str, Any]]:
    """Both golden replays, in one simulator."""
    cell, network = load_cell(model / "86_C2_center.param"), load_network(model / "network.param")
    simulator = Simulator(cell, network, engine=engine, share_synapses=share)
    out = []
    for k in (1, 2):
        result = simulator.replay(model.parent / "golden" / f"replay{k}_synapses.csv", t_stop=300.0)
        spikes = result.tables["spike_times"]
        out.append(
            {
                "time": result.time,
                "soma": result.voltage["soma"],
                "site": result.voltage[cell.sites[0].label],
                "spikes": [
                    t
                    for s, t in zip(spikes["site"].to_pylist(), spikes["time"].to_pylist(), strict=True)
                    if s == "soma"
                ],
                "activation": result.tables["synapse_activation"].to_pylist(),
            }
        )
    return out


def repeated(model: Path) -> dict[str, Any]:
    """A trial, another one, the first again, and the first replayed from its own rows, all in one simulator."""
    simulator = Simulator(load_cell(model / "86_C2_center.param"), load_network(model / "network.param"))
    first = simulator.run(seed=11, t_stop=60.0)
    simulator.run(seed=12, t_stop=60.0)
    again = simulator.run(seed=11, t_stop=60.0)
    replayed = simulator.replay(first.tables["synapse_activation"], t_stop=60.0)

    def digest(result: Any) -> str:
        return hashlib.sha256(result.voltage["soma"].tobytes()).hexdigest()

    tables = [{name: t.to_pydict() for name, t in r.tables.items() if name != "trials"} for r in (first, again)]
    return {
        "digests": [digest(first), digest(again), digest(replayed)],
        "tables_equal": tables[0] == tables[1],
        "activation_equal": replayed.tables["synapse_activation"].to_pydict() == tables[0]["synapse_activation"],
    }


def both_paths(model: Path, seeds: list[int], t_stop: float) -> list[tuple[Any, Any]]:
    """The same drawn trials on the default path and on one point process per active synapse in NEURON."""
    models = load_cell(model / "86_C2_center.param"), load_network(model / "network.param")
    simulators = Simulator(*models), Simulator(*models, engine="neuron", share_synapses=False)
    out = []
    for seed in seeds:
        results = [s.run(seed=seed, t_stop=t_stop) for s in simulators]
        out.append(tuple((dict(r.voltage), r.tables["spike_times"].to_pylist()) for r in results))
    return out
