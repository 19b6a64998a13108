"""The engines there are, by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from isfray.engine.engine import Engine
from isfray.engine.neuron.build import has_coreneuron
from isfray.engine.neuron.engine import CoreNeuron, Neuron
from isfray.errors import InputError

KINDS: Mapping[str, type[Engine]] = {kind.name: kind for kind in (CoreNeuron, Neuron)}
ENGINES = tuple(KINDS)
"""CoreNEURON computes the same steps several times faster; NEURON is the reference."""


def engine_kind(engine: Any) -> type[Engine]:
    """Return the engine to use.

    Parameters
    ----------
    engine : str, class or None
        One of `ENGINES`, or a subclass of `Engine`; None for the fastest that this NEURON comes with.

    Raises
    ------
    InputError
        For an engine that does not exist.
    """
    if engine is None:
        if has_coreneuron():
            return CoreNeuron
        print("engine neuron, several times slower: this NEURON came without CoreNEURON", file=sys.stderr)
        return Neuron
    if isinstance(engine, str) and engine in KINDS:
        return KINDS[engine]
    if isinstance(engine, type) and issubclass(engine, Engine):
        if KINDS.get(engine.name, engine) is engine:
            return engine
        raise InputError("is the name of isfray's own", key="engine.name", value=engine.name, expected="another name")
    raise InputError("is no engine", key="engine", value=engine, expected=" or ".join(ENGINES))
