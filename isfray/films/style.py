"""How a film or still looks, as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isfray.check import number
from isfray.errors import InputError
from isfray.films.flashes import FLASH
from isfray.films.scene3d import THICKNESS
from isfray.look.canvas import Look, look
from isfray.look.colours import colour_map
from isfray.look.stimulus import Stimulus
from isfray.runs import session
from isfray.runs.replay import TOLERANCE

_THICKEST = 20.0  # times as thick as they are: dendrites fill the picture before


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one trial is shown; `animate_3d` tells what each attribute is. InputError for a style that cannot be."""

    by: str = "celltype"
    variable: str = "v"
    stimulus: Stimulus = "network"
    limits: tuple[float, float] | None = None
    colours: Mapping[str, str] | None = None
    flash: float = FLASH
    trace: bool = True
    axon: bool = False
    preset: str = "paper"
    size: tuple[int, int] | None = None
    theme: str | None = None
    cmap: str | None = None
    azimuth: float = 0.0
    elevation: float = 0.0
    thickness: float = THICKNESS
    tolerance: float = TOLERANCE
    workers: int | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        colour_map(self.cmap, self.look.theme)
        if self.limits is not None:
            object.__setattr__(self, "limits", _limits(self.limits))
        number("azimuth", self.azimuth)
        number("elevation", self.elevation)
        number("flash", self.flash, above=0.0)
        number("tolerance", self.tolerance, above=0.0)
        number("thickness", self.thickness, above=0.0, most=_THICKEST)
        session.check_workers(self.workers)

    @cached_property
    def look(self) -> Look:
        """Size and colours of the picture."""
        return look(self.preset, self.size, self.theme)


def _limits(given: tuple[float, float]) -> tuple[float, float]:
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray) or len(given) != 2:
        raise InputError("are no limits", key="limits", value=given, expected="(least, greatest)")
    low, high = number("limits[0]", given[0]), number("limits[1]", given[1])
    if not low < high:
        raise InputError("are no limits", key="limits", value=given, expected="(least, greatest)")
    return low, high
