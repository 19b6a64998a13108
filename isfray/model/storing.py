"""Writing a model's files into a folder, so that they read back as the same model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from isfray.errors import InputError
from isfray.model.inputs import ModelInputs
from isfray.model.param import format_param

Rename = Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]]
"""Returns the content of a main file with its references renamed."""


def write_inputs(inputs: ModelInputs, data: dict[str, Any], path: str | Path, rename: Rename) -> Path:
    """Write a model's main file to `path`, and the files it refers to beside it; see `NetworkModel.save`.

    The main file is written as it was where its references are bare names already. Of two different files of one name
    the second goes into a subfolder.
    """
    path = Path(path)
    if path.suffix.lower() != ".param":
        raise InputError("is not a parameter file", key="path", value=str(path), expected="a name ending in .param")
    names = _names(inputs)
    for reference, name in names.items():
        there = path.parent / name
        if there.exists() and (not there.is_file() or there.read_bytes() != inputs.references[reference].data):
            raise InputError("exists already and differs", file=str(there), expected="another folder to save to")
    kept = all(reference == name for reference, name in names.items())
    main = inputs.main.data if kept else format_param(rename(data, names)).encode()
    for reference, name in names.items():
        if not (path.parent / name).exists():
            _write(path.parent / name, inputs.references[reference].data)
    _write(path, main)  # last: where the main file is, all of its files are
    return path


def _names(inputs: ModelInputs) -> dict[str, str]:
    """The name each reference is saved under: bare, and different for different contents."""
    names: dict[str, str] = {}
    taken: dict[str, bytes] = {}
    for reference, file in inputs.references.items():
        name, copy = file.name, 1
        while taken.get(name, file.data) != file.data:
            copy += 1
            name = f"{copy}/{file.name}"
        names[reference] = name
        taken[name] = file.data
    return names


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", file=str(path)) from None
