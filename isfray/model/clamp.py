"""Currents put into the cell by an experimenter's electrode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from isfray.check import nearest
from isfray.errors import InputError


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
    """An EPSP-shaped current at one place (`epsp`, FORMATS 15.5): peak `imax` in nA, `onset`, `tau0`, `tau1` in ms."""

    section: int
    x: float
    onset: float
    imax: float
    tau0: float
    tau1: float


Clamps = Iterable[CurrentClamp | Mapping[str, Any]]


def read_clamps(clamps: Clamps, labels: tuple[str, ...]) -> tuple[CurrentClamp, ...]:
    """Return checked clamps with section ids, for a cell whose sections carry these labels.

    Raises
    ------
    InputError
        On an unknown key, a section that does not exist, x outside 0..1, or a negative time.
    """
    if isinstance(clamps, CurrentClamp | Mapping):
        clamps = [clamps]
    return tuple(_checked(clamp, f"clamp[{i}]", labels) for i, clamp in enumerate(clamps))


def _checked(clamp: CurrentClamp | Mapping[str, Any], where: str, labels: tuple[str, ...]) -> CurrentClamp:
    values = asdict(clamp) if isinstance(clamp, CurrentClamp) else dict(clamp)
    known = [f.name for f in fields(CurrentClamp)]
    for key in values:
        if key not in known:
            raise InputError("is not a known key", key=f"{where}.{key}", expected=nearest(key, known))
    clamp = CurrentClamp(**values)
    section = labels.index(clamp.section) if clamp.section in labels else clamp.section
    if not isinstance(section, int) or isinstance(section, bool) or not 0 <= section < len(labels):
        expected = f"an id below {len(labels)} or one of {', '.join(dict.fromkeys(labels))}"
        raise InputError("is not a section", key=f"{where}.section", value=section, expected=expected)
    numbers = {name: getattr(clamp, name) for name in ("x", "delay", "dur", "amp")}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise InputError("is not a number", key=f"{where}.{name}", value=value, expected="a number")
        if (name in ("delay", "dur") and value < 0) or (name == "x" and not 0 <= value <= 1):
            expected = "0 to 1" if name == "x" else ">= 0 ms"
            raise InputError("is out of range", key=f"{where}.{name}", value=value, expected=expected)
    return CurrentClamp(section, *(float(v) for v in numbers.values()))
