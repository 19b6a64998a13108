"""The cell model: morphology, membrane, discretization, recording sites, and what is done to it.

(docs/formats.md, Cell files, Order of building)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from isfray.arrays import F64
from isfray.model.clamp import CurrentClamp, EpspCurrent
from isfray.model.display import Facts, Shown, listed, plural
from isfray.model.geometry import Geometry
from isfray.model.inputs import MadeHere, ModelInputs, Origin
from isfray.model.mechanisms import MechanismSet
from isfray.model.membrane import Membrane, densities
from isfray.model.modification import Modification, diameter_scale, stimuli
from isfray.model.morphology import APICAL, DENDRITE, Morphology
from isfray.model.sites import RecordingSite
from isfray.model.thumbnail import side_view


@dataclass(frozen=True)
class SimulationDefaults:
    """How the cell file asks to be simulated: initial voltage (mV), t_stop and dt (ms), temperature (degC)."""

    v_init: float
    t_stop: float
    dt: float
    temperature: float


@dataclass(frozen=True, eq=False, repr=False)
class CellModel(Shown):
    """A biophysically detailed neuron as plain data.

    Two models are equal if the same neuron is simulated and recorded, whatever files they were read from.

    Attributes
    ----------
    name : str
        What it is called: the stem of its parameter file.
    geometry : Geometry
        Sections (artificial axon included), segments and distances; diameters unscaled.
    membranes : tuple of Membrane
        One per structure label.
    modifications : tuple of Modification
        Cell modify functions, in the order they act.
    sites : tuple of RecordingSite
        Recorded places beside the soma.
    defaults : SimulationDefaults
    mechanism_globals : mapping
        NEURON globals by their full name, `<param>_<mechanism>`.
    origin : Origin
        What it was read from.
    mechanisms : MechanismSet
        Sources of everything that it and its network insert; isfray's own unless it was read with others.
    """

    name: str
    geometry: Geometry
    membranes: tuple[Membrane, ...]
    modifications: tuple[Modification, ...]
    sites: tuple[RecordingSite, ...]
    defaults: SimulationDefaults
    mechanism_globals: Mapping[str, float]
    origin: Origin = field(default=MadeHere("cell"), repr=False)
    mechanisms: MechanismSet = field(kw_only=True)

    @property
    def inputs(self) -> ModelInputs:
        """The files it was read from, byte for byte."""
        return self.origin.inputs

    @property
    def morphology(self) -> Morphology:
        """Sections and 3D points."""
        return self.geometry.morphology

    @cached_property
    def diameter_scale(self) -> F64:
        """Factor on every section's 3D diameters by the modify functions; shape (sections,)."""
        return diameter_scale(self.modifications, self.geometry)

    @cached_property
    def stimuli(self) -> tuple[CurrentClamp | EpspCurrent, ...]:
        """Electrodes that the modify functions place."""
        return stimuli(self.modifications, self.geometry)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the cell as a `.param` file, and beside it the files it names; see `NetworkModel.save`.

        Parameters
        ----------
        path : path
            The `.param` file; its folder is made if need be.
        force : bool
            As in `NetworkModel.save`.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            As `NetworkModel.save`.

        Examples
        --------
        >>> cell.save("copy/cell.param").name
        'cell.param'
        >>> isfray.load_cell("copy/cell.param") == cell
        True
        """
        return self.origin.save(path, force=force)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CellModel):
            return NotImplemented
        names = ("geometry", "membranes", "modifications", "sites", "defaults", "mechanism_globals", "mechanisms")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]

    def _facts(self) -> Facts:
        labels, g, start = self.morphology.labels, self.geometry, self.defaults
        dendrites = [i for i, label in enumerate(labels) if label in (DENDRITE, APICAL)]
        sections = ", ".join(f"{labels.count(label):,} {label}" for label in dict.fromkeys(labels))
        length, farthest = g.L[dendrites].sum() / 1000.0, g.end[dendrites].max(initial=0.0)
        sites = [f"{site.label} ({site.soma_distance:,.0f} um)" for site in self.sites]
        rows = [
            ("sections", sections),
            ("dendrite", f"{length:,.1f} mm, up to {farthest:,.0f} um from the soma"),
            ("mechanisms", listed(sorted({m.name for of in self.membranes for m in of.mechanisms}), 20)),
            ("recorded", listed(["soma", *sites])),
            (
                "simulation",
                f"{start.t_stop:g} ms from {start.v_init:g} mV, dt {start.dt:g} ms, {start.temperature:g} degC",
            ),
        ]
        if self.modifications:
            rows.insert(4, ("modified by", ", ".join(m.name for m in self.modifications)))
        gist = f"{plural(len(labels), 'section')}, {plural(g.n_segments, 'segment')}, {length:,.1f} mm of dendrite"
        return Facts("CellModel", self.name, gist, rows, drawing=side_view(g))


def conductances(cell: CellModel) -> dict[str, F64]:
    """Return every density parameter in every segment, NaN where its mechanism is not inserted.

    (docs/formats.md, Spatial distributions)

    Returns
    -------
    dict of ndarray, shape (segments,)
        `<param>_<mechanism>` -> values; `g_pas` without the spine factor, which needs NEURON's areas.
    """
    g = cell.geometry
    out: dict[str, F64] = {}
    labels = np.array(cell.morphology.labels)[g.section_of_segment]
    for membrane in cell.membranes:
        for mechanism in membrane.mechanisms:
            for name, values in densities(mechanism, membrane.label, g).items():
                column = out.setdefault(f"{name}_{mechanism.name}", np.full(g.n_segments, np.nan))
                column[labels == membrane.label] = values
    return out
