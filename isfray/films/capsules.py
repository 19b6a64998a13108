"""The neuron as round-ended cones in space, each of them within one segment: what a camera sees of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isfray.arrays import F64, I32
from isfray.look.upright import along, own_points, upright_3d
from isfray.model.cell import CellModel
from isfray.model.morphology import MYELIN


@dataclass(frozen=True)
class Capsules:
    """Pieces of dendrite, soma and axon.

    Attributes
    ----------
    ends : ndarray, shape (pieces, 2, 3)
        Both ends, um: across, away from the viewer, up; as `upright_3d` has them.
    radius : ndarray, shape (pieces, 2)
        At both ends, um.
    segment : ndarray of int32, shape (pieces,)
        Flat number of the segment a piece lies in.
    section : ndarray of int32, shape (pieces,)
    """

    ends: F64
    radius: F64
    segment: I32
    section: I32

    def pieces(self, length: float) -> Capsules:
        """Return the same shape in pieces of about one length, um: shorter ones joined, longer ones divided.

        A joined piece is straight and keeps to its segment.
        """
        own = np.linalg.norm(self.ends[:, 1] - self.ends[:, 0], axis=1)
        new = np.diff(self.segment, prepend=-1) != 0
        before = np.cumsum(own) - own
        number = np.floor((before - before[np.flatnonzero(new)][np.cumsum(new) - 1]) / length)
        first = np.flatnonzero(new | (np.diff(number, prepend=-1) != 0))
        last = np.append(first[1:], len(own)) - 1
        begin, end = self.ends[first, 0], self.ends[last, 1]
        thick, thin = self.radius[first, 0], self.radius[last, 1]
        parts = np.maximum(1, np.ceil(np.linalg.norm(end - begin, axis=1) / length - 1)).astype(np.int64)
        whole = np.repeat(np.arange(len(parts)), parts)
        number = np.arange(len(whole)) - np.repeat(np.cumsum(parts) - parts, parts)
        at = np.stack([number, number + 1], axis=1) / parts[whole, None]
        ends = begin[whole, None] + at[..., None] * (end - begin)[whole, None]
        radius = thick[whole, None] + at * (thin - thick)[whole, None]
        return Capsules(ends, radius, self.segment[first][whole], self.section[first][whole])


def capsules(cell: CellModel, *, axon: bool = False) -> Capsules:
    """Return the cell's pieces, cut at the borders of its segments, as thick as they are simulated.

    Parameters
    ----------
    cell : CellModel
    axon : bool
        The artificial axon's myelin too (1 mm).
    """
    geometry = cell.geometry
    points, parts = upright_3d(geometry), []
    every_own = own_points(geometry, points)
    for i, section in enumerate(geometry.morphology):
        if section.label == MYELIN and not axon:
            continue
        nseg, first = int(geometry.nseg[i]), int(geometry.offsets[i])
        own = every_own[i]
        x = np.union1d(geometry.relpts[i], np.arange(1, nseg) / nseg)
        path = along(geometry.relpts[i], own, x)
        radius = np.interp(x, geometry.relpts[i], section.points[:, 3] / 2) * cell.diameter_scale[i]
        within = np.minimum(((x[1:] + x[:-1]) / 2 * nseg).astype(np.int32), nseg - 1)
        if len(points[i]) > len(own):  # from the parent's axis to where this section begins
            path, radius, within = (np.concatenate([a[:1], a]) for a in (path, radius, within))
            path[0] = points[i][0]
        parts.append(
            (
                np.stack([path[:-1], path[1:]], axis=1),
                np.stack([radius[:-1], radius[1:]], axis=1),
                first + within.astype(np.int32),
                np.full(len(within), i, np.int32),
            )
        )
    return Capsules(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
