"""A cell and a network made of values, without a file; and what NEURON makes of them, in a child process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from isfray.engine import Simulator
from isfray.engine.neuron import mechanisms
from isfray.formats.isf import load_cell, load_network
from isfray.formats.nmodl import own_mechanisms
from isfray.model.activity import SpikeTrain
from isfray.model.cell import CellModel, SimulationDefaults
from isfray.model.geometry import Geometry
from isfray.model.membrane import Membrane, RangeMechanism
from isfray.model.morphology import DENDRITE, SOMA, Morphology, Section
from isfray.model.network import NetworkModel
from isfray.model.population import Population, Receptor
from isfray.model.synapses import Connections, Synapses

POINTS = {
    "soma": [(0.0, 0.0, 0.0, 20.0), (0.0, 10.0, 0.0, 20.0), (0.0, 20.0, 0.0, 20.0)],
    "dend_1": [(10.0, 10.0, 0.0, 2.0), (110.0, 10.0, 0.0, 2.0), (210.0, 10.0, 0.0, 2.0)],
}
NSEG = {"soma": 1, "dend_1": 5}
LEAK = {"g": 1e-4, "e": -70.0}
ONGOING = SpikeTrain(interval=12.0, noise=0.0, start=4.0)  # regular: at 4, 16 and 28 ms
WEIGHT, DELAY, T_STOP = 3.0, 0.5, 30.0
STEP = {"section": "Soma", "x": 0.5, "delay": 5.0, "dur": 15.0, "amp": 0.1}


def models() -> tuple[CellModel, NetworkModel]:
    soma, dendrite = (np.array(points) for points in POINTS.values())
    sections = Section("soma", SOMA, soma, -1, 0.0), Section("dend_1", DENDRITE, dendrite, 0, 0.5)
    leak = RangeMechanism("pas", "uniform", {}, LEAK)
    cell = CellModel(
        name="ball_and_stick",
        geometry=Geometry(Morphology(sections), np.array(list(NSEG.values()), np.int32)),
        membranes=tuple(Membrane(label, 100.0, 1.0, {}, None, (leak,)) for label in (SOMA, DENDRITE)),
        modifications=(),
        sites=(),
        defaults=SimulationDefaults(v_init=-70.0, t_stop=T_STOP, dt=0.025, temperature=34.0),
        mechanism_globals={},
        mechanisms=own_mechanisms(),
    )
    inhibition = Population("INH", "INH", "", 1, (ONGOING,), 1.0, (Receptor("gaba_syn", 0.0, DELAY, (WEIGHT,)),))
    synapses = Synapses(np.array([1], np.int32), np.array([0.5]), np.array([0, 1]))
    connections = Connections(np.array([0], np.int32), np.array([0]), np.array([0, 1]))
    return cell, NetworkModel((inhibition,), synapses, connections, (), {})


def write(folder: Path) -> tuple[Path, Path]:
    """Files that say the same."""
    lines = ["{create soma}", "{create dend_1}", "{connect dend_1(0), soma(0.5)}"]
    for name, points in POINTS.items():
        lines += [f"{{access {name}}}", "{pt3dclear()}"]
        lines += ["{pt3dadd(" + ",".join(map(str, point)) + ")}" for point in points]
    (folder / "cell.hoc").write_text("\n".join(lines) + "\n")
    structure = {
        "properties": {"Ra": 100.0, "cm": 1.0},
        "mechanisms": {"range": {"pas": {"spatial": "uniform", **LEAK}}},
    }
    limit = {"f": 100.0, "max_seg_length": 40.0}
    neuron = {"filename": "cell.hoc", SOMA: structure, DENDRITE: structure, "discretization": limit}
    sim = {"Vinit": -70.0, "tStart": 0.0, "tStop": T_STOP, "dt": 0.025, "T": 34.0}
    (folder / "cell.param").write_text(json.dumps({"neuron": neuron, "sim": sim}))
    entry = {
        "cellNr": 1,
        "celltype": "spiketrain",
        **ONGOING.model_dump(exclude_none=True),
        "synapses": {
            "releaseProb": 1.0,
            "receptors": {"gaba_syn": {"delay": DELAY, "weight": WEIGHT}},
            "distributionFile": "cell.syn",
            "connectionFile": "cell.con",
        },
    }
    (folder / "cell.syn").write_text("# synapses\n\nINH\t1\t0.5\n")
    (folder / "cell.con").write_text("# connections\n# cell.syn\n\nINH\t0\t0\n")
    (folder / "network.param").write_text(json.dumps({"network": {"INH": entry}}))
    return folder / "cell.param", folder / "network.param"


def simulated(cell_file: Path, network_file: Path) -> list[Any]:
    """Time and soma voltage: of the models made of values, those read from files, and of plain NEURON."""
    out = []
    for cell, network in (models(), (load_cell(cell_file), load_network(network_file))):
        result = Simulator(cell, network, clamp=[STEP], engine="neuron").run(seed=1, t_stop=T_STOP)
        out.append((result.time, result.voltage["soma"]))
    return out


def plain() -> Any:
    """Time and soma voltage of the same, written for NEURON by hand."""
    h = mechanisms.load()
    sections = {}
    for name, points in POINTS.items():
        sections[name] = section = h.Section(name=name)
        for point in points:
            section.pt3dadd(*point)
        section.nseg, section.Ra, section.cm = NSEG[name], 100.0, 1.0
        section.insert("pas")
        section.g_pas, section.e_pas = LEAK["g"], LEAK["e"]
    sections["dend_1"].connect(sections["soma"](0.5), 0)
    step = h.IClamp(sections["soma"](0.5))
    step.delay, step.dur, step.amp = STEP["delay"], STEP["dur"], STEP["amp"]
    synapse = h.gaba_syn(sections["dend_1"](0.5))
    cell = h.NetStim()
    cell.start, cell.interval, cell.number, cell.noise = ONGOING.start, ONGOING.interval, 3, 0
    connection = h.NetCon(cell, synapse, 0, DELAY, WEIGHT)
    time, voltage = h.Vector().record(h._ref_t), h.Vector().record(sections["soma"](0.5)._ref_v)
    h.dt, h.celsius = 0.025, 34.0
    h.finitialize(-70.0)
    while h.t < T_STOP:
        h.fadvance()
    del connection
    return np.array(time), np.array(voltage)
