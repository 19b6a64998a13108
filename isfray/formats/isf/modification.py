"""`cell_modify_functions` of a cell parameter file (docs/formats.md, Cell modify functions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isfray.check import nearest
from isfray.formats.isf.entry import Entry
from isfray.model import ranges
from isfray.model.modification import Modification
from isfray.model.morphology import APICAL

_REQUIRED: Any = object()

KNOWN: Mapping[str, Mapping[str, Any]] = {
    "scale_apical": {"scale": _REQUIRED, "compartment": APICAL},
    "scale_apical_morph_86": {},
    "soma_current_injection": {"amplitude": _REQUIRED, "delay": _REQUIRED, "duration": _REQUIRED},
    "apical_current_injection": {"amplitude": _REQUIRED, "delay": _REQUIRED, "duration": _REQUIRED, "dist": _REQUIRED},
    "apical_epsp_injection": {"dist": _REQUIRED, "amplitude": _REQUIRED, "delay": _REQUIRED, "rise": 1.0, "decay": 5.0},
    "BAC_injection": {"dist": _REQUIRED},
}
"""Names and their arguments with defaults."""

_RANGES: Mapping[str, ranges.Range] = {
    "scale": ranges.DIAMETER_SCALE,
    "amplitude": ranges.CURRENT,
    "delay": ranges.DURATION,
    "duration": ranges.DURATION,
    "dist": ranges.Range(least=0.0, most=1e5, unit="um"),
    "rise": ranges.TIME_CONSTANT,
    "decay": ranges.TIME_CONSTANT,
}

_REFUSED = {
    "synaptic_input": "one network file with the populations of both networks",
    "scale_morphology": "a morphology file with the wanted points: ISF's function never reached NEURON",
}


def read_modifications(entry: Entry) -> tuple[Modification, ...]:
    """Read `cell_modify_functions`, in key order; InputError on an unknown function or a wrong argument."""
    return tuple(_read(entry, name) for name in entry)


def _read(entry: Entry, name: str) -> Modification:
    if name in _REFUSED:
        raise entry.error(name, "is not supported", expected=_REFUSED[name])
    if name not in KNOWN:
        raise entry.error(name, "is not a cell modify function", expected=nearest(name, KNOWN))
    defaults = KNOWN[name]
    arguments = entry.child(name)
    arguments.only(defaults)
    values: dict[str, Any] = {}
    for key, default in defaults.items():
        if default is _REQUIRED and key not in arguments:
            raise arguments.missing(key, "a number")
        if key == "compartment":
            values[key] = arguments.text(key, default)
            if values[key] not in (APICAL, "Trunk"):
                raise arguments.error(key, "is not a compartment", expected=f"{APICAL} or Trunk")
        else:
            values[key] = arguments.number(key, default, **_RANGES[key])
    if name == "apical_epsp_injection" and ranges.too_alike(values["rise"], values["decay"]):
        raise arguments.error("decay", "equals rise", expected="two different time constants")
    return Modification(name, values)
