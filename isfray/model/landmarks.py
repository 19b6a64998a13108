"""Recording sites from Amira landmark files (FORMATS 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from isfray.errors import InputError
from isfray.model.geometry import Geometry
from isfray.model.inputs import InputFile
from isfray.model.morphology import FloatArray


@dataclass(frozen=True)
class RecordingSite:
    """A recorded place: the segment of a section, with its centre x and its distance from soma(0) in um."""

    label: str
    section: int
    segment: int
    x: float
    soma_distance: float


def read_landmarks(file: InputFile) -> FloatArray:
    """Return the landmark points, shape (n, 3), in um; InputError naming the line that is not three numbers."""
    path = file.path or file.name
    points: list[list[float]] = []
    started = False
    for number, line in enumerate(file.text.splitlines(), start=1):
        if not started:
            started = line.startswith("@1")
        elif line.strip():
            try:
                point = [float(word) for word in line.split()]
            except ValueError:
                point = []
            if len(point) != 3 or not np.isfinite(point).all():
                raise InputError(f"broken line {line.strip()!r}", file=path, line=number, expected="x y z")
            points.append(point)
    if not points:
        raise InputError("holds no landmark", file=path, expected="lines of x y z after a line that starts with @1")
    return np.array(points)


def map_sites(stem: str, points: FloatArray, geometry: Geometry) -> tuple[RecordingSite, ...]:
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


def read_sites(file: InputFile, geometry: Geometry) -> tuple[RecordingSite, ...]:
    """Read a landmark file and map its points to recording sites."""
    return map_sites(PurePath(file.name).stem, read_landmarks(file), geometry)
