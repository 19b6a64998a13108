"""Lines of a variable along the dendrites, drawn column by column: only their heights change from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isfray.arrays import F32, F64, I32, U8
from isfray.model.geometry import Geometry
from isfray.model.morphology import MYELIN


@dataclass(frozen=True)
class Path:
    """One section's line: soma distances (um, ascending) of its points, and the segment that gives each its value."""

    section: int
    distance: F64
    segment: I32


def paths(geometry: Geometry, *, axon: bool = False) -> list[Path]:
    """Return the lines of all sections but the soma.

    Each goes through the centres of its segments; it begins at the centre of the parent's segment it leaves (or at the
    soma), so that branches hang together.

    Parameters
    ----------
    geometry : Geometry
    axon : bool
        The artificial axon's myelin too.
    """
    morphology, start = geometry.morphology, geometry.surface_start
    out = []
    for i, section in enumerate(morphology):
        if i == 0 or (section.label == MYELIN and not axon):
            continue
        own = np.arange(geometry.offsets[i], geometry.offsets[i + 1])
        parent = int(geometry.offsets[section.parent]) + geometry.segment_index(section.parent, section.parent_x)
        begin = 0.0
        if section.parent != 0:
            begin = float(start[section.parent] + geometry.segment_x[parent] * geometry.L[section.parent])
        distance = np.concatenate([[begin], start[i] + geometry.segment_x[own] * geometry.L[i]])
        segment = np.concatenate([[parent], own]).astype(np.int32)
        out.append(Path(i, np.maximum.accumulate(distance), segment))
    return out


@dataclass(frozen=True)
class Columns:
    """Where lines cross the columns of a picture.

    Attributes
    ----------
    column : ndarray of int32, shape (n,)
    before, after : ndarray of int32, shape (n, 4)
        Segments between which the value lies one column left of a column's left edge, at this edge, at its right edge,
        and one column right of that.
    share : ndarray of float32, shape (n, 4)
        How near it is to the latter.
    """

    column: I32
    before: I32
    after: I32
    share: F32

    def paint(
        self, picture: U8, values: F32, rows: tuple[float, float], room: tuple[int, int], colour: F32, width: float
    ) -> None:
        """Draw the lines.

        Parameters
        ----------
        picture : ndarray of uint8, shape (height, width, 3)
        values : ndarray of float32, shape (segments,)
            nan: no line there.
        rows : tuple of float
            Row at value 0, and rows per unit.
        room : tuple of int
            First row to draw on, and the first not to.
        colour : ndarray of float32, shape (3,)
        width : float
            Of the lines, pixels.
        """
        y = rows[0] + rows[1] * (self.share * values[self.after] + (1 - self.share) * values[self.before])
        fine = np.flatnonzero(~np.isnan(y).any(axis=1))
        y, column = y[fine].astype(np.float32), self.column[fine]
        half = np.float32(width / 2 + 0.5)
        low = np.clip(np.floor(y.min(axis=1) - half), *room).astype(np.int32)
        high = np.clip(np.ceil(y.max(axis=1) + half), *room).astype(np.int32)
        # across: how much farther the line is above a pixel than it is away from it
        middle, steep = (y[:, 1] + y[:, 2]) / 2, y[:, 2] - y[:, 1]
        across = 1 / np.sqrt(1 + steep * steep)
        count = (high - low).astype(np.int64)
        line = np.repeat(np.arange(len(count)), count)
        row = low[line] + (np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)).astype(np.int32)
        away = np.abs(row + np.float32(0.5) - middle[line]) * across[line]
        cover = np.clip(half - away, 0, 1)
        wide = picture.shape[1]
        keep = cover > 1 / 255
        pixel, cover = (row * wide + column[line])[keep], cover[keep]
        most = np.zeros((room[1] - room[0]) * wide, np.float32)
        np.maximum.at(most, pixel - room[0] * wide, cover)
        pixel = np.flatnonzero(most)
        flat = picture[room[0] : room[1]].reshape(-1, 3)
        under = flat[pixel]
        flat[pixel] = (under + most[pixel, None] * (colour - under) + 0.5).astype(np.uint8)


def columns(lines: list[Path], left: float, per_um: float) -> Columns:
    """Work out where lines cross columns: distance 0 is at column `left`, `per_um` pixels are one um."""
    parts = []
    for line in lines:
        x = left + per_um * line.distance
        first, last = round(x[0]), round(x[-1])
        column = np.arange(first, max(last, first + 1))
        edge = column[:, None] + np.array([-1, 0, 1, 2])
        index = np.clip(np.searchsorted(x, edge, side="right") - 1, 0, len(x) - 2)
        gap = np.maximum(x[index + 1] - x[index], 1e-9)
        share = np.clip((edge - x[index]) / gap, 0, 1)
        parts.append((column, line.segment[index], line.segment[index + 1], share))
    column, before, after, share = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Columns(column.astype(np.int32), before, after, share.astype(np.float32))
