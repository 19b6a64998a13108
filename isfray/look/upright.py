"""The cell as every picture shows it: upright, from the side on which its dendrites are widest."""

from __future__ import annotations

import numpy as np

from isfray.arrays import F64
from isfray.model.geometry import Geometry
from isfray.model.morphology import MYELIN


def upright(geometry: Geometry) -> list[F64]:
    """Return the 3D points of every section seen from the side, shape (points, 2), um from the soma's centre.

    The view shows the dendrites' greatest width; see `upright_3d`.
    """
    return [points[:, [0, 2]] for points in upright_3d(geometry)]


def upright_3d(geometry: Geometry) -> list[F64]:
    """Return the 3D points of every section of the upright cell, shape (points, 3), um from the soma's centre.

    The line from the soma to the main bifurcation, or to the farthest end without one, points up, which is the third
    column; the first is the direction in which the dendrites are widest, the second points away from who looks at that.
    A section begins where it leaves its parent.
    """
    morphology = geometry.morphology
    raw = [s.points[:, :3] for s in morphology]
    centre = raw[0].mean(axis=0)
    tip = geometry.main_bifurcation
    if tip is None:
        dendrites = [i for i, label in enumerate(morphology.labels) if label != MYELIN]
        tip = max(dendrites, key=lambda i: float(geometry.end[i]))
    up = raw[tip][-1] - centre
    up = up / (np.linalg.norm(up) or 1.0)
    every = np.concatenate([p for p, label in zip(raw, morphology.labels, strict=True) if label != MYELIN]) - centre
    level = every - np.outer(every @ up, up)
    across = np.linalg.svd(level, full_matrices=False)[2][0]
    view = np.column_stack([across, np.cross(up, across), up])
    out: list[F64] = []
    for i, section in enumerate(morphology):
        points = (raw[i] - centre) @ view
        if i and section.parent != 0:
            points = np.vstack([point_at(geometry, out, section.parent, section.parent_x), points])
        out.append(points)
    return out


def point_at(geometry: Geometry, points: list[F64], section: int, x: float) -> F64:
    """Return the point at relative position x of a section, among `points` of all of them."""
    relative = geometry.relpts[section]
    (point,) = along(relative, points[section][-len(relative) :], np.array([x]))
    return np.asarray(point)


def along(relative: F64, points: F64, x: F64) -> F64:
    """Return the points at relative positions x, shape (n,), of the path through `points` at `relative`."""
    return np.column_stack([np.interp(x, relative, points[:, k]) for k in range(points.shape[1])])


def own_points(geometry: Geometry, points: list[F64]) -> list[F64]:
    """Return the points of each section's own, as many as its file gives: without where it leaves its parent."""
    return [p[-len(s.points) :] for p, s in zip(points, geometry.morphology, strict=True)]
