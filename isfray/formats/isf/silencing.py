"""The modify functions of a network file (docs/formats.md, Network modify functions)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from isfray.formats.isf.param import ParamFile
from isfray.formats.isf.validation import known_keys, validate
from isfray.model.inputs import Key
from isfray.model.silencing import MODIFY_FUNCTIONS, SilenceBySomaDistance


def read_modify_functions(
    data: Any, populations: Collection[str], param: ParamFile, path: Key
) -> tuple[SilenceBySomaDistance, ...]:
    """Return the modify functions of a network file, in key order.

    Raises
    ------
    InputError
        For a function, population or spike source that is not known, or a range that is none.
    """
    if not isinstance(data, dict):
        raise param.error(path, "is not a mapping", expected="modify functions by name")
    known_keys(data, MODIFY_FUNCTIONS, param, path)
    functions = tuple(validate(MODIFY_FUNCTIONS[name], kwargs, param, (*path, name)) for name, kwargs in data.items())
    for name, function in zip(data, functions, strict=True):
        known_keys(dict(function.soma_dist_ranges), populations, param, (*path, name, "soma_dist_ranges"))
    return functions
