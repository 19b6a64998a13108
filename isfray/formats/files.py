"""Files: where a reference in a file leads, and what is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Protocol

from isfray.check import items, nearest
from isfray.check import path as checked_path
from isfray.errors import InputError
from isfray.model.display import listed
from isfray.model.inputs import InputFile

MOST_BYTES = 2**30
"""Largest file that is read, a hundred times the largest embedding that was published."""


class Source(Protocol):
    """Where the files that a main file refers to come from."""

    def read(self, reference: str, *, file: str, key: str) -> InputFile:
        """Return the file `reference` leads to; InputError naming `file` and `key` if it leads nowhere."""
        ...


def read_file(
    path: str | Path, *, file: str | None = None, key: str | None = None, most: int = MOST_BYTES
) -> InputFile:
    """Read one file whole; InputError if that is not possible, or it has more than `most` bytes."""
    path = checked_path(key or "path", path)
    try:
        with path.open("rb") as opened:
            data = opened.read(most + 1)  # a device has no size to ask for
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", file=file, key=key, value=str(path), expected="a readable file"
        ) from None
    if len(data) > most:
        raise InputError("is too large", file=file, key=key, value=str(path), expected=f"at most {most:,} bytes")
    return InputFile(path.name, data, str(path))


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
        one = isinstance(search_paths, str | os.PathLike)
        also = [search_paths] if one else items("search_paths", search_paths, "[folder, ...]")
        self.folders = (Path(folder), *(checked_path("search_paths", p) for p in also))
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
            if _is_file(candidate):
                return candidate
        looked = listed(list(dict.fromkeys(str(folder) for folder in self.folders)), 3)
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
                expected=nearest(reference, self._files),
            )
        return self._files[reference]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
