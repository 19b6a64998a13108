"""Joining a Ray cluster that runs, or starting one for this process; quiet either way."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import ray

from isfray.check import whole
from isfray.errors import InputError
from isfray.runs import orphans

# What a Ray of our own is started with; a user's own setting wins.
_LOCAL: Mapping[str, str] = {"RAY_USAGE_STATS_ENABLED": "0"}

_STARTS = 4  # tries
_ON_A_CLUSTER, _ON_A_CPU = 10_000, 32  # most actors wanted: anywhere, and for each CPU where Ray is started here

_lock = threading.Lock()
_users = 0
_ours = False
_watcher: subprocess.Popen[bytes] | None = None  # ends what a Ray of our own leaves behind


def would_start() -> bool:
    """Whether `join` would start Ray on this machine."""
    return not (ray.is_initialized() or os.environ.get("RAY_ADDRESS"))


def check_workers(workers: Any) -> int | None:
    """Return how many actors are wanted, None for one a CPU; InputError for more than can be started."""
    if workers is None:
        return None
    most = min(_ON_A_CLUSTER, _ON_A_CPU * (os.cpu_count() or 1)) if would_start() else _ON_A_CLUSTER
    if (n := whole("workers", workers, 1)) > most:
        raise InputError("are more than can be started", key="workers", value=n, expected=f"at most {most:,} here")
    return n


def join(workers: int | None = None) -> None:
    """Be connected to Ray until `leave`.

    What this process is connected to already is used; else the cluster of `RAY_ADDRESS`, which `ray job submit` sets;
    else Ray is started on this machine, with as many CPUs as there are workers (by default, as the machine has).

    Parameters
    ----------
    workers : int, optional
        CPUs of a Ray started here.
    """
    global _users, _ours
    with _lock:
        if not ray.is_initialized():
            try:
                _connect(workers)
            except BaseException:
                ray.shutdown()
                raise
            _ours = True
        _users += 1


def _connect(workers: int | None) -> None:
    address = os.environ.get("RAY_ADDRESS")
    with _environment({} if address else _LOCAL), _undisturbed():
        if address:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            _start(workers)


def _start(workers: int | None) -> None:
    """Start Ray on this machine, which is given up after half a minute: again, if the machine was only busy."""
    global _watcher
    options = {"include_dashboard": False, "log_to_driver": False, "logging_level": logging.ERROR}
    for left in reversed(range(_STARTS)):
        try:
            context = ray.init("local", num_cpus=workers, **options)
            _watcher = orphans.watch(context.address_info["session_dir"], str(Path(ray.__file__).parent))
            return
        except Exception as error:  # Ray raises nothing more special
            ray.shutdown()
            if "timed out during startup" not in str(error) or not left:
                raise


def leave() -> None:
    """Be done with Ray; the last one to leave ends what `join` began."""
    global _users, _ours
    with _lock:
        _users -= 1
        if _users == 0 and _ours:
            _ours = False
            ray.shutdown()
            if _watcher is not None and _watcher.stdin is not None:
                _watcher.stdin.close()


def cpus() -> int:
    """CPUs of the cluster as it is now."""
    return int(ray.cluster_resources().get("CPU", 0))


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for a while, where they are not set.

    Ray leaves RAY_AUTH_MODE behind after it has started a cluster here, and could not join one without a token then.
    """
    ours = [name for name in (*settings, "RAY_AUTH_MODE") if name not in os.environ]
    os.environ.update({name: settings[name] for name in ours if name in settings})
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until Ray has started, so that it can be ended in order; a second one does not wait.

    Also keeps the process's own SIGTERM handler, which Ray replaces.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if waiting:
            raise KeyboardInterrupt
        waiting.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    if waiting:
        raise KeyboardInterrupt


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM end this block like Ctrl-C does; a `ray job stop` and a batch system's time limit send it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt("SIGTERM")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
