"""Recording sites from Amira landmark files (docs/formats.md, Landmarks)."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np

from isfray.arrays import F64
from isfray.errors import InputError
from isfray.model.geometry import Geometry
from isfray.model.inputs import InputFile
from isfray.model.sites import RecordingSite, map_sites


def read_landmarks(file: InputFile) -> F64:
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


def read_sites(file: InputFile, geometry: Geometry) -> tuple[RecordingSite, ...]:
    """Read a landmark file and map its points to recording sites."""
    return map_sites(PurePath(file.name).stem, read_landmarks(file), geometry)
