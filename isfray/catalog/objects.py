"""Any other storage fsspec reaches: S3 first of all, memory for tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from io import BytesIO
from threading import Lock
from typing import Any, TypeVar

import fsspec

from isfray.catalog.storage import Entry, Storage
from isfray.model.errors import InputError

T = TypeVar("T")

_PAUSES = (0.2, 1.0, 3.0)  # s, before each further try; the client itself has already retried
_TRANSIENT_CODES = {"500", "502", "503", "504", "SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable"}
_MEMORY = Lock()


class ObjectStorage(Storage):
    """Objects below an fsspec URI. An object appears with one PUT or one completed multipart upload.

    `create` is a conditional PUT (`If-None-Match: *`); a store that ignores the condition is refused by the catalog
    when it is made.
    """

    def __init__(self, uri: str, options: Mapping[str, Any]) -> None:
        super().__init__(uri.rstrip("/"), options)
        self.scheme = uri.partition("://")[0]
        with self.reported("opened"):
            self.fs, root = fsspec.core.url_to_fs(
                self.uri, **{"use_listings_cache": False, "skip_instance_cache": True, **options}
            )
        self.root = root.rstrip("/")

    def read(self, key: str) -> bytes | None:
        """See `Storage.read`."""
        with self.reported("read", key):
            try:
                data: bytes = _patiently(lambda: self.fs.cat_file(self._path(key)))
            except FileNotFoundError:
                return None
            return data

    def read_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """See `Storage.read_many`; an asynchronous client reads them side by side."""
        paths = {self._path(key): key for key in keys}
        if not paths:
            return {}
        with self.reported("read"):
            found = _patiently(lambda: self.fs.cat(list(paths), recursive=False, on_error="return"))
            if isinstance(found, bytes):  # a single path comes back bare
                found = {next(iter(paths)): found}
            contents = {}
            for path, data in found.items():
                if isinstance(data, FileNotFoundError):
                    continue
                if isinstance(data, Exception):
                    raise data
                contents[paths[path]] = data
            return contents

    def listing(self, prefix: str) -> dict[str, Entry]:
        """See `Storage.listing`; by prefix, because a bucket's folders are not real."""
        return {entry.key: entry for entry in self._entries(prefix)}

    def _entries(self, prefix: str) -> Iterator[Entry]:
        with self.reported("listed", prefix):
            try:
                found = _patiently(lambda: self.fs.find(self._path(prefix), detail=True))
            except FileNotFoundError:
                return
        for path, info in found.items():
            modified = info.get("LastModified") or info.get("created") or info.get("mtime")
            seconds = modified.timestamp() if hasattr(modified, "timestamp") else float(modified or 0.0)
            yield Entry(path[len(self.root) + 1 :], int(info["size"]), seconds)

    def folders(self, prefix: str) -> list[str]:
        """See `Storage.folders`."""
        with self.reported("listed", prefix):
            try:
                found = _patiently(lambda: self.fs.ls(self._path(prefix), detail=True))
            except FileNotFoundError:
                return []
            return sorted(i["name"].rstrip("/").rsplit("/", 1)[-1] for i in found if i["type"] == "directory")

    def put(self, key: str, data: bytes) -> None:
        """See `Storage.put`."""
        with self.reported("written", key):
            _patiently(lambda: self.fs.pipe_file(self._path(key), data))

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
                _patiently(lambda: self.fs.pipe_file(path, data, mode="create"))
            except Exception as error:
                if isinstance(error, FileExistsError) or _code(error) in {"412", "PreconditionFailed"}:
                    return False
                raise
            return True

    def delete(self, keys: Iterable[str]) -> None:
        """See `Storage.delete`."""
        with self.reported("deleted"):
            for path in map(self._path, keys):
                try:
                    _patiently(partial(self.fs.rm_file, path))
                except FileNotFoundError:
                    continue

    def source(self, key: str) -> str | BytesIO:
        """See `Storage.source`; Polars reads S3 by itself."""
        return f"{self.uri}/{key}" if self.scheme in {"s3", "s3a"} else super().source(key)

    def polars_options(self) -> dict[str, str]:
        """Fsspec's S3 options in the words of Polars."""
        client = self.options.get("client_kwargs") or {}
        s3 = (self.options.get("config_kwargs") or {}).get("s3") or {}
        environment = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        endpoint = self.options.get("endpoint_url") or client.get("endpoint_url") or environment
        options = {
            "aws_access_key_id": self.options.get("key"),
            "aws_secret_access_key": self.options.get("secret"),
            "aws_session_token": self.options.get("token"),
            "aws_endpoint_url": endpoint,
            "aws_region": client.get("region_name")
            or (os.environ.get("AWS_REGION", "us-east-1") if endpoint else None),
            "aws_allow_http": "true" if str(endpoint).startswith("http://") else None,
            "aws_skip_signature": "true" if self.options.get("anon") else None,
            "aws_virtual_hosted_style_request": {"virtual": "true", "path": "false"}.get(
                str(s3.get("addressing_style"))
            ),
        }
        return {name: str(value) for name, value in options.items() if value is not None}

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"


def _patiently(call: Callable[[], T]) -> T:
    """Repeat a call that failed for a passing reason, a bounded number of times."""
    for pause in _PAUSES:
        try:
            return call()
        except Exception as error:
            if isinstance(error, InputError) or not _passing(error):
                raise
        time.sleep(pause)
    return call()


def _passing(error: BaseException) -> bool:
    if isinstance(error, FileNotFoundError | PermissionError | FileExistsError):
        return False
    return isinstance(error, ConnectionError | TimeoutError) or _code(error) in {
        *_TRANSIENT_CODES,
        "409",
        "ConditionalRequestConflict",
    }


def _code(error: BaseException) -> str:
    """The store's own code behind an exception, wherever the client put it."""
    for raised in (error, error.__cause__, error.__context__):
        response = getattr(raised, "response", None)
        if isinstance(response, dict):
            status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            return status if status in {"412", "409"} else str(response.get("Error", {}).get("Code", status))
    return ""
