"""`cell_modify_functions`: what is done to a cell after it is built (docs/formats.md, Cell modify functions).

They act after segments, densities and spine factors are fixed: scaling diameters changes areas and axial resistances,
but neither lengths nor densities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isfray.arrays import F64
from isfray.errors import InputError
from isfray.model.clamp import CurrentClamp, EpspCurrent
from isfray.model.geometry import Geometry
from isfray.model.morphology import APICAL


@dataclass(frozen=True)
class Modification:
    """One cell modify function and its arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def diameter_scale(modifications: tuple[Modification, ...], geometry: Geometry) -> F64:
    """Return the factor on every section's 3D diameters, relative to the file; shape (sections,). Later ones win."""
    out = np.ones(len(geometry.morphology))
    apical = geometry.morphology.with_label(APICAL)
    for m in modifications:
        if m.name == "scale_apical":
            out[_trunk(geometry) if m.arguments["compartment"] == "Trunk" else apical] = m.arguments["scale"]
        elif m.name == "scale_apical_morph_86":
            out[[i for i in apical if geometry.end[i] <= 1000.0][:33]] = 2.5
    return out


def _trunk(geometry: Geometry) -> list[int]:
    section = geometry.main_bifurcation
    if section is None:
        raise InputError(
            "needs a main bifurcation",
            key=("cell_modify_functions", "scale_apical"),
            expected="one apical trunk that splits",
        )
    trunk = []
    while section > 0:
        trunk.append(section)
        section = int(geometry.morphology.parent[section])
    return trunk


def stimuli(modifications: tuple[Modification, ...], geometry: Geometry) -> tuple[CurrentClamp | EpspCurrent, ...]:
    """Return the electrodes that the modify functions place, by section id."""
    out: list[CurrentClamp | EpspCurrent] = []
    for m in modifications:
        a = m.arguments
        if m.name == "soma_current_injection":
            out.append(CurrentClamp(0, 0.5, a["delay"], a["duration"], a["amplitude"]))
        elif m.name == "apical_current_injection":
            out.append(CurrentClamp(*_apical(m, geometry), a["delay"], a["duration"], a["amplitude"]))
        elif m.name == "apical_epsp_injection":
            out.append(EpspCurrent(*_apical(m, geometry), a["delay"], a["amplitude"], a["rise"], a["decay"]))
        elif m.name == "BAC_injection":
            # Back-propagating spike and distal EPSP, 5 ms apart (Larkum et al. 1999, Nature 398:338).
            out.append(CurrentClamp(0, 0.5, 295.0, 5.0, 1.9))
            out.append(EpspCurrent(*_apical(m, geometry), 300.0, 0.5, 1.0, 5.0))
    return tuple(out)


def _apical(m: Modification, geometry: Geometry) -> tuple[int, float]:
    position = geometry.apical_position(m.arguments["dist"])
    if position is None:
        raise InputError(
            "is not on the apical path",
            key=("cell_modify_functions", m.name, "dist"),
            value=m.arguments["dist"],
            expected=f"a soma distance between the apical dendrite's start and {geometry.end.max():.0f} um",
        )
    return position
