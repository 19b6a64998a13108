"""Writing a model's files into a folder, so that they read back as the same model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.formats.isf.param import format_param
from isfray.model.inputs import ModelInputs


def write_inputs(
    inputs: ModelInputs,
    data: dict[str, Any],
    path: str | os.PathLike[str],
    rename: Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]],
    *,
    force: bool = False,
) -> Path:
    """Write a model's main file to `path`, and the files it refers to beside it; see `NetworkModel.save`.

    The main file is written as it was where its references are bare names already. Of two different files of one name
    the second goes into a subfolder. A file that is there and differs may be someone's work: it stays unless `force`.
    """
    path = a_path("path", path)
    if path.suffix.lower() != ".param":
        raise InputError("is not a parameter file", key="path", value=str(path), expected="a name ending in .param")
    names = _names(inputs)
    kept = all(reference == name for reference, name in names.items())
    main = inputs.main.data if kept else format_param(rename(data, names)).encode()
    files = {path.parent / name: inputs.references[reference].data for reference, name in names.items()}
    files[path] = main  # last: where the main file is, all of its files are
    if not force and (edited := differing(files)):
        raise InputError("exists already and differs", file=str(edited[0]), expected="another place, or force=True")
    for place, content in files.items():
        write_file(place, content)
    return path


def differing(files: Mapping[Path, bytes]) -> list[Path]:
    """Return those of some files that are there with another content than is to be written."""
    return [path for path, content in files.items() if os.path.lexists(path) and _content(path) != content]


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


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole, unless it is there with this content; InputError if that is not possible."""
    if os.path.lexists(path) and _content(path) == data:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", file=str(path)) from None


def _content(path: Path) -> bytes | None:
    """What is in a file, None for a link that leads nowhere; InputError if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", file=str(path), expected="a file, or another place"
        ) from None
