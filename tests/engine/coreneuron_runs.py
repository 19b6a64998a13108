"""What the tests of CoreNEURON's replaced functions ask of NEURON; each function runs in a child process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isfray.engine import Simulator
from isfray.engine.neuron import coreneuron, mechanisms
from isfray.engine.neuron.build import build
from isfray.examples import example
from isfray.formats.isf import load_cell, load_network

Traces = dict[str, NDArray[np.float64]]


def voltages_with(
    cell: Path | None, network: Path | None, t_stop: float, patch: str, headers: Path | None = None
) -> list[Traces]:
    """Voltages of two trials of a model, by default of the example, with the functions of a folder of headers."""
    os.environ["ISFRAY_COREPATCH"] = patch
    coreneuron.FOLDER = headers or coreneuron.FOLDER
    models = example() if cell is None else (load_cell(cell), None if network is None else load_network(network))
    simulator = Simulator(*models, engine="coreneuron")
    return [dict(simulator.run(seed=seed, t_stop=t_stop).voltage) for seed in (1, 2)]


def axon(folder: Path, headers: Path | None) -> Traces:
    """A spike of a cell of NEURON's own channels by NEURON and by CoreNEURON, with the mechanisms of a folder."""
    coreneuron.FOLDER = headers or coreneuron.FOLDER
    os.environ["CORENEURONLIB"] = str(build(folder=folder, coreneuron=True))
    mechanisms._import_neuron(build(folder=folder))
    from neuron import coreneuron as switch
    from neuron import h

    section = h.Section("axon")
    section.L, section.diam, section.nseg = 500, 2, 21
    section.insert("hh")
    clamp = h.IClamp(section(0))
    clamp.delay, clamp.dur, clamp.amp = 1, 1, 0.5
    trace = h.Vector().record(section(1)._ref_v)
    out = {}
    h.CVode().cache_efficient(True)
    for name, switch.enable in (("neuron", False), ("coreneuron", True), ("again", True)):
        h.finitialize(-65)
        h.ParallelContext().psolve(10)
        out[name] = np.array(trace)
    return out


def version_unknown(folder: Path, version: str) -> list[str]:
    """The libraries that are built for CoreNEURON, twice, where the installed NEURON is said to be of a version."""
    from isfray.engine.neuron import build as module

    coreneuron.neuron_version = module.neuron_version = lambda: version
    return [str(build(folder=folder, coreneuron=True)) for _ in range(2)]
