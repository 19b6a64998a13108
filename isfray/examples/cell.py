"""The synthetic cell's parameter file and what it refers to."""

from __future__ import annotations

import numpy as np

from isfray.examples import files
from isfray.examples.biophysics import membranes
from isfray.examples.morphology import grow
from isfray.formats.isf.cell import cell_from_inputs
from isfray.model.cell import CellModel
from isfray.model.inputs import ModelInputs

NAME = "synthetic_L5tt"


def example_cell() -> CellModel:
    """Grow the neuron, render its files and read them."""
    morphology = grow()
    trunk = [s for s in morphology if s.name.startswith("apical_trunk")][-1]
    hoc, site = f"{NAME}.hoc", f"{NAME}_distal_apical.landmarkAscii"
    content = {
        "NMODL_mechanisms": {"channels": "/"},
        "mech_globals": {},
        "neuron": {"filename": hoc, "discretization": {"f": 40.0, "max_seg_length": 50.0}, **membranes()},
        "sim": {
            "Vinit": -75.0,
            "tStart": 0.0,
            "tStop": 300.0,
            "dt": 0.025,
            "T": 34.0,
            "recordingSites": [site],
        },
    }
    references = {
        hoc: files.hoc(hoc, morphology),
        site: files.landmarks(site, np.asarray(trunk.points[-2:-1, :3])),
    }
    main = files.param(f"{NAME}.param", "synthetic layer 5 thick-tufted pyramidal neuron", content)
    return cell_from_inputs(ModelInputs(main, references))
