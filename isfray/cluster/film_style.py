"""How a film looks, as it is asked for: checked before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from isfray.cluster.asking import whole
from isfray.errors import InputError
from isfray.visual.canvas import Look, look
from isfray.visual.colours import colour_map
from isfray.visual.histogram import Stimulus


class Common(TypedDict, total=False):
    """What films and stills have in common; see `animate_3d`."""

    variable: str
    stimulus: Stimulus
    limits: tuple[float, float] | None
    by: str
    colours: Mapping[str, str] | None
    flash: float
    trace: bool
    axon: bool
    preset: str
    size: tuple[int, int] | None
    theme: str | None
    tolerance: float
    workers: int | None
    progress: bool


class Eye(TypedDict, total=False):
    """How the cell is looked at in 3D; see `animate_3d`."""

    cmap: str | None
    azimuth: float
    elevation: float
    thickness: float


class Style3D(Common, Eye, total=False):
    """Both."""


def checked(given: Common | Style3D) -> Look:
    """Return the look; InputError for a style that cannot be."""
    how = look(given.get("preset", "paper"), given.get("size"), given.get("theme"))
    colour_map(given.get("cmap"), how.theme)  # type: ignore[arg-type]
    if (limits := given.get("limits")) is not None:
        fine = len(limits) == 2 and all(np.isfinite(v) for v in limits) and limits[0] < limits[1]
        if not fine:
            raise InputError("are no limits", key="limits", value=limits, expected="(least, greatest)")
    for key in ("azimuth", "elevation"):
        finite(key, given.get(key, 0.0))
    for key in ("flash", "thickness", "tolerance"):
        value = finite(key, given.get(key, 1.0))
        if value <= 0:
            raise InputError("is not positive", key=key, value=value, expected="> 0")
    if given.get("workers") is not None:
        whole("workers", given["workers"], 1)
    unknown = sorted(given.keys() - Style3D.__annotations__.keys() - Common.__annotations__.keys())
    if unknown:
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}")
    return how


def finite(key: str, value: Any) -> float:
    """Return a number; InputError if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise InputError("is no number", key=key, value=value)
    return float(value)
