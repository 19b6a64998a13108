"""How Polars reads what fsspec's S3 client writes: the same endpoint, region and credentials.

Wherever the client has found them (options, environment, a profile, the role of the machine), it is asked for them, so
that the two never differ.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fsspec.asyn import sync

_PASSING_S = 300  # credentials that end are renewed by the client ten minutes before


@dataclass(frozen=True, eq=False)
class Credentials:
    """What Polars calls for credentials; `fs` is an `s3fs.S3FileSystem`."""

    fs: Any

    def __call__(self) -> tuple[dict[str, str], int | None]:
        """Return the credentials of now, and until when to use them (s since the epoch; None for ever)."""
        if self.fs.key:
            return _named(self.fs.key, self.fs.secret, self.fs.token), None
        found: tuple[dict[str, str], int | None] = sync(self.fs.loop, self._of_session)
        return found

    async def _of_session(self) -> tuple[dict[str, str], int | None]:
        await self.fs.set_session()
        credentials = await self.fs.session.get_credentials()
        if credentials is None:
            return {}, None
        now = await credentials.get_frozen_credentials()
        return _named(now.access_key, now.secret_key, now.token), int(time.time()) + _PASSING_S if now.token else None


def _named(key: str, secret: str, token: str | None) -> dict[str, str]:
    named = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    return {name: value for name, value in named.items() if value is not None}


def scan_options(fs: Any) -> dict[str, Any]:
    """Arguments with which `polars.scan_parquet` reaches what an `s3fs.S3FileSystem` reaches."""
    fs.connect()
    endpoint = fs.s3.meta.endpoint_url
    public = (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    region = fs.client_kwargs.get("region_name") or fs.session.get_config_variable("region")
    style = (fs.s3.meta.config.s3 or {}).get("addressing_style")
    options = {
        # of a public bucket Polars finds the region itself
        "aws_region": region or (None if public else os.environ.get("AWS_REGION", "us-east-1")),
        "aws_endpoint_url": None if public else endpoint,
        "aws_allow_http": "true" if endpoint.startswith("http://") else None,
        "aws_virtual_hosted_style_request": {"virtual": "true", "path": "false"}.get(str(style)),
        "aws_skip_signature": "true" if fs.anon else None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return {"storage_options": given, "credential_provider": None if fs.anon else Credentials(fs)}
