"""Recorded places of a cell: how they are called, and the segments nearest to given points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isfray.arrays import F64
from isfray.model.geometry import Geometry


@dataclass(frozen=True)
class RecordingSite:
    """A recorded place: the segment of a section, with its centre x and its distance from soma(0) in um."""

    label: str
    section: int
    segment: int
    x: float
    soma_distance: float


def map_sites(stem: str, points: F64, geometry: Geometry) -> tuple[RecordingSite, ...]:
    """Map landmarks to the segments nearest to them.

    Parameters
    ----------
    stem : str
        Stem of the landmark file: it begins the sites' labels.
    points : ndarray, shape (n, 3)
        Landmarks in um.
    geometry : Geometry
    """
    every = np.concatenate([s.points[:, :3] for s in geometry.morphology])
    owner = np.repeat(np.arange(len(geometry.morphology)), [len(s.points) for s in geometry.morphology])
    relative = np.concatenate(geometry.relpts)
    sites = []
    for index, point in enumerate(points):
        nearest = int(np.argmin(((every - point) ** 2).sum(axis=1)))
        section = int(owner[nearest])
        first, last = geometry.offsets[section], geometry.offsets[section + 1]
        segment = int(np.argmin(np.abs(geometry.segment_x[first:last] - relative[nearest])))
        x, distance = float(geometry.segment_x[first + segment]), float(geometry.segment_distance[first + segment])
        label = f"{stem}_ID_{index:03d}_sec_{section:03d}_seg_{segment:03d}_x_{x:.3f}_somaDist_{distance:.1f}"
        sites.append(RecordingSite(label, section, segment, x, distance))
    return tuple(sites)


def soma_site() -> RecordingSite:
    """Return the site every trial records: the first segment of the soma."""
    return RecordingSite("soma", 0, 0, 0.5, 0.0)


def segment_label(section: int, segment: int) -> str:
    """Return the site label of any segment: `sec_038_seg_032`."""
    return f"sec_{section:03d}_seg_{segment:03d}"
