"""The ion channels, calcium pool and synapses, loaded into this process's NEURON."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from isfray.engine.build import Progress, build
from isfray.model.errors import InputError

_PROBE = "NaTa_t"  # a mechanism that is there if and only if the library is


def load(progress: Progress | None = None, *, coreneuron: bool = False) -> Any:
    """Build the mechanisms if need be, load them once, and return NEURON's ``h``.

    Parameters
    ----------
    progress : callable, optional
        As in `isfray.engine.build.build`.
    coreneuron : bool
        Load the build that ``engine="coreneuron"`` needs.

    Returns
    -------
    neuron.h
        The interpreter, with every mechanism of ``mod/``.

    Raises
    ------
    InputError
        If they cannot be built, or NEURON already holds other mechanisms of the same names.
    """
    library = build(progress, coreneuron=coreneuron)
    if "neuron" not in sys.modules:
        _import_neuron(library)
    h = _h()
    if not hasattr(h, _PROBE):
        h.nrn_load_dll(str(library))
    _refuse_others(h, library)
    return h


def _h() -> Any:
    return importlib.import_module("neuron").h


def _import_neuron(library: Path) -> None:
    # A named library keeps NEURON from loading an x86_64 folder it may find in the working folder.
    before = os.environ.get("NEURON_MODULE_OPTIONS")
    named = "" if any(c.isspace() for c in str(library)) else f" -dll {library}"
    os.environ["NEURON_MODULE_OPTIONS"] = f"{before or ''} -nogui{named}".strip()
    try:
        _h()
    finally:
        if before is None:
            del os.environ["NEURON_MODULE_OPTIONS"]
        else:
            os.environ["NEURON_MODULE_OPTIONS"] = before


def _refuse_others(h: Any, library: Path) -> None:
    # Mechanisms of another folder with the same names would be simulated silently.
    kind = h.MechanismType(0)
    kind.select(_PROBE)
    key = library.parent.parent.name  # a build is made in a folder named by its key, which NEURON remembers
    if not any(part.startswith(key) for part in Path(kind.file()).parts):
        raise InputError(
            "is in this process's NEURON already, from elsewhere",
            file=kind.file(),
            key=_PROBE,
            expected="no other compiled mechanisms (is there an x86_64 folder in the working folder?)",
        )
