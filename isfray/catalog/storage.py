"""Storage as the catalog needs it: whole objects under keys, listed by prefix, created at most once.

No rename, no append, no lock, no partly written object: what a local disk and an S3 bucket both do well. A key is a
path below the catalog's root, with `/` between its parts.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from isfray.errors import InputError


@dataclass(frozen=True)
class Entry:
    """One stored object: its size in bytes and when it was last written, s since the epoch."""

    key: str
    bytes: int
    modified: float


class Storage(ABC):
    """Objects below one URI.

    A failure of the disk, the network or the permissions is raised as `InputError` naming the URI; nothing is half
    done.

    Parameters
    ----------
    uri : str
        Where the objects are, for messages and for readers.
    options : mapping
        What fsspec was given to reach them.
    """

    def __init__(self, uri: str, options: Mapping[str, Any]) -> None:
        self.uri, self.options = uri, dict(options)

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """Content of an object; None if there is none."""

    @abstractmethod
    def listing(self, prefix: str) -> dict[str, Entry]:
        """Every object below `prefix` (which ends in `/`, or is empty), at any depth, by key."""

    @abstractmethod
    def folders(self, prefix: str) -> list[str]:
        """Names that follow directly on `prefix` and have something below them, sorted. A hint: they may be empty."""

    @abstractmethod
    def put(self, key: str, data: bytes) -> None:
        """Write an object whole; a reader sees all of it or what was there before."""

    @abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Write an object whole if there is none; False, and nothing changed, if there is. One of many callers wins."""

    def create_all(self, contents: Mapping[str, bytes]) -> None:
        """Write those of many objects that are not there."""
        for key, data in contents.items():
            self.create(key, data)

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""

    @property
    def has_room(self) -> bool:
        """Whether objects can be put here; a bucket is not made, which is for its owner to do."""
        return True

    def remove_unfinished(self, before: float) -> list[str]:
        """Remove what is left of writes that never ended, if older than `before` (s since the epoch); keys of them."""
        return []

    def empty(self) -> bool:
        """Whether nothing is stored here."""
        return not self.listing("")

    def listings(self, prefixes: Iterable[str]) -> dict[str, Entry]:
        """Every object below some prefixes."""
        return {key: entry for prefix in prefixes for key, entry in self.listing(prefix).items()}

    def newer(self, prefix: str, key: str) -> dict[str, Entry]:
        """Those objects directly below `prefix` whose keys come after `key` in alphabetical order."""
        return {found: entry for found, entry in self.listing(prefix).items() if found > key}

    def read_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Contents of those objects that exist."""
        return {key: data for key in keys if (data := self.read(key)) is not None}

    def source(self, key: str) -> str | BytesIO:
        """What Polars scans for an object: a path or URI it can open itself, or the bytes."""
        data = self.read(key)
        if data is None:
            raise InputError("is missing", file=f"{self.uri}/{key}", expected="a file the catalog lists")
        return BytesIO(data)

    @property
    def scan_options(self) -> Mapping[str, Any]:
        """Further arguments with which Polars opens `source`."""
        return {}

    def below(self, key: str) -> str:
        """Return a key or prefix that stays below the root, whoever named it; InputError for another."""
        if not is_key(key.removesuffix("/") or "root"):
            raise InputError(
                "leads outside of the catalog", file=self.uri, key="key", value=key, expected="names and /"
            )
        return key

    @contextmanager
    def reported(self, doing: str, key: str = "") -> Any:
        """Turn whatever the storage raises into one clear line."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # clients of object stores raise types of their own
            raise self.failure(f"{self.uri}/{key}".rstrip("/"), doing, error) from error

    def failure(self, uri: str, doing: str, error: Exception) -> InputError:
        """One line about a storage that refused: what was tried, why it failed, what would have been right."""
        advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), REACHABLE)
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        lasting = isinstance(error, _LASTING) or (isinstance(error, OSError) and error.errno in _LASTING_CODES)
        return InputError(f"cannot be {doing} ({reason})", file=uri, expected=advice, passing=not lasting)


def is_key(key: str) -> bool:
    """Whether it names an object below a root: no absolute path, no empty part, no `.` or `..`."""
    return "\0" not in key and not {"", ".", ".."}.intersection(key.split("/"))


REACHABLE = "a storage that can be reached, with space"
PERMITTED = "a place you may read and write (check its permissions or your credentials)"
_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (PermissionError, PERMITTED),
    (NotADirectoryError, "a folder, but a file is in the way"),
    (FileExistsError, "a folder, but a file is in the way"),
    (FileNotFoundError, "a folder or bucket that exists"),
)
_LASTING = (*(kind for kind, _ in _ADVICE), IsADirectoryError, ValueError, TypeError)
_LASTING_CODES = {errno.EROFS, errno.ENAMETOOLONG, errno.EINVAL}
