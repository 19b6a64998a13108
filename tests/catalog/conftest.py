"""Places for a catalog."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from isfray.model.errors import InputError
from tests.catalog.synthetic import spec

WEED = shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@pytest.fixture(scope="session")
def bucket(tmp_path_factory) -> Iterator[str]:
    """A bucket on a real S3 server (SeaweedFS) on the loopback interface, reached through the usual AWS variables."""
    folder = tmp_path_factory.mktemp("weed")
    # its gRPC ports are 10 000 above
    s3, master, volume, filer, admin = (free_port() for _ in range(5))
    credentials = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    ports = f"-s3.port={s3} -master.port={master} -volume.port={volume} -filer.port={filer} -admin.port={admin}"
    quiet = "-s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false -master.telemetry=false"
    command = (
        f"{WEED} -logtostderr=true mini -dir={folder} -ip=127.0.0.1 -ip.bind=127.0.0.1 {ports} {quiet} -bucket=isfray"
    )
    with pytest.MonkeyPatch.context() as patch, open(folder / "log", "wb") as log:
        for name, value in {**credentials, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}"}.items():
            patch.setenv(name, value)
        server = subprocess.Popen(command.split(), stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not ready():
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "the S3 server does not come up"
                time.sleep(0.2)
            yield "s3://isfray"
        finally:
            server.terminate()
            server.wait(30)


def free_port() -> int:
    while True:
        with socket.socket() as low, socket.socket() as high:
            low.bind(("127.0.0.1", 0))
            port = low.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                high.bind(("127.0.0.1", port + 10_000))
                return port


def ready() -> bool:
    try:
        storage = open_storage("s3://isfray/ready")
        storage.put("probe", b"1")
        return storage.read("probe") == b"1"
    except InputError:
        return False


@pytest.fixture(params=["local", "memory", *(["s3"] if WEED else [])])
def place(request, tmp_path) -> str:
    """An empty place for a catalog."""
    if request.param == "local":
        return str(tmp_path / "results")
    root = "memory:/" if request.param == "memory" else request.getfixturevalue("bucket")
    return f"{root}/{uuid.uuid4()}/results"


@pytest.fixture
def opened(place) -> Callable[..., Catalog]:
    """Make the catalog with an open run, or open it again."""

    def make(name: str = "stim_C2") -> Catalog:
        catalog = Catalog(place)
        if name not in catalog.runs():
            catalog.open_run(spec(name))
        return catalog

    return make
