"""What the tests of the built-in example ask of NEURON; runs in a child process."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from isfray.engine import Simulator
from isfray.examples import example
from isfray.formats.isf.cell import cell_from_inputs
from isfray.model import CellModel
from isfray.model.inputs import InputFile, ModelInputs

SPIKE = {"section": "Soma", "delay": 100.0, "dur": 5.0, "amp": 2.5}
EPSP = {"dist": 820.0, "amplitude": 0.8, "delay": 105.0, "rise": 1.0, "decay": 5.0}


def with_epsp(cell: CellModel) -> CellModel:
    """The same cell with an EPSP-like current just above its main bifurcation."""
    content = json.loads(cell.inputs.main.text)
    content["neuron"]["cell_modify_functions"] = {"apical_epsp_injection": EPSP}
    main = InputFile(cell.inputs.main.name, json.dumps(content).encode())
    return cell_from_inputs(ModelInputs(main, cell.inputs.references))


def physiology() -> dict[str, Any]:
    """Spike times, voltages and the rest of each protocol, by its name."""
    cell, _ = example()
    protocols: dict[str, tuple[CellModel, list[dict[str, Any]], float]] = {
        "step": (cell, [{"section": "Soma", "delay": 150.0, "dur": 150.0, "amp": 1.0}], 350.0),
        "spike alone": (cell, [SPIKE], 200.0),
        "epsp alone": (with_epsp(cell), [], 200.0),
        "both": (with_epsp(cell), [SPIKE], 200.0),
    }
    out = {}
    for name, (model, clamp, t_stop) in protocols.items():
        result = Simulator(model, clamp=clamp).run(t_stop=t_stop)
        spikes = result.tables["spike_times"].to_pylist()
        dendrite = result.voltage[cell.sites[0].label]
        out[name] = {
            "spikes": np.array([row["time"] for row in spikes if row["site"] == "soma"]),
            "rest": float(result.voltage["soma"][np.searchsorted(result.time, 99.0)]),
            "dendrite peak": float(dendrite[result.time > 100.0].max()),
            "plateau": float((dendrite[result.time > 100.0] > -30.0).sum() * cell.defaults.dt),
        }
    return out
