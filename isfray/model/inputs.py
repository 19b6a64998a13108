"""Where a model came from: its files as bytes and the places of its values in them, or Python.

A file of a model names other files (morphology, synapses, landmarks). A model keeps the bytes of all of them, under the
reference as written, so that it can be stored and read back on a machine that never saw the original folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from isfray.check import name_of_file
from isfray.errors import InputError, Key


@dataclass(frozen=True)
class InputFile:
    """One input file, whole.

    Attributes
    ----------
    name : str
        Base name.
    data : bytes
        Content, byte for byte.
    path : str
        Where it was read from; only for messages.
    """

    name: str
    data: bytes = field(repr=False)
    path: str = ""

    def __post_init__(self) -> None:
        name_of_file("name", self.name, file=self.path or None)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def text(self) -> str:
        """Content as UTF-8 text; raises InputError if it is not text."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError("is not a text file", file=self.path or self.name, expected="UTF-8 text") from error


@dataclass(frozen=True)
class ModelInputs:
    """Everything a model was read from: its main file, and the files that one refers to, by reference as written."""

    main: InputFile
    references: Mapping[str, InputFile]


def files_of(inputs: Any) -> ModelInputs:
    """Return the files of a model; InputError if it is something else."""
    if not isinstance(inputs, ModelInputs):
        raise InputError("is no files of a model", key="inputs", value=inputs, expected="the .inputs of a model")
    return inputs


class Origin(Protocol):
    """Where a model came from: its files, places in them for messages, and how they are written again."""

    @property
    def inputs(self) -> ModelInputs:
        """The files, byte for byte."""
        ...

    def error(self, path: Key, problem: str, *, expected: str | None = None) -> InputError:
        """Return the InputError about what the model says at a place, with file and line."""
        ...

    def placed(self, error: InputError, under: Key) -> InputError:
        """Return an error about a value of the model, told of where it stands, below the keys `under`."""
        ...

    def row(self, population: str, synapse: int) -> tuple[str, int]:
        """Return the file and line that a population's nth synapse was read from."""
        ...

    def save(self, path: str | Path, *, force: bool) -> Path:
        """Write the files, so that they read back as the same model."""
        ...


@dataclass(frozen=True)
class MadeHere:
    """The origin of a model that was made in Python: it can be simulated, and has no files to be stored or saved."""

    what: str = "model"

    @property
    def inputs(self) -> ModelInputs:
        """Refuse: there are none."""
        raise InputError("was made in Python and has no files", key=self.what, expected="one read from files")

    def error(self, path: Key, problem: str, *, expected: str | None = None) -> InputError:
        """See `Origin.error`."""
        return InputError(problem, key=path, expected=expected)

    def placed(self, error: InputError, under: Key) -> InputError:
        """See `Origin.placed`."""
        return error.at(under=under)

    def row(self, population: str, synapse: int) -> tuple[str, int]:
        """Return which synapse it is: there is no line."""
        return f"synapse {synapse} of {population}", 0

    def save(self, path: str | Path, *, force: bool) -> Path:
        """Refuse, as `inputs` does."""
        raise InputError("was made in Python and cannot be written", key=self.what, expected="one read from files")
