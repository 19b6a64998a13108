"""From a variable's value to a colour: perceptually uniform, and visible on the paper throughout."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, ListedColormap, Normalize
from numpy.typing import NDArray

from isfray.arrays import F32
from isfray.errors import InputError
from isfray.look.canvas import rgb
from isfray.look.style import Theme

_STEPS = 256
# Plasma without the end that the paper swallows.
_PART = {"light": (0.0, 0.87), "dark": (0.17, 1.0)}


@dataclass(frozen=True)
class ColourScale:
    """A map of values to colours.

    Attributes
    ----------
    low, high : float
        Values of the first and the last colour; beyond them these are used.
    table : ndarray of float32, shape (257, 3)
        The colours, 0 to 255, and that of nan.
    """

    low: float
    high: float
    table: F32

    def __call__(self, values: NDArray[np.float32]) -> F32:
        """Return the colours of values, shape (n,); shape (n, 3)."""
        at = np.round((values - self.low) * np.float32((_STEPS - 1) / (self.high - self.low)))
        index = np.clip(np.where(np.isnan(at), _STEPS, np.clip(at, 0, _STEPS - 1)), 0, _STEPS).astype(np.int32)
        return self.table[index]

    @property
    def map(self) -> Colormap:
        """The colours for matplotlib."""
        return ListedColormap(self.table[:_STEPS] / 255)

    @property
    def norm(self) -> Normalize:
        """The limits for matplotlib."""
        return Normalize(self.low, self.high)


def colour_map(name: str | None, theme: Theme) -> F32:
    """Return the colours of a map, shape (256, 3), 0 to 255; InputError if matplotlib has none of this name."""
    if name is not None and (not isinstance(name, str) or name not in mpl.colormaps):
        raise InputError("is no colour map", key="cmap", value=name, expected="a name that matplotlib knows")
    low, high = _PART[theme.name] if name is None else (0.0, 1.0)
    colours: F32 = np.round(mpl.colormaps[name or "plasma"](np.linspace(low, high, _STEPS))[:, :3] * 255)
    return colours.astype(np.float32)


def colour_scale(
    values: NDArray[np.float32], limits: tuple[float, float] | None, cmap: str | None, theme: Theme
) -> ColourScale:
    """Return the scale of a film: from the least to the greatest of these values, unless limits are given."""
    low, high = (float(np.nanmin(values)), float(np.nanmax(values))) if limits is None else limits
    if high - low < 1e-6 * max(abs(low), abs(high), 1e-12):
        low, high = low - max(abs(low), 1e-6) / 2, high + max(abs(high), 1e-6) / 2  # a constant has a colour too
    return ColourScale(low, high, np.vstack([colour_map(cmap, theme), rgb(theme.shade)]))
