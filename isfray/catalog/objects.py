"""Any other storage fsspec reaches: S3 first of all, memory for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from io import BytesIO
from threading import Lock
from typing import Any, TypeVar

import fsspec

from isfray.catalog.s3_reading import scan_options
from isfray.catalog.storage import Entry, Storage, is_key
from isfray.errors import InputError

T = TypeVar("T")

_PAUSES = (0.2, 1.0, 3.0)  # s, before each further try; the client itself has already retried
_PATIENCE_S = 10.0  # no further try after this
_CONNECT_S = 5.0  # to wait for a connection; the client's own minute, five times, is too long for a wrong address
_PASSING_CODES = {
    *("409", "500", "502", "503", "504", "ConditionalRequestConflict"),
    *("SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable"),
}
_PASSING_ERRORS = {  # of the S3 client, which is not imported here
    *("EndpointConnectionError", "ConnectionClosedError", "ConnectTimeoutError", "ReadTimeoutError"),
    *("HTTPClientError", "IncompleteReadError", "ResponseParserError", "ClientPayloadError"),
}
_MEMORY = Lock()


class ObjectStorage(Storage):
    """Objects below an fsspec URI. An object appears with one PUT or one completed multipart upload.

    `create` is a conditional PUT (`If-None-Match: *`); a store that ignores the condition is refused by the catalog
    when it is made.
    """

    def __init__(self, uri: str, options: Mapping[str, Any]) -> None:
        super().__init__(uri.rstrip("/"), options)
        self.scheme = uri.partition("://")[0]
        self.is_s3 = self.scheme in {"s3", "s3a"}
        settings = {"use_listings_cache": False, "skip_instance_cache": True, **options}
        if self.is_s3:
            settings["config_kwargs"] = {"connect_timeout": _CONNECT_S, **(options.get("config_kwargs") or {})}
        with self.reported("opened"):
            self.fs, root = fsspec.core.url_to_fs(self.uri, **settings)
        if self.is_s3:
            self.fs.retries = 1  # the client below and `_patiently` above are enough
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
            key = path[len(self.root) + 1 :]
            if info["type"] != "file" or not key.startswith(prefix) or not is_key(key):
                continue  # the mark of a folder that was emptied, or nothing that isfray would write
            modified = info.get("LastModified") or info.get("created") or info.get("mtime")
            seconds = modified.timestamp() if hasattr(modified, "timestamp") else float(modified or 0.0)
            yield Entry(key, int(info["size"]), seconds)

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

    @property
    def has_room(self) -> bool:
        """See `Storage.has_room`; some servers would make the bucket on the first write."""
        if self.is_s3:
            with self.reported("opened"):
                try:
                    _patiently(lambda: self.fs.call_s3("head_bucket", Bucket=self._bucket))
                except FileNotFoundError:
                    return False
        return True

    def remove_unfinished(self, before: float) -> list[str]:
        """See `Storage.remove_unfinished`: multipart uploads that were never completed, which a bucket keeps."""
        if not self.is_s3:
            return []
        with self.reported("tidied"):
            prefix = self._path("").partition("/")[2]
            found = self.fs.call_s3("list_multipart_uploads", Bucket=self._bucket, Prefix=prefix).get("Uploads", [])
            old = [upload for upload in found if upload["Initiated"].timestamp() <= before]
            for upload in old:
                names = {"Bucket": self._bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
                self.fs.call_s3("abort_multipart_upload", **names)
        return sorted(upload["Key"].removeprefix(prefix) for upload in old)

    def source(self, key: str) -> str | BytesIO:
        """See `Storage.source`; Polars reads S3 by itself."""
        return f"s3://{self._path(key)}" if self.is_s3 else super().source(key)

    @cached_property
    def scan_options(self) -> Mapping[str, Any]:
        """See `Storage.scan_options`."""
        with self.reported("opened"):
            return scan_options(self.fs) if self.is_s3 else {}

    @property
    def _bucket(self) -> str:
        return str(self.root).partition("/")[0]

    def _path(self, key: str) -> str:
        return f"{self.root}/{self.below(key)}"


def _patiently(call: Callable[[], T]) -> T:
    """Repeat a call that failed for a passing reason, a bounded number of times."""
    deadline = time.monotonic() + _PATIENCE_S
    for pause in _PAUSES:
        try:
            return call()
        except Exception as error:
            if isinstance(error, InputError) or not _passing(error) or time.monotonic() > deadline:
                raise
        time.sleep(pause)
    return call()


def _passing(error: BaseException) -> bool:
    if isinstance(error, FileNotFoundError | PermissionError | FileExistsError):
        return False
    known = type(error).__name__ in _PASSING_ERRORS or isinstance(error, ConnectionError | TimeoutError)
    return known or _code(error) in _PASSING_CODES


def _code(error: BaseException) -> str:
    """The store's own code behind an exception, wherever the client put it."""
    for raised in (error, error.__cause__, error.__context__):
        response = getattr(raised, "response", None)
        if isinstance(response, dict):
            status = str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            if status in {"409", "412", "500", "502", "503", "504"}:
                return status
            return str(response.get("Error", {}).get("Code", status))
    return ""
