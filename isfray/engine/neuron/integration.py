"""Advancing the cell in time: NEURON's fixed step, or the same steps by CoreNEURON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from isfray.engine.neuron.build import REPLACES, Progress, build, has_coreneuron
from isfray.errors import InputError
from isfray.model.soundness import n_steps

ENGINES = ("coreneuron", "neuron")
"""CoreNEURON computes the same steps several times faster; NEURON is the reference."""

# All that CoreNEURON's Python side can be told, whatever it was told before
_CORENEURON = {
    "enable": True,
    "verbose": 0,
    "gpu": False,
    "num_gpus": 0,
    "cell_permute": 0,
    "warp_balance": 0,
    "file_mode": False,
    "prcellstate": -1,
    "model_stats": False,
    "model_path": None,
    "save_path": None,
    "restore_path": None,
    "skip_write_model_to_disk": False,
}


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


class _First:
    """Globals of mechanisms in this process's first run by CoreNEURON."""

    mechanism_globals: Mapping[str, float] | None = None


def engine_for(engine: str, mechanism_globals: Mapping[str, float]) -> str:
    """Return the engine that can do a run in this process.

    CoreNEURON as it comes keeps the globals of its first run for ever; where mod/globals.hpp does not mend that, runs
    with others go to NEURON, and a line says so.
    """
    if engine == "neuron" or REPLACES:
        return engine
    if _First.mechanism_globals is None:
        _First.mechanism_globals = dict(mechanism_globals)
    if mechanism_globals == _First.mechanism_globals:
        return engine
    print(
        "engine neuron, several times slower: here CoreNEURON keeps the globals of mechanisms of a process's first run",
        file=sys.stderr,
    )
    return "neuron"


def prepare(engine: str, progress: Progress | None = None) -> None:
    """Build what an engine needs on this machine, unless that was done before."""
    build(progress)
    if engine == "coreneuron":
        build(progress, coreneuron=True)


def advance(h: Any, engine: str, t_stop: float) -> None:
    """Advance from t = 0 until `t_stop` (ms) is reached: fadvance while t < t_stop (docs/formats.md, Integration)."""
    if engine == "neuron":
        while h.t < t_stop:
            h.fadvance()
        return
    from neuron import coreneuron

    with coreneuron(**_CORENEURON):
        # It is told the end in some digits only, divides by dt and drops the rest: half a step more is none, and safe.
        h.ParallelContext().psolve((n_steps(t_stop, h.dt) + 0.5) * h.dt)
