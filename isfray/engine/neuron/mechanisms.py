"""The ion channels, calcium pools and synapses, loaded into the NEURON of this process."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from isfray.engine.neuron.build import Progress, build
from isfray.engine.neuron.process import global_defaults
from isfray.errors import InputError

_PROBE = "NaTa_t"  # a mechanism that NEURON knows once the library is loaded


def load(progress: Progress | None = None, *, coreneuron: bool = False) -> Any:
    """Build the mechanisms if need be, load them once into this process, and return NEURON's ``h``.

    Import NEURON through this function only, before anything else imports it: then it prints nothing and loads no
    ``x86_64`` folder it may find in the working folder.

    Parameters
    ----------
    progress : callable, optional
        As in `isfray.engine.neuron.build.build`.
    coreneuron : bool
        Also build the CoreNEURON library, and name it to NEURON.

    Returns
    -------
    neuron.h
        The interpreter, with every mechanism of ``mod/``.

    Raises
    ------
    InputError
        If they cannot be built, or this NEURON holds other mechanisms of the same names already.
    """
    library = build(progress)
    if coreneuron:
        os.environ["CORENEURONLIB"] = str(build(progress, coreneuron=True))
    if "neuron" not in sys.modules:
        _import_neuron(library)
    h = importlib.import_module("neuron").h
    if not hasattr(h, _PROBE):  # a second nrn_load_dll of the same mechanisms is an error, or worse
        h.nrn_load_dll(str(library))
    _refuse_others(h, library)
    global_defaults(h)
    return h


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


def _refuse_others(h: Any, library: Path) -> None:
    # Mechanisms of the same names from elsewhere would be simulated without a word.
    kind = h.MechanismType(0)
    kind.select(_PROBE)
    key = library.parent.name  # NEURON remembers the folder it was compiled in, and the build names that by its key
    if not any(part.startswith(key) for part in Path(kind.file()).parts):
        raise InputError(
            "is in this process's NEURON already, compiled elsewhere",
            file=kind.file(),
            key=_PROBE,
            expected="no other compiled mechanisms (is there an x86_64 folder in the working folder?)",
        )
