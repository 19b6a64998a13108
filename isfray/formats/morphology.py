"""Morphologies: which reader takes which file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from isfray.errors import InputError
from isfray.formats.hoc import read_hoc
from isfray.formats.swc import read_swc
from isfray.model.inputs import InputFile
from isfray.model.morphology import Morphology

Reader = Callable[[InputFile, bool], Morphology]
"""Takes a file, and whether the axon in it is wanted; InputError with the line where the file is wrong."""

READERS: Mapping[str, Reader] = {
    ".hoc": lambda file, _: read_hoc(file),  # its axon is one of its structures, and is left where it is
    ".swc": lambda file, axon: read_swc(file, axon=axon),
}
"""By the ending of the file's name."""


def is_morphology(name: str | PurePath) -> bool:
    """Whether a file of this name is one that a reader takes."""
    return PurePath(name).suffix.lower() in READERS


def read_morphology(file: InputFile, *, axon: bool) -> Morphology:
    """Return the morphology in a file, with its axon where that is wanted.

    Raises
    ------
    InputError
        If no reader takes the file, or it is wrong.
    """
    if not is_morphology(file.name):
        expected = f"a {' or '.join(READERS)} file"
        raise InputError("is not a morphology", file=file.path or file.name, expected=expected)
    return READERS[PurePath(file.name).suffix.lower()](file, axon)
