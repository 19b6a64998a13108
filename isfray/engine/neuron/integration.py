"""Advancing the cell in time: NEURON's fixed step, or the same steps by CoreNEURON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from isfray.engine.neuron.coreneuron import patch
from isfray.model.clock import n_steps

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


class _First:
    """Globals of mechanisms in this process's first run by CoreNEURON."""

    mechanism_globals: Mapping[str, float] | None = None


def engine_for(engine: str, mechanism_globals: Mapping[str, float]) -> str:
    """Return the engine that can do a run in this process.

    CoreNEURON as it comes keeps the globals of its first run for ever; where coreneuron/globals.hpp does not mend that,
    runs with others go to NEURON, and a line says so.
    """
    if engine == "neuron" or patch().functions:
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
