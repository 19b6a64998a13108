"""Currents put into the cell by an experimenter's electrode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from isfray.check import items, nearest, number
from isfray.errors import InputError
from isfray.model import ranges
from isfray.model.sites import section_id


@dataclass(frozen=True)
class CurrentClamp:
    """A step of current at one place of the cell.

    Attributes
    ----------
    section : str or int
        Section id, or a label: its first section.
    x : float
        Where in the section, 0 to 1.
    delay, dur : float
        Start and duration in ms.
    amp : float
        Amplitude in nA.

    Examples
    --------
    >>> step = isfray.CurrentClamp("Soma", delay=20.0, dur=20.0, amp=1.5)
    >>> isfray.Simulator(cell, clamp=[step]).run(t_stop=50.0)
    <TrialResult trial 0: 50 ms, 2 spikes at the soma, 0 releases>
    """

    section: str | int = "Soma"
    x: float = 0.5
    delay: float = 100.0
    dur: float = 100.0
    amp: float = 0.0


@dataclass(frozen=True)
class EpspCurrent:
    """An EPSP-shaped current at one place: peak `imax` in nA, `onset`, `tau0`, `tau1` in ms.

    (docs/formats.md, Receptors)
    """

    section: int
    x: float
    onset: float
    imax: float
    tau0: float
    tau1: float


Clamps = Iterable[CurrentClamp | Mapping[str, Any]]
_EXPECTED = "CurrentClamp(section, x, delay, dur, amp), or a mapping of these"
_RANGES: Mapping[str, ranges.Range] = {
    "x": ranges.Range(least=0.0, most=1.0),
    "delay": ranges.DURATION,
    "dur": ranges.DURATION,
    "amp": ranges.CURRENT,
}


def read_clamps(clamps: Any, labels: tuple[str, ...]) -> tuple[CurrentClamp, ...]:
    """Return checked clamps (`Clamps`) with section ids, for a cell whose sections carry these labels.

    Raises
    ------
    InputError
        On an unknown key, a section that does not exist, x outside 0..1, a negative time, or more than 100 nA.
    """
    if isinstance(clamps, CurrentClamp | Mapping):
        clamps = [clamps]
    return tuple(_checked(clamp, f"clamp[{i}]", labels) for i, clamp in enumerate(items("clamp", clamps, _EXPECTED)))


def _checked(clamp: CurrentClamp | Mapping[str, Any], where: str, labels: tuple[str, ...]) -> CurrentClamp:
    if not isinstance(clamp, CurrentClamp | Mapping):
        raise InputError("is not a current clamp", key=where, value=clamp, expected=_EXPECTED)
    values = asdict(clamp) if isinstance(clamp, CurrentClamp) else dict(clamp)
    known = [f.name for f in fields(CurrentClamp)]
    for key in values:
        if key not in known:
            raise InputError("is not a known key", key=f"{where}.{key}", expected=nearest(str(key), known))
    clamp = CurrentClamp(**values)
    numbers = {name: number(f"{where}.{name}", getattr(clamp, name), **bounds) for name, bounds in _RANGES.items()}
    return CurrentClamp(section_id(f"{where}.section", clamp.section, labels), **numbers)
