"""How a film looks, as it is asked for: checked before anything is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from isfray.check import number
from isfray.errors import InputError
from isfray.figures.histogram import Stimulus
from isfray.look.canvas import Look, look
from isfray.look.colours import colour_map
from isfray.runs import session

_THICKEST = 20.0  # times as thick as they are: dendrites fill the picture before


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
        if isinstance(limits, str) or not isinstance(limits, Sequence | np.ndarray) or len(limits) != 2:
            raise InputError("are no limits", key="limits", value=limits, expected="(least, greatest)")
        given["limits"] = low, high = number("limits[0]", limits[0]), number("limits[1]", limits[1])
        if not low < high:
            raise InputError("are no limits", key="limits", value=limits, expected="(least, greatest)")
    for key in ("azimuth", "elevation"):
        number(key, given.get(key, 0.0))
    for key in ("flash", "tolerance"):
        number(key, given.get(key, 1.0), above=0.0)
    number("thickness", given.get("thickness", 1.0), above=0.0, most=_THICKEST)
    session.check_workers(given.get("workers"))
    unknown = sorted(given.keys() - Style3D.__annotations__.keys() - Common.__annotations__.keys())
    if unknown:
        raise TypeError(f"unexpected keyword argument {unknown[0]!r}")
    return how
