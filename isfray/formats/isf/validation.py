"""The boundary between a parsed `.param` file and validated data: pydantic's findings, told as one InputError.

A key whose value is null says nothing: it is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from isfray.check import nearest
from isfray.errors import Key
from isfray.formats.isf.param import ParamFile

M = TypeVar("M", bound=BaseModel)


def validate(kind: type[M], data: Any, param: ParamFile, path: Key, *, siblings: Iterable[str] = ()) -> M:
    """Return `data` as a validated `kind`; InputError naming file, line and key if it is not one.

    A field's description is what the error says was expected.

    Parameters
    ----------
    kind : type of BaseModel
        What the mapping should be.
    data : Any
        The mapping found at `path`.
    param : ParamFile
        File it stands in.
    path : tuple
        Where in the file it stands.
    siblings : iterable of str
        Other keys known at this place: only offered where a key is misspelt.
    """
    fields = {field.alias or name: field for name, field in kind.model_fields.items()}
    said = given(data, param, path)
    known_keys(said, fields, param, path, siblings=siblings)
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
    at = (*path, *found["loc"])
    expected = _expected(fields.get(str(found["loc"][0])) if found["loc"] else None)
    match found["type"]:
        case "missing":
            raise param.error(at, "is missing", expected=expected)
        case "value_error":
            problem, _, wanted = str(found["ctx"]["error"]).partition("; expected ")
            raise param.error(at, problem, expected=wanted or expected)
        case found_type if found_type.endswith(("_type", "_parsing")):
            raise param.error(at, "is not of the right type", expected=expected or found["msg"])
        case _:
            raise param.error(at, "is out of range", expected=expected or found["msg"])


def given(data: Any, param: ParamFile, path: Key) -> dict[str, Any]:
    """Return the keys of a mapping that say something; InputError if it is no mapping."""
    if not isinstance(data, dict):
        raise param.error(path, "is not a mapping", expected="{ key: value, ... }")
    return {key: value for key, value in data.items() if value is not None}


def known_keys(
    data: Iterable[str], known: Iterable[str], param: ParamFile, path: Key, *, siblings: Iterable[str] = ()
) -> None:
    """Raise InputError if a key is not known; the nearest known key is named."""
    names = list(known)
    for key in data:
        if key not in names:
            raise param.error((*path, key), "is not a known key", expected=nearest(key, [*names, *siblings]))


def _expected(field: FieldInfo | None) -> str | None:
    return field.description if field else None
