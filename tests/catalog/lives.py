"""Lives of a run, and a process that lives one until it is killed at a given step."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isfray.catalog import Catalog
from isfray.catalog.location import open_storage
from tests.catalog.synthetic import Faulty, batch, spec

RUN = "stim_C2"
TRIALS = 6
LONG = 120


def whole_life(catalog: Catalog) -> None:
    """Open a run or resume it, write what is missing in pairs, merge in the middle and at the end, tidy up."""
    session = catalog.open_run(spec(RUN, trials=TRIALS))
    for pair in ((0, 1), (2, 3), (4, 5)):
        if len(missing := np.setdiff1d(pair, catalog.committed_trials(RUN))):
            catalog.commit(RUN, batch(missing))
        if pair != (0, 1):
            catalog.compact(RUN, grace_s=0)
    catalog.verify(RUN, repair=True, grace_s=0)
    catalog.close_run(RUN, session)


def long_life(catalog: Catalog) -> None:
    """Open a run or resume it, and write what is missing in pairs."""
    session = catalog.open_run(spec(RUN, trials=LONG))
    missing = np.setdiff1d(np.arange(LONG), catalog.committed_trials(RUN))
    for first in range(0, len(missing), 2):
        catalog.commit(RUN, batch(missing[first : first + 2], wall_s=float(os.getpid())))
    catalog.close_run(RUN, session)


def removal(catalog: Catalog) -> None:
    """Remove the run, and what belongs to none."""
    if RUN in catalog.runs():
        catalog.delete(RUN)
    catalog.sweep(grace_s=0)


class Deadly(Faulty):
    """A storage that kills its process at a given operation, before or after its effect."""

    def stop(self, name: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def die_at_system_call(step: int, below: Path) -> Callable[[], int]:
    """SIGKILL this process when it asks the system for something below a folder for the n-th time, before it is done.

    Returns a function that tells how often it has asked.
    """
    asked = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal asked
        if event in {"open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.scandir"}:
            path = arguments[0]
            if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(str(below)):
                if asked == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                asked += 1

    sys.addaudithook(hook)
    return lambda: asked


def live(life: Callable[[Catalog], None], uri: str, options: Any, kind: str, step: int, steps: Any = None) -> None:
    """Live until `step`; tell in `steps` how many there were if it was not reached."""
    if kind == "system call":
        count = die_at_system_call(step, Path(uri))
        life(Catalog(uri))
        lived = count()
    else:
        storage = Deadly(open_storage(uri, options), step, after=kind == "after an operation")
        life(Catalog(storage))
        lived = step - storage.left
    if steps is not None:
        steps.value = lived


# Processes are forked from one that has imported everything and begun nothing.
_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.catalog.lives", "s3fs"])


def begin(life: Callable[[Catalog], None], uri: str, options: Any = None) -> Any:
    """Start a process that lives undisturbed, for now."""
    return _begin(life, uri, options, "before an operation", 10**6)


def count_steps(life: Callable[[Catalog], None], uri: str, options: Any, kind: str) -> int:
    """Steps of a life nobody ends."""
    steps = _NURSERY.Value("i", 0)
    process = _begin(life, uri, options, kind, 10**6, steps)
    process.join()
    assert process.exitcode == 0
    return int(steps.value)


def die(life: Callable[[Catalog], None], uri: str, options: Any, kind: str, step: int) -> None:
    """Let a process live to a step and no further."""
    process = _begin(life, uri, options, kind, step)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _begin(*arguments: Any) -> Any:
    process = _NURSERY.Process(target=live, args=arguments, daemon=True)
    process.start()
    return process
