"""Any other storage fsspec reaches: object stores, and memory for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

import fsspec

from isfray.catalog.storage import Entry, Storage, is_key

T = TypeVar("T")

AT_ONCE = 16
"""Requests under way side by side at most."""
_PAUSES = (0.2, 1.0, 3.0)  # s, before each further try; the client itself has already retried
_PATIENCE_S = 10.0  # no further try after this
_MEMORY = Lock()


class ObjectStorage(Storage):
    """Objects below an fsspec URI. An object appears with one write."""

    def __init__(self, uri: str, options: Mapping[str, Any]) -> None:
        super().__init__(uri.rstrip("/"), options)
        self.scheme = uri.partition("://")[0]
        with self.reported("opened"):
            self.fs, root = fsspec.core.url_to_fs(self.uri, **self._settings())
        self.root = root.rstrip("/")

    def _settings(self) -> dict[str, Any]:
        """Arguments of the filesystem."""
        return {"use_listings_cache": False, "skip_instance_cache": True, **self.options}

    def read(self, key: str) -> bytes | None:
        """See `Storage.read`."""
        with self.reported("read", key):
            try:
                return self._patiently(lambda: self._get(self._path(key)))
            except FileNotFoundError:
                return None

    def _get(self, path: str) -> bytes:
        data: bytes = self.fs.cat_file(path)
        return data

    def read_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """See `Storage.read_many`; side by side."""
        asked = list(keys)
        found = zip(asked, _side_by_side(self.read, asked), strict=True)
        return {key: data for key, data in found if data is not None}

    def listing(self, prefix: str) -> dict[str, Entry]:
        """See `Storage.listing`; by prefix, because a bucket's folders are not real."""
        with self.reported("listed", prefix):
            return {entry.key: entry for entry in self._entries(prefix)}

    def listings(self, prefixes: Iterable[str]) -> dict[str, Entry]:
        """See `Storage.listings`; side by side."""
        found = _side_by_side(self.listing, list(prefixes))
        return {key: entry for listed in found for key, entry in listed.items()}

    def _entries(self, prefix: str) -> Iterator[Entry]:
        try:
            found = self._patiently(lambda: self.fs.find(self._path(prefix), detail=True))
        except FileNotFoundError:
            return
        for path, info in found.items():
            key = path[len(self.root) + 1 :]
            if info["type"] != "file" or not key.startswith(prefix) or not is_key(key):
                continue  # the mark of a folder that was emptied, or nothing that isfray would write
            modified = info.get("created") or info.get("mtime")
            seconds = modified.timestamp() if hasattr(modified, "timestamp") else float(modified or 0.0)
            yield Entry(key, int(info["size"]), seconds)

    def folders(self, prefix: str) -> list[str]:
        """See `Storage.folders`."""
        with self.reported("listed", prefix):
            try:
                found = self._patiently(lambda: self.fs.ls(self._path(prefix), detail=True))
            except FileNotFoundError:
                return []
            return sorted(i["name"].rstrip("/").rsplit("/", 1)[-1] for i in found if i["type"] == "directory")

    def put(self, key: str, data: bytes) -> None:
        """See `Storage.put`."""
        with self.reported("written", key):
            self._patiently(lambda: self.fs.pipe_file(self._path(key), data))

    def create(self, key: str, data: bytes) -> bool:
        """See `Storage.create`."""
        path = self._path(key)
        with self.reported("written", key):
            if self.scheme == "memory":
                with _MEMORY:  # this filesystem looks first and writes then
                    if self.fs.exists(path):
                        return False
                    self.fs.pipe_file(path, data)
                return True
            try:
                self._patiently(lambda: self.fs.pipe_file(path, data, mode="create"))
            except Exception as error:
                if self._refused(error):
                    return False
                raise
            return True

    def create_all(self, contents: Mapping[str, bytes]) -> None:
        """See `Storage.create_all`; side by side."""
        _side_by_side(lambda key: self.create(key, contents[key]), list(contents))

    def delete(self, keys: Iterable[str]) -> None:
        """See `Storage.delete`; side by side."""

        def remove(key: str) -> None:
            with self.reported("deleted", key):
                try:
                    self._patiently(lambda: self.fs.rm_file(self._path(key)))
                except FileNotFoundError:
                    return

        _side_by_side(remove, list(keys))

    def _path(self, key: str) -> str:
        return f"{self.root}/{self.below(key)}"

    def _refused(self, error: Exception) -> bool:
        """Whether a conditional write failed because the object is there."""
        return isinstance(error, FileExistsError)

    def _passing(self, error: Exception) -> bool:
        """Whether the same request may succeed a little later."""
        return isinstance(error, ConnectionError | TimeoutError)

    def _patiently(self, call: Callable[[], T]) -> T:
        """Repeat a call that failed for a passing reason, a bounded number of times."""
        deadline = time.monotonic() + _PATIENCE_S
        for pause in _PAUSES:
            try:
                return call()
            except Exception as error:
                if not self._passing(error) or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
        return call()


def _side_by_side(call: Callable[[str], T], keys: list[str]) -> list[T]:
    """Results of a call for each key; after one fails no further one is begun."""
    if len(keys) < 2:
        return [call(key) for key in keys]
    with ThreadPoolExecutor(min(AT_ONCE, len(keys))) as pool:
        try:
            return list(pool.map(call, keys))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
