"""Advancing the cell in time: NEURON's fixed step, or the same steps by CoreNEURON."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from isfray.engine.build import Progress, build, has_coreneuron
from isfray.errors import InputError

EVENTS_KEPT = 100_000
"""Events that CoreNEURON may take from NEURON's queue before that is freed: some 8 MB, and some ms."""
ENGINES = ("coreneuron", "neuron")
"""CoreNEURON computes the same steps several times faster; NEURON is the reference."""


def chosen_engine(engine: str | None) -> str:
    """Return the engine to use: the one asked for, or the fastest that this NEURON comes with.

    Raises
    ------
    InputError
        For an engine that does not exist.
    """
    if engine is not None and not (isinstance(engine, str) and engine in ENGINES):
        raise InputError("is no engine", key="engine", value=engine, expected=" or ".join(ENGINES))
    if engine is None and not has_coreneuron():
        print("engine neuron, several times slower: this NEURON came without CoreNEURON", file=sys.stderr)
        return "neuron"
    return engine or ENGINES[0]


def prepare(engine: str, progress: Progress | None = None) -> None:
    """Build what an engine needs on this machine, unless that was done before."""
    build(progress)
    if engine == "coreneuron":
        build(progress, coreneuron=True)


def advance(h: Any, engine: str, t_stop: float) -> None:
    """Advance from t = 0 until `t_stop` (ms) is reached: fadvance while t < t_stop (FORMATS 11)."""
    if engine == "neuron":
        while h.t < t_stop:
            h.fadvance()
        return
    from neuron import coreneuron

    context = h.ParallelContext()
    context.set_maxstep(10)
    coreneuron.enable, coreneuron.verbose = True, 0
    try:
        context.psolve(n_steps(t_stop, h.dt) * h.dt)  # which divides by dt again, with some slack
    finally:
        coreneuron.enable = False


def free_event_queue(h: Any) -> None:
    """Let NEURON build its event queue anew, with the memory of a new one.

    CoreNEURON takes the events out of NEURON's queue, and what held them is lost to the queue's pool: some 80 bytes an
    event, for ever. A simulation with another number of threads makes NEURON throw the pool away.
    """
    context = h.ParallelContext()
    context.nthread(2)
    h.finitialize()
    context.nthread(1)


def n_steps(t_stop: float, dt: float) -> int:
    """Return how many fixed steps NEURON takes while t < t_stop, t being summed in floating point by half steps."""
    expected = int(t_stop / dt)
    t = np.cumsum(np.full(2 * (expected + 3), 0.5 * dt))[1::2]
    return int(np.searchsorted(t, t_stop)) + 1
