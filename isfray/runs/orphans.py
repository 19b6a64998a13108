"""What is left of a Ray of our own when its driver is gone: ended by a small process that outlives the driver.

When a driver is killed, Ray's own processes notice one by one, its agents only after a minute. The process runs this
file alone, without isfray or Ray, until its driver ends.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

GRACE_S = 3.0
"""Time that Ray's processes have to end by themselves, s."""
_PATIENCE_S = 15.0  # for new ones to appear
_PROC = Path("/proc")


def watch(session: str, package: str) -> subprocess.Popen[bytes] | None:
    """Start what ends the processes of a Ray session with its driver, this process; None where there is no /proc.

    Parameters
    ----------
    session : str
        The session's folder, which no other session has.
    package : str
        The folder of the package ray.
    """
    if not _PROC.is_dir():
        return None
    command = [sys.executable, "-I", "-S", __file__, str(os.getpid()), session, package]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def processes(session: str, package: str) -> Iterator[int]:
    """Ray's processes of a session: they have its logs open, and are called as Ray calls its own."""
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            title = (entry / "cmdline").read_bytes()
            if not (title.startswith(b"ray::") or os.fsencode(package) in title):
                continue
            if any(os.readlink(file).startswith(session + "/") for file in (entry / "fd").iterdir()):
                yield int(entry.name)
        except OSError:  # somebody else's, or over
            continue


def end(session: str, package: str, driver: int) -> None:
    """Give them time to end, then kill what is left but the driver, until nothing is."""
    time.sleep(GRACE_S)
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        left = [number for number in processes(session, package) if number != driver]
        if not left:
            return
        for number in left:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.2)


def _driver_is_there(driver: int) -> bool:
    """Wait a second; whether the driver still runs and has not closed our input."""
    closed, _, _ = select.select([sys.stdin], [], [], 1.0)
    return not closed and os.getppid() == driver


if __name__ == "__main__":
    its_driver = int(sys.argv[1])
    while _driver_is_there(its_driver):
        pass
    end(sys.argv[2], sys.argv[3], its_driver)
