"""From a URI to the storage there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from isfray.catalog.local import LocalStorage
from isfray.catalog.objects import ObjectStorage
from isfray.catalog.s3 import S3Storage
from isfray.catalog.storage import Storage
from isfray.check import path as a_path
from isfray.errors import InputError, redacted


def open_storage(uri: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Storage:
    """Storage at a local path or any URI fsspec knows (`s3://bucket/prefix`, `memory://name`).

    Parameters
    ----------
    uri : str or path
        Where. A path without a scheme is local.
    options : mapping, optional
        What fsspec takes for that scheme: `key`, `secret`, `endpoint_url`, `profile` ... for S3.
    """
    if not isinstance(uri, str | os.PathLike):
        raise InputError(
            "is no place", key="catalog", value=uri, expected="a folder or a URI such as s3://bucket/prefix"
        )
    text = os.fspath(uri)
    if (shown := redacted(text)) != text:
        expected = "storage_options=, a profile, or variables such as AWS_SECRET_ACCESS_KEY"
        raise InputError("holds a secret, which would be shown and kept", key="catalog", value=shown, expected=expected)
    scheme, separator, rest = text.partition("://")
    if not text.strip() or (separator and not rest.strip("/") and scheme != "file"):
        raise InputError(
            "names no place", key="catalog", value=text, expected="a folder or a URI such as s3://bucket/prefix"
        )
    if not separator or scheme in {"file", "local"}:
        if options:
            raise InputError(
                f"takes no storage options ({', '.join(map(str, options))})",
                file=text,
                expected="none for a local folder",
            )
        return LocalStorage(a_path("catalog", rest if separator else text))
    kind = S3Storage if scheme in {"s3", "s3a"} else ObjectStorage
    return kind(text, options or {})
