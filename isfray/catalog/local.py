"""A folder on a local (or network) disk."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from isfray.catalog.storage import Entry, Storage
from isfray.errors import InputError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")


class LocalStorage(Storage):
    """Objects are files. Each is written under a hidden temporary name, synced to disk, then given its name at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        super().__init__(str(self.folder), {})

    def read(self, key: str) -> bytes | None:
        """See `Storage.read`."""
        with self.reported("read", key):
            try:
                return self._path(key).read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                return None

    def listing(self, prefix: str) -> dict[str, Entry]:
        """See `Storage.listing`."""
        with self.reported("listed", prefix):
            return {entry.key: entry for entry in self._walk(prefix)}

    def newer(self, prefix: str, key: str) -> dict[str, Entry]:
        """See `Storage.newer`."""
        with self.reported("listed", prefix):
            return {entry.key: entry for entry in self._walk(prefix, key)}

    def _walk(self, prefix: str, after: str = "") -> Iterator[Entry]:
        try:
            found = list(os.scandir(self._path(prefix)))
        except FileNotFoundError:
            return
        for item in found:
            if item.name.startswith("."):
                continue  # a write in progress, or a desktop's own file
            if prefix + item.name <= after:
                continue
            if item.is_dir():
                yield from self._walk(f"{prefix}{item.name}/")
                continue
            try:
                stat = item.stat()
            except FileNotFoundError:
                continue  # deleted since
            yield Entry(prefix + item.name, stat.st_size, stat.st_mtime)

    def empty(self) -> bool:
        """See `Storage.empty`; looks at the folder alone, however much lies below it."""
        with self.reported("opened"):
            try:
                return all(item.name.startswith(".") for item in os.scandir(self.folder))
            except FileNotFoundError:
                return True

    def folders(self, prefix: str) -> list[str]:
        """See `Storage.folders`."""
        with self.reported("listed", prefix):
            try:
                return sorted(e.name for e in os.scandir(self._path(prefix)) if e.is_dir() and e.name[0] != ".")
            except FileNotFoundError:
                return []

    def put(self, key: str, data: bytes) -> None:
        """See `Storage.put`."""
        with self.reported("written", key):
            path, temporary = self._written(key, data)
            try:
                os.replace(temporary, path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)

    def create(self, key: str, data: bytes) -> bool:
        """See `Storage.create`."""
        with self.reported("written", key):
            if self._path(key).exists():
                return False
            path, temporary = self._written(key, data)
            try:
                os.link(temporary, path)  # unlike rename, refuses to replace
            except FileExistsError:
                return False
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)
            return True

    def delete(self, keys: Iterable[str]) -> None:
        """See `Storage.delete`."""
        for key in keys:
            with self.reported("deleted", key):
                self._own(key).unlink(missing_ok=True)

    def source(self, key: str) -> str:
        """See `Storage.source`."""
        return str(self._path(key))

    def remove_unfinished(self, before: float) -> list[str]:
        """See `Storage.remove_unfinished`."""
        with self.reported("tidied"):
            found = [path for path in self.folder.rglob(".*.tmp") if _TEMPORARY.fullmatch(path.name)]
            old = [path for path in found if path.exists() and path.stat().st_mtime <= before]
            for path in old:
                path.unlink(missing_ok=True)
        return sorted(path.relative_to(self.folder).as_posix() for path in old)

    def _path(self, key: str) -> Path:
        return self.folder / self.below(key)

    def _own(self, key: str) -> Path:
        """Where an object is written or deleted: never through a link that leads out of the folder."""
        path = self._path(key)
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise InputError("leads outside of the catalog by a link", file=str(path), expected="a folder, not a link")
        return path

    def _written(self, key: str, data: bytes) -> tuple[Path, Path]:
        path = self._own(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.tmp")
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        return path, temporary


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
