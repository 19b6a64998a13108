"""What NEURON and CoreNEURON keep for a whole process: set in full before every run, so that nothing earlier stays.

Their globals, defaults of ions, integrator and threads belong to no model. Neither do other cells that live in the
process: they are integrated along, and change the last bits of every voltage. So one rig at a time is there: a
simulator builds its own anew after another one has been at work.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

EVENTS_KEPT = 100_000
"""Events that CoreNEURON may take from NEURON's queue before that is freed: some 8 MB, and some ms."""
# NEURON's defaults, mM
_CONCENTRATIONS = {
    "nai0_na_ion": 10.0,
    "nao0_na_ion": 140.0,
    "ki0_k_ion": 54.4,
    "ko0_k_ion": 2.5,
    "cai0_ca_ion": 5e-5,
    "cao0_ca_ion": 2.0,
}


@cache
def global_defaults(h: Any) -> dict[str, float]:
    """Every global of every mechanism, as it was when the mechanisms were loaded: the first call counts.

    Parameters
    ----------
    h : neuron.h
        With the mechanisms loaded.
    """
    found = {}
    for point_processes in (0, 1):
        kinds, name = h.MechanismType(point_processes), h.ref("")
        for i in range(int(kinds.count())):
            kinds.select(i)
            kinds.selected(name)
            standard, parameter = h.MechanismStandard(name[0], -1), h.ref("")
            for j in range(int(standard.count())):
                standard.name(parameter, j)
                found[parameter[0]] = float(getattr(h, parameter[0]))
    return found | {name: value for name, value in _CONCENTRATIONS.items() if name in found}


def set_state(h: Any, *, dt: float, celsius: float, mechanism_globals: Mapping[str, float]) -> None:
    """Set everything that a run depends on and no cell holds; what was recorded before may be gone afterwards.

    Parameters
    ----------
    h : neuron.h
    dt : float
        Time step, ms.
    celsius : float
        Temperature, degC.
    mechanism_globals : mapping
        Globals that differ from their defaults, by full name.
    """
    for name, value in {**global_defaults(h), **mechanism_globals}.items():
        setattr(h, name, value)
    solver, context = h.CVode(), h.ParallelContext()
    solver.active(False)
    solver.use_fast_imem(False)
    if context.nthread() != 1:
        context.nthread(1)
    context.set_maxstep(max(10.0, 4 * dt))  # ms; the longest that events may be under way unseen
    if Place.events > EVENTS_KEPT:
        _free_event_queue(h)
        Place.events = 0
    h.stoprun = h.secondorder = 0
    h.celsius, h.dt = celsius, dt


def _free_event_queue(h: Any) -> None:
    """Let NEURON build its event queue anew, with the memory of a new one.

    CoreNEURON takes the events out of NEURON's queue, and what held them is lost to the queue's pool: some 80 bytes an
    event, for ever. A simulation with another number of threads makes NEURON throw the pool away.
    """
    context = h.ParallelContext()
    context.nthread(2)
    h.finitialize()
    context.nthread(1)


class Place:
    """A simulator's place in this process's NEURON, which it has to itself while it is at work.

    Attributes
    ----------
    events : int
        Posted in this process since NEURON's queue was last freed.
    """

    events = 0
    _taken: weakref.ref[Place] | None = None

    def __init__(self) -> None:
        self._rig: Any = None

    def rig(self, build: Callable[[], Any]) -> Any:
        """Return the rig, built anew if another simulator was at work since."""
        at_work = Place._taken() if Place._taken is not None else None
        if at_work is not self:
            if at_work is not None:
                at_work._rig = None
            Place._taken = weakref.ref(self)
        if self._rig is None:
            self._rig = build()
        return self._rig
