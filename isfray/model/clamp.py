"""Currents put into the cell by an experimenter's electrode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Integral
from typing import Any

from isfray.check import nearest, number
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


def read_clamps(clamps: Any, labels: tuple[str, ...]) -> tuple[CurrentClamp, ...]:
    """Return checked `Clamps` with section ids, for a cell whose sections carry these labels.

    Raises
    ------
    InputError
        On an unknown key, a section that does not exist, x outside 0..1, or a negative time.
    """
    if isinstance(clamps, CurrentClamp | Mapping):
        clamps = [clamps]
    if isinstance(clamps, str) or not isinstance(clamps, Iterable):
        raise InputError("is no list of clamps", key="clamp", value=clamps, expected='[{"section": ..., "amp": ...}]')
    return tuple(_checked(clamp, f"clamp[{i}]", labels) for i, clamp in enumerate(clamps))


def _checked(clamp: Any, where: str, labels: tuple[str, ...]) -> CurrentClamp:
    if not isinstance(clamp, CurrentClamp | Mapping):
        raise InputError("is no clamp", key=where, value=clamp, expected='{"section": ..., "amp": ...}')
    values = asdict(clamp) if isinstance(clamp, CurrentClamp) else dict(clamp)
    known = [f.name for f in fields(CurrentClamp)]
    for key in values:
        if key not in known:
            raise InputError("is not a known key", key=f"{where}.{key}", expected=nearest(key, known))
    clamp = CurrentClamp(**values)
    section: Any = clamp.section
    if isinstance(section, str) and section in labels:
        section = labels.index(section)
    if isinstance(section, bool) or not isinstance(section, Integral) or not 0 <= int(section) < len(labels):
        expected = f"an id below {len(labels)} or one of {', '.join(dict.fromkeys(labels))}"
        raise InputError("is not a section", key=f"{where}.section", value=section, expected=expected)
    return CurrentClamp(
        int(section),
        number(f"{where}.x", clamp.x, least=0.0, most=1.0),
        number(f"{where}.delay", clamp.delay, least=0.0, unit="ms"),
        number(f"{where}.dur", clamp.dur, least=0.0, unit="ms"),
        number(f"{where}.amp", clamp.amp, unit="nA"),
    )
