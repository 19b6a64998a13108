"""What the simulator tests ask of NEURON on the small made-up cell; each function runs in a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from isfray.engine import Simulator, mechanisms
from isfray.engine.live_cell import LiveCell
from isfray.model import load_cell, load_network


def voltages(cell: Path, jobs: list[dict[str, Any]], t_stop: float = 30.0) -> list[dict[str, np.ndarray]]:
    """Voltages of one trial without synapses for each set of Simulator arguments."""
    return [dict(Simulator(load_cell(cell), **job).run(t_stop=t_stop).voltage) for job in jobs]


def spiny(plain: Path, with_spines: Path) -> list[dict[str, Any]]:
    """Lengths, areas, capacitance and leak of the cell without and with spines."""
    out = []
    for path in (plain, with_spines):
        live = LiveCell(load_cell(path), mechanisms.load())
        out.append(
            {
                "L": [s.L for s in live.sections],
                "area": [sum(segment.area() for segment in s) for s in live.sections],
                "cm": [s.cm for s in live.sections],
                "leak": [[segment.g_pas for segment in s] for s in live.sections],
                "axial": [[segment.ri() for segment in s] for s in live.sections],
            }
        )
    return out


def electrodes(cell: Path) -> list[dict[str, float]]:
    """Where and what the electrodes of the modify functions are."""
    live = LiveCell(load_cell(cell), mechanisms.load())
    h = live.h
    out = []
    for one in live._electrodes:
        segment = one.get_segment()
        place = {
            "x": segment.x,
            "distance": h.distance(live.sections[0](0), segment),
            "kind": one.hname().split("[")[0],
        }
        names = ("delay", "dur", "amp") if place["kind"] == "IClamp" else ("onset", "imax", "tau0", "tau1")
        out.append(place | {name: getattr(one, name) for name in names})
    return out


def shared_and_not(cell: Path, network: Path, seeds: list[int], t_stop: float) -> list[tuple[Any, Any]]:
    """Soma and site voltages of the same trials with shared point processes and with one per active synapse."""
    models = load_cell(cell), load_network(network)
    simulators = [Simulator(*models, share_synapses=share) for share in (True, False)]
    return [tuple(dict(s.run(seed=seed, t_stop=t_stop).voltage) for s in simulators) for seed in seeds]


def replayed(cell: Path, network: Path, table: str) -> Any:
    """A trial and its replay from its own rows, handed over as `table` says; in a network whose weights are drawn."""
    import polars as pl

    simulator = Simulator(load_cell(cell), load_network(network))
    first = simulator.run(seed=5, t_stop=80.0, trial=3)
    rows = first.tables["synapse_activation"]
    rows = {"arrow": rows, "polars": pl.from_arrow(rows), "lazy": pl.LazyFrame(pl.from_arrow(rows))}[table]
    second = simulator.replay(rows, t_stop=80.0, seed=5, trial=3)
    return (
        first.voltage["soma"],
        second.voltage["soma"],
        [r.tables["synapse_activation"].to_pylist() for r in (first, second)],
    )


def refusals(cell: Path, network: Path, csvs: list[Path]) -> list[str]:
    """What replaying each file is refused with."""
    from isfray.model import InputError

    simulator, out = Simulator(load_cell(cell), load_network(network)), []
    for path in csvs:
        try:
            simulator.replay(path, t_stop=10.0)
        except InputError as error:
            out.append(str(error))
    return out
