"""The engines there are, by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from isfray.check import whole
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
        return _whole_kind(engine)
    raise InputError("is no engine", key="engine", value=engine, expected=" or ".join(ENGINES))


def _whole_kind(kind: type[Engine]) -> type[Engine]:
    """Return an engine of someone's own that says all that has to be known of it."""
    if lacking := sorted(kind.__abstractmethods__):
        expected = f"a class with {' and '.join(lacking)}"
        raise InputError("is no whole engine", key="engine", value=kind.__name__, expected=expected)
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not name or KINDS.get(name, kind) is not kind:
        raise InputError("is no name of an engine", key="engine.name", value=name, expected="a text that is not taken")
    whole("engine.group", kind.group, 1)
    if not isinstance(kind.resources, Mapping):
        raise InputError("are none", key="engine.resources", value=kind.resources, expected='such as {"num_cpus": 1}')
    return kind
