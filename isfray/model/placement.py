"""Where synapses land on a cell (docs/formats.md, Placement)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from isfray.arrays import F64, I32
from isfray.errors import InputError
from isfray.model.geometry import Geometry


@dataclass(frozen=True)
class Placement:
    """Places of synapses on one cell; arrays of shape (synapses,), aligned with the synapses.

    Attributes
    ----------
    section_id : ndarray of int32
    section_pt_id : ndarray of int32
        The section's 3D point nearest to the synapse.
    segment : ndarray of int32
        Segment in its section.
    x : ndarray of float64
        Where the point process sits: the 3D point's relative position, within the outermost segment centres.
    soma_distance : ndarray of float64
        Path length from the soma's surface, in um; 0 on the soma.
    """

    section_id: I32
    section_pt_id: I32
    segment: I32
    x: F64
    soma_distance: F64

    def take(self, index: npt.NDArray[np.integer]) -> Placement:
        """Return the placement of some of the synapses."""
        return Placement(*(getattr(self, f.name)[index] for f in fields(self)))

    def with_soma_distance(self, soma_distance: F64) -> Placement:
        """Return the same places with other soma distances, as a stored trial gives them."""
        return replace(self, soma_distance=soma_distance)

    def flat_segment(self, geometry: Geometry) -> I32:
        """Return each synapse's segment in the flat order of all segments."""
        out: I32 = (geometry.offsets[self.section_id] + self.segment).astype(np.int32)
        return out


def place(section: I32, x: F64, geometry: Geometry) -> Placement:
    """Place synapses by section id and x: each goes to the traced 3D point nearest to x (smallest on ties).

    Raises
    ------
    InputError
        If a synapse's section is not on the cell.
    """
    check_sections(section, geometry)
    point = np.zeros(len(section), np.int32)
    for i in np.unique(section):
        here = np.flatnonzero(section == i)
        point[here] = _nearest(geometry.relpts[i], x[here])
    return _at_points(section, point, x, geometry)


def place_at_points(section: I32, point: I32, geometry: Geometry) -> Placement:
    """Place synapses by section and 3D point id, as replays of stored activations do (docs/formats.md, Replay)."""
    check_sections(section, geometry)
    n_points = np.array([len(r) for r in geometry.relpts])[section]
    wrong = np.flatnonzero((point < 0) | (point >= n_points))
    if len(wrong):
        i = wrong[0]
        raise InputError(
            f"is not a 3D point of section {section[i]}",
            key="section_pt_id",
            value=int(point[i]),
            expected=f"0 to {n_points[i] - 1}",
        )
    x = np.array([geometry.relpts[s][p] for s, p in zip(section, point, strict=True)], np.float64)
    return _at_points(section, point, x, geometry)


def check_sections(section: npt.NDArray[np.integer], geometry: Geometry) -> None:
    """Refuse a section that is not on the cell."""
    n = len(geometry.morphology)
    wrong = np.flatnonzero((section < 0) | (section >= n))
    if len(wrong):
        raise InputError(
            "is not a section of the cell", key="section_id", value=int(section[wrong[0]]), expected=f"0 to {n - 1}"
        )


def _nearest(relpts: F64, x: F64) -> I32:
    upper = np.clip(np.searchsorted(relpts, x), 1, len(relpts) - 1)
    lower = upper - 1
    out = np.where(np.abs(relpts[lower] - x) <= np.abs(relpts[upper] - x), lower, upper)
    # Doubled 3D points share one position: the smallest index counts.
    return np.searchsorted(relpts, relpts[out]).astype(np.int32)


def _at_points(section: I32, point: I32, x: F64, g: Geometry) -> Placement:
    starts = np.concatenate([[0], np.cumsum([len(r) for r in g.relpts])])
    relative = np.concatenate(g.relpts)[starts[section] + point]
    nseg = g.nseg[section]
    at = np.clip(relative, 0.5 / nseg, (nseg - 0.5) / nseg)
    segment = np.minimum((at * nseg).astype(np.int32), nseg - 1)
    distance = np.where(section == 0, 0.0, x * g.L[section] + g.surface_start[section])
    return Placement(section.astype(np.int32), point.astype(np.int32), segment, at, distance)
