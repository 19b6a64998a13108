"""A camera that sees the upright cell without perspective, from any side."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from isfray.arrays import F64
from isfray.films.capsules import Capsules


@dataclass(frozen=True)
class Camera:
    """Where points of the cell appear on the picture.

    Attributes
    ----------
    azimuth, elevation : float
        Turn about the upright axis and height above the horizon, degrees; 0 and 0 show the dendrites' greatest width.
    scale : float
        Pixels per um.
    centre : tuple of float
        Column and row of the soma's centre, pixels from the upper left corner of the picture.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    scale: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)

    def turned(self, degrees: float) -> Camera:
        """Return the camera moved about the upright axis."""
        return replace(self, azimuth=self.azimuth + degrees)

    def see(self, points: F64) -> tuple[F64, F64]:
        """Project points, shape (..., 3) in um.

        Returns
        -------
        ndarray, ndarray, shapes (..., 2) and (...)
            Column and row, pixels; distance from the plane of the soma, um, greater farther away.
        """
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        across = points[..., 0] * math.cos(a) + points[..., 1] * math.sin(a)
        away = points[..., 1] * math.cos(a) - points[..., 0] * math.sin(a)
        up = points[..., 2] * math.cos(e) + away * math.sin(e)
        depth = away * math.cos(e) - points[..., 2] * math.sin(e)
        column, row = self.centre[0] + self.scale * across, self.centre[1] - self.scale * up
        return np.stack([column, row], axis=-1), depth


def fitted(
    shape: Capsules, box: tuple[float, float, float, float], *, azimuth: float, elevation: float, turn: float = 0.0
) -> Camera:
    """Return the camera that shows the whole cell as large as the box allows.

    Parameters
    ----------
    shape : Capsules
    box : tuple of float
        Left, top, right and bottom of the room for it, pixels.
    azimuth, elevation : float
        Degrees.
    turn : float
        How far the camera will turn, degrees: the cell stays in the box on the way.
    """
    reach = shape.radius.max(axis=1)[:, None, None]
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    steps = int(abs(turn) / 5.0) + 1
    for at in np.linspace(0.0, turn, steps + 1)[: None if turn else 1]:
        seen = Camera(azimuth + float(at), elevation).see(shape.ends)[0]
        low = np.minimum(low, (seen - reach).min(axis=(0, 1)))
        high = np.maximum(high, (seen + reach).max(axis=(0, 1)))
    left, top, right, bottom = box
    scale = float(min((right - left) / (high[0] - low[0]), (bottom - top) / (high[1] - low[1])))
    middle = (low + high) / 2 * scale
    return Camera(azimuth, elevation, scale, ((left + right) / 2 - middle[0], (top + bottom) / 2 - middle[1]))
