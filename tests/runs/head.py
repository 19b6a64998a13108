"""`ray start --head` as a process of this test's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from ray.util import get_node_ip_address

from tests.runs.waiting import ROOT, gone, until

START = "import sys; from ray.scripts.scripts import main; sys.exit(main())"


@contextlib.contextmanager
def head(port: int, *options: str, log: Path, **environment: str) -> Iterator[str]:
    """Run a Ray head while the block lasts; gives its address. Afterwards nothing it has started is left."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, "-c", START, "start", "--head", "--block"]
    # Ray finds "the" cluster of a machine through its folder; the path is short because it holds sockets.
    folder = tempfile.mkdtemp(prefix="ray")
    command += [
        f"--temp-dir={folder}",
        f"--port={port}",
        "--min-worker-port=0",
        "--max-worker-port=0",
        # By default one fixed port for every Ray on a machine: the second has no job API, and does not say so.
        "--dashboard-agent-listen-port=0",
        "--disable-usage-stats",
        *options,
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as in an activated environment
    settings = {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(ROOT), "PATH": path, **environment}
    with log.open("w") as out:
        process = subprocess.Popen(
            command, env={**inherited, **settings}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        until(lambda: "Ray runtime started" in log.read_text() or process.poll() is not None, "the head")
        assert process.poll() is None, log.read_text()
        yield f"{get_node_ip_address()}:{port}"
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(60)
        for straggler in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                straggler.kill()
        until(lambda: gone(started), "the end of the head's processes")
        shutil.rmtree(folder, ignore_errors=True)
