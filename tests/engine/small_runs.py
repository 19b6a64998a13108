"""What the simulator tests ask of NEURON on the small made-up cell; each function runs in a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from isfray.engine import Simulator
from isfray.engine.neuron import mechanisms
from isfray.engine.neuron.live_cell import LiveCell
from isfray.formats.isf import load_cell, load_network
from isfray.model.soundness import UnsoundTrialError


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
    from isfray.errors import InputError

    simulator, out = Simulator(load_cell(cell), load_network(network)), []
    for path in csvs:
        try:
            simulator.replay(path, t_stop=10.0)
        except InputError as error:
            out.append(str(error))
    return out


def recorded(cell: Path, engine: str) -> Any:
    """A trial with a current step and range variables recorded."""
    clamp = [{"section": "ApicalDendrite", "x": 1.0, "delay": 5, "dur": 15, "amp": 0.6}]
    record = ["soma", "ica", "Ca_HVA.ica", "Ca_LVAst.ica", "Ca_HVA.m", "cai", "v"]
    result = Simulator(load_cell(cell), engine=engine, clamp=clamp, record=record).run(t_stop=25.0)
    return dict(result.voltage), dict(result.variables), result.tables["variable_traces"].drop(["values"]).to_pylist()


def law_of_engines(cell: Path, network: Path, t_stop: float) -> int:
    """Any releases give the same voltage on the default path and on one point process per synapse in NEURON."""
    import pyarrow as pa
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    models = load_cell(cell), load_network(network)
    fast = Simulator(*models, engine="coreneuron")
    plain = Simulator(*models, engine="neuron", share_synapses=False)
    steps = st.integers(0, int(t_stop / 0.025) + 4).map(lambda n: n * 0.025)
    half_steps = st.integers(0, int(t_stop / 0.025)).map(lambda n: (n + 0.5) * 0.025)
    times = st.one_of(st.just(0.0), steps, half_steps, st.floats(0, t_stop + 1))
    # Few places, so that synapses share segments and 3D points; times may coincide.
    one = st.tuples(
        st.sampled_from(["VPM_C2", "INH"]),
        st.sampled_from([(1, 1), (1, 2), (5, 1)]),
        st.lists(times, min_size=1, max_size=6),
    )
    seen = 0

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(one, min_size=1, max_size=8))
    def law(synapses: list[Any]) -> None:
        nonlocal seen
        seen += 1
        rows = pa.table(
            {
                "synapse_type": [name for name, _, _ in synapses],
                "synapse_id": list(range(len(synapses))),
                "section_id": [place[0] for _, place, _ in synapses],
                "section_pt_id": [place[1] for _, place, _ in synapses],
                "soma_distance": [1.0] * len(synapses),
                "times": [sorted(t) for _, _, t in synapses],
            }
        )
        one, other = (s.replay(rows, t_stop=t_stop, seed=3) for s in (fast, plain))
        np.testing.assert_array_equal(one.time, other.time)
        for site, voltage in other.voltage.items():
            np.testing.assert_allclose(one.voltage[site], voltage, rtol=0, atol=1e-7)

    law()
    return seen


def against_netstim(cell: Path, network: Path, times: list[float]) -> list[float]:
    """Largest difference between a release posted by the simulator and one that NEURON's NetStim sends, per time."""
    import pyarrow as pa

    models = load_cell(cell), load_network(network)
    simulator = Simulator(*models, engine="neuron", share_synapses=False)
    h, out = simulator._engine._h, []
    receptor = models[1].populations[1].receptors[0]
    for t in times:
        place = {
            "synapse_type": ["INH"],
            "synapse_id": [0],
            "section_id": [1],
            "section_pt_id": [1],
            "soma_distance": [1.0],
        }
        ours = simulator.replay(pa.table(place | {"times": [[t]]}), t_stop=10.0)
        process = h.gaba_syn(simulator._engine._rig().live.sections[1](float(simulator.cell.geometry.relpts[1][1])))
        for name, value in receptor.parameters.items():
            setattr(process, name, value)
        stimulus = h.NetStim()
        stimulus.number, stimulus.start, stimulus.noise = 1, t, 0
        connection = h.NetCon(stimulus, process, 0, receptor.delay, receptor.weight[0])
        theirs = simulator.replay(pa.table(place | {"times": [[1e6]]}), t_stop=10.0)
        out.append(float(np.abs(ours.voltage["soma"] - theirs.voltage["soma"]).max()))
        del connection, stimulus, process
    return out


def memory(cell: Path, network: Path, releases: int, trials: int) -> list[float]:
    """Resident memory (MB) after each of some trials with many releases."""
    import psutil
    import pyarrow as pa

    simulator = Simulator(load_cell(cell), load_network(network), engine="coreneuron")
    place = {
        "synapse_type": ["INH"],
        "synapse_id": [0],
        "section_id": [1],
        "section_pt_id": [1],
        "soma_distance": [1.0],
    }
    rows, out = pa.table(place | {"times": [np.linspace(0.0, 2.0, releases)]}), []
    for _ in range(trials):
        simulator.replay(rows, t_stop=1.0)
        out.append(psutil.Process().memory_info().rss / 2**20)
    return out


def diverging(cell: Path, engine: str) -> tuple[str, np.ndarray, np.ndarray]:
    """What a clamp that no dendrite can bear is told with, and a trial that ends before it, from before and after."""
    tip = [{"section": 2, "x": 1.0, "delay": 5.0, "dur": 10.0, "amp": 20.0}]
    simulator = Simulator(load_cell(cell), engine=engine, clamp=tip, record=["soma", "2(1.0)"])
    before = simulator.run(t_stop=4.0).voltage["soma"]
    try:
        simulator.run(t_stop=20.0, trial=7)
        said = "nothing"
    except UnsoundTrialError as error:
        said = str(error)
    return said, before, simulator.run(t_stop=4.0).voltage["soma"]


def initialised_before_it_is_read(cell: Path, network: Path) -> str:
    """What is told where something touches NEURON's state between the last step and the reading of the traces."""
    from isfray.engine.neuron import engine as module

    advance = module.advance

    def spoilt(h: Any, *arguments: Any) -> None:
        advance(h, *arguments)
        h.finitialize()

    module.advance = spoilt
    try:
        Simulator(load_cell(cell), load_network(network)).run(seed=5, t_stop=20.0)
    except UnsoundTrialError as error:
        return str(error)
    return "nothing"


def endless(cell: Path) -> str:
    """What a trial is refused with that no memory would hold."""
    from isfray.errors import InputError

    try:
        Simulator(load_cell(cell)).run(t_stop=1e12)
    except InputError as error:
        return str(error)
    return ""
