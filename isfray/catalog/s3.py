"""S3: listings and requests side by side, conditional writes, and what the store says when it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from io import BytesIO
from typing import Any

from isfray.catalog.objects import AT_ONCE, ObjectStorage
from isfray.catalog.s3_reading import scan_options
from isfray.catalog.storage import PERMITTED, REACHABLE, Entry, is_key
from isfray.errors import InputError

_CONNECT_S = 5.0  # to wait for a connection; the client's own minute, five times, is too long for a wrong address
_PASSING_STATUS = {409, 429, 500, 502, 503, 504}
_PASSING_CODES = {
    *("ConditionalRequestConflict", "SlowDown", "InternalError", "RequestTimeout", "ServiceUnavailable"),
    *("IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch"),
}
_PASSING_ERRORS = {  # of the S3 client, which is not imported here
    *("EndpointConnectionError", "ConnectionClosedError", "ConnectTimeoutError", "ReadTimeoutError"),
    *("HTTPClientError", "IncompleteReadError", "ResponseParserError", "ClientPayloadError", "FSTimeoutError"),
}
_BUCKET = "a bucket that exists"
_RENEWED = "credentials that are valid now"
_REGION = "the region and the endpoint of the bucket"
_ADVICE = {
    **dict.fromkeys(("ExpiredToken", "InvalidToken", "TokenRefreshRequired"), _RENEWED),
    **dict.fromkeys(("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"), PERMITTED),
    **dict.fromkeys(("AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect"), _REGION),
    "IllegalLocationConstraintException": _REGION,
    "NoSuchBucket": _BUCKET,
    "InvalidBucketName": _BUCKET,
    "RequestTimeTooSkewed": "a clock that is right",
}


class S3Storage(ObjectStorage):
    """Objects in a bucket. An object appears with one PUT or one completed multipart upload.

    `create` is a conditional PUT (`If-None-Match: *`); a store that ignores the condition is refused by the catalog
    when it is made.
    """

    def __init__(self, uri: str, options: Mapping[str, Any]) -> None:
        super().__init__(uri, options)
        self.fs.retries = 1  # the client below and `_patiently` above are enough

    def _settings(self) -> dict[str, Any]:
        own = {"connect_timeout": _CONNECT_S, "max_pool_connections": 2 * AT_ONCE}
        return {**super()._settings(), "config_kwargs": {**own, **(self.options.get("config_kwargs") or {})}}

    def _get(self, path: str) -> bytes:
        data: bytes = self.fs.cat_file(path, max_concurrency=1)  # more would ask for the size of every object first
        return data

    def newer(self, prefix: str, key: str) -> dict[str, Entry]:
        """See `Storage.newer`."""
        with self.reported("listed", prefix):
            return {entry.key: entry for entry in self._entries(prefix, StartAfter=self._folder + key)}

    def _entries(self, prefix: str, **how: Any) -> Iterator[Entry]:
        for page in self._pages(prefix, **how):
            for found in page.get("Contents", ()):
                key = found["Key"][len(self._folder) :]
                if is_key(key):  # else the mark of an empty folder, or nothing that isfray would write
                    yield Entry(key, int(found["Size"]), found["LastModified"].timestamp())

    def folders(self, prefix: str) -> list[str]:
        """See `Storage.folders`."""
        with self.reported("listed", prefix):
            found = [p["Prefix"] for page in self._pages(prefix, Delimiter="/") for p in page.get("CommonPrefixes", ())]
            return sorted(name.rstrip("/").rsplit("/", 1)[-1] for name in found)

    def empty(self) -> bool:
        """See `Storage.empty`."""
        with self.reported("listed"):
            return next(self._entries(""), None) is None

    def _pages(self, prefix: str, **how: Any) -> Iterator[dict[str, Any]]:
        asked = {"Bucket": self._bucket, "Prefix": self._path(prefix).partition("/")[2], **how}
        while True:
            try:
                page = self._patiently(lambda: self.fs.call_s3("list_objects_v2", **asked))
            except FileNotFoundError:  # the bucket
                return
            yield page
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    @property
    def has_room(self) -> bool:
        """See `Storage.has_room`; some servers would make the bucket on the first write."""
        with self.reported("opened"):
            return any(True for _ in self._pages("", MaxKeys=1))

    def remove_unfinished(self, before: float) -> list[str]:
        """See `Storage.remove_unfinished`: multipart uploads that were never completed, which a bucket keeps."""
        with self.reported("tidied"):
            prefix = self._folder
            found = self.fs.call_s3("list_multipart_uploads", Bucket=self._bucket, Prefix=prefix).get("Uploads", [])
            old = [upload for upload in found if upload["Initiated"].timestamp() <= before]
            for upload in old:
                names = {"Bucket": self._bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
                self.fs.call_s3("abort_multipart_upload", **names)
        return sorted(upload["Key"].removeprefix(prefix) for upload in old)

    def source(self, key: str) -> str | BytesIO:
        """See `Storage.source`; Polars reads S3 by itself."""
        return f"s3://{self._path(key)}"

    @cached_property
    def scan_options(self) -> Mapping[str, Any]:
        """See `Storage.scan_options`."""
        with self.reported("opened"):
            return scan_options(self.fs)

    @property
    def _bucket(self) -> str:
        return str(self.root).partition("/")[0]

    @property
    def _folder(self) -> str:
        """What every key in the bucket begins with."""
        return self._path("").partition("/")[2]

    def _refused(self, error: Exception) -> bool:
        return super()._refused(error) or _answer(error)[0] == 412

    def _passing(self, error: Exception) -> bool:
        status, code, _ = _answer(error)
        if status:
            return status in _PASSING_STATUS or code in _PASSING_CODES
        return type(error).__name__ in _PASSING_ERRORS or super()._passing(error)

    def failure(self, uri: str, doing: str, error: Exception) -> InputError:
        """See `Storage.failure`; in the store's own words."""
        status, code, message = _answer(error)
        passing = self._passing(error)
        if not status:
            told = super().failure(uri, doing, error)
            told.passing = passing
            return told
        reason = f"{code}: {message}" if message and message != code else code
        advice = _ADVICE.get(code) or (PERMITTED if status == 403 else REACHABLE)
        return InputError(f"cannot be {doing} ({reason})", file=uri, expected=advice, passing=passing)


def _answer(error: BaseException) -> tuple[int, str, str]:
    """Status, code and message with which the store answered, wherever the client put them; 0 if it did not."""
    for raised in (error, error.__cause__, error.__context__):
        response = getattr(raised, "response", None)
        if isinstance(response, dict):
            status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
            said = response.get("Error", {})
            return status, str(said.get("Code", status)), str(said.get("Message", ""))
    return 0, "", ""
