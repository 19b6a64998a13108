"""What the tests of CoreNEURON's replaced functions ask of NEURON; each function runs in a child process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isfray.engine import Simulator
from isfray.engine.neuron import build as building
from isfray.engine.neuron import coreneuron, mechanisms
from isfray.examples import example
from isfray.formats.isf import load_cell, load_network
from isfray.formats.nmodl import read_mechanisms

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


def axon(folder: Path, headers: Path | None, version: str = "") -> dict[str, Any]:
    """A spike of a cell of NEURON's own channels by NEURON and, twice, by CoreNEURON, and CoreNEURON's library.

    With the mechanisms of a folder and the functions of a folder of headers, where NEURON says to be of a version.
    """
    coreneuron.FOLDER = headers or coreneuron.FOLDER
    if version:
        coreneuron.neuron_version = building.neuron_version = lambda: version
    os.environ["ISFRAY_CXXFLAGS"] = "-O0"
    library = building.build(read_mechanisms(folder), coreneuron=True)
    os.environ["CORENEURONLIB"] = str(library)
    mechanisms._import_neuron(building.build(read_mechanisms(folder)))
    building.build(read_mechanisms(folder), coreneuron=True)
    from neuron import coreneuron as switch
    from neuron import h

    section = h.Section("axon")
    section.L, section.diam, section.nseg = 500, 2, 21
    section.insert("hh")
    clamp = h.IClamp(section(0))
    clamp.delay, clamp.dur, clamp.amp = 1, 1, 0.5
    trace = h.Vector().record(section(1)._ref_v)
    switch.verbose, out = 0, {"library": str(library)}
    for name, switch.enable in (("neuron", False), ("coreneuron", True), ("again", True)):
        h.finitialize(-65)
        h.ParallelContext().set_maxstep(10)
        h.ParallelContext().psolve(10)
        out[name] = np.array(trace)
    return out
