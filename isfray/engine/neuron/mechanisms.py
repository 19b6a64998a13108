"""The ion channels, calcium pools and synapses, loaded into the NEURON of this process."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from isfray.engine.engine import Progress
from isfray.engine.neuron.build import build
from isfray.engine.neuron.process import global_defaults
from isfray.errors import InputError
from isfray.formats.nmodl import own_mechanisms
from isfray.model.mechanisms import MechanismSet


def load(mechanisms: MechanismSet | None = None, progress: Progress | None = None, *, coreneuron: bool = False) -> Any:
    """Build mechanisms if need be, load them once into this process, and return NEURON's ``h``.

    Import NEURON through this function only, before anything else imports it: then it prints nothing and loads no
    ``x86_64`` folder it may find in the working folder.

    Parameters
    ----------
    mechanisms : MechanismSet, optional
        By default isfray's own. A process can load one set only.
    progress : callable, optional
        As in `isfray.engine.neuron.build.build`.
    coreneuron : bool
        Also build the CoreNEURON library, and name it to NEURON.

    Returns
    -------
    neuron.h
        The interpreter, with every mechanism of the set.

    Raises
    ------
    InputError
        If they cannot be built, or this NEURON holds other mechanisms already.
    """
    mechanisms = own_mechanisms() if mechanisms is None else mechanisms
    if _Loaded.mechanisms not in (None, mechanisms):
        raise InputError(
            "are not those that this process has loaded, and NEURON cannot unload any",
            key="mechanisms",
            value=mechanisms.place,
            expected="a process of their own",
        )
    library = build(mechanisms, progress)
    if coreneuron:
        os.environ["CORENEURONLIB"] = str(build(mechanisms, progress, coreneuron=True))
    if "neuron" not in sys.modules:
        _import_neuron(library)
    h = importlib.import_module("neuron").h
    if not _already_in(h, mechanisms, library):  # a second nrn_load_dll of the same mechanisms is an error, or worse
        h.nrn_load_dll(str(library))
    _Loaded.mechanisms = mechanisms
    global_defaults(h)
    return h


class _Loaded:
    """What this process has loaded, for good."""

    mechanisms: MechanismSet | None = None


def _import_neuron(library: Path) -> None:
    options = os.environ.get("NEURON_MODULE_OPTIONS")
    by_name = "" if any(c.isspace() for c in str(library)) else f"-dll {library}"
    os.environ["NEURON_MODULE_OPTIONS"] = f"{options or ''} -nogui {by_name}".strip()
    try:
        importlib.import_module("neuron")
    finally:
        if options is None:
            del os.environ["NEURON_MODULE_OPTIONS"]
        else:
            os.environ["NEURON_MODULE_OPTIONS"] = options


def _already_in(h: Any, mechanisms: MechanismSet, library: Path) -> bool:
    """Whether this NEURON has the mechanisms of a library; InputError if it has one of a name from elsewhere.

    That would be simulated without a word.
    """
    key, found = library.parent.name, False
    for mechanism in mechanisms.values():
        if not mechanism.file or not hasattr(h, mechanism.name):
            continue
        kind = h.MechanismType(int(mechanism.kind == "point process"))
        kind.select(mechanism.name)
        # NEURON remembers the folder it was compiled in, and the build names that by its key
        if not any(part.startswith(key) for part in Path(kind.file()).parts):
            raise InputError(
                "is in this process's NEURON already, compiled elsewhere",
                file=kind.file(),
                key=mechanism.name,
                expected="no other compiled mechanisms (is there an x86_64 folder in the working folder?)",
            )
        found = True
    return found
