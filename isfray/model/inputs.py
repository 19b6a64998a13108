"""Input files as bytes: where a reference in a file leads, and how a model remembers what it was read from.

A `.param` names other files (morphology, synapses, landmarks). A model keeps the bytes of all of them, under the
reference as written, so that it can be stored and read back on a machine that never saw the original folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Protocol

from isfray.check import path as a_path
from isfray.errors import InputError


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


class Source(Protocol):
    """Where the files that a main file refers to come from."""

    def read(self, reference: str, *, file: str, key: str) -> InputFile:
        """Return the file `reference` leads to; InputError naming `file` and `key` if it leads nowhere."""
        ...


def read_file(path: str | Path, *, file: str | None = None, key: str | None = None) -> InputFile:
    """Read one file whole; InputError if that is not possible."""
    path = a_path(key or "path", path)
    try:
        return InputFile(path.name, path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", file=file, key=key, value=str(path), expected="a readable file"
        ) from None


class FolderSource:
    """Files beside the main file, then in the search paths; each read once.

    An absolute path that does not exist here, as published files contain them, is looked for by its name.

    Parameters
    ----------
    folder : Path
        Folder of the main file.
    search_paths : iterable of path
        Folders tried after it, in order.
    """

    def __init__(self, folder: Path, search_paths: Iterable[str | Path] = ()) -> None:
        paths = [search_paths] if isinstance(search_paths, str | os.PathLike) else search_paths
        self.folders = (Path(folder), *(a_path("search_paths", p) for p in paths))
        self._files: dict[str, InputFile] = {}

    def read(self, reference: str, *, file: str, key: str) -> InputFile:
        """See `Source.read`."""
        if reference not in self._files:
            self._files[reference] = read_file(self._locate(reference, file, key), file=file, key=key)
        return self._files[reference]

    def _locate(self, reference: str, file: str, key: str) -> Path:
        bare = reference.split("://", 1)[-1]
        name = PureWindowsPath(bare).name  # splits at / and at \
        if not name:
            raise InputError("is not a file name", file=file, key=key, value=reference, expected="a path")
        candidates = [Path(bare)] if Path(bare).is_absolute() else [folder / bare for folder in self.folders]
        candidates += [folder / name for folder in self.folders]
        for candidate in candidates:
            if os.path.isfile(candidate):  # unlike Path.is_file, whatever the name
                return candidate
        looked = ", ".join(dict.fromkeys(str(folder) for folder in self.folders))
        raise InputError(
            "does not exist", file=file, key=key, value=reference, expected=f"a file there, or named {name} in {looked}"
        )


class StoredSource:
    """Files a catalog kept, by the reference they had in the main file."""

    def __init__(self, references: Mapping[str, InputFile]) -> None:
        self._files = dict(references)

    def read(self, reference: str, *, file: str, key: str) -> InputFile:
        """See `Source.read`."""
        if reference not in self._files:
            raise InputError(
                "was not stored with the run",
                file=file,
                key=key,
                value=reference,
                expected="one of " + ", ".join(self._files),
            )
        return self._files[reference]
