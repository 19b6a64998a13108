"""Removal of whole runs, and of what belongs to no run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from isfray.catalog.batch import number_of
from isfray.catalog.leftovers import unlisted
from isfray.catalog.log import Commit, CommitLog, committed, ranges
from isfray.catalog.runs import input_files, input_key, is_name, run_key
from isfray.catalog.storage import Storage
from isfray.tables import SCHEMAS

Bodies = Mapping[str, Mapping[str, Any]]


def end_log(log: CommitLog, run: str, *, fence: bool = False) -> None:
    """Make sure that commits of a deleted run do not come back with a new one of its name."""

    def make(sequence: int) -> Commit | None:
        if not (fence or committed(log.known()).size) or log.storage.read(run_key(run)) is not None:
            return None
        return Commit(sequence, "deletion", replaces=ranges(range(sequence)))

    log.append(make)


def remove_run(log: CommitLog, run: str) -> None:
    """Remove a run, for every reader with the first step."""
    log.storage.delete([run_key(run)])
    remove_files(log, run)


def remove_files(log: CommitLog, run: str) -> list[str]:
    """Remove the files of a run without a run.json; return their keys.

    A run of that name that is opened meanwhile keeps its own: it ends the log first, so they have higher numbers.
    """
    end_log(log, run, fence=True)
    storage = log.storage
    storage.delete(storage.listing(_sessions(run)))
    files = [key for key in unlisted(storage, (), run) if number_of(key) <= log.fence]
    storage.delete(files)
    return files


def removed_runs(storage: Storage, runs: Bodies, grace_s: float) -> list[str]:
    """Names without a run.json under which there are still files, all older than `grace_s` (s)."""
    border = time.time() - grace_s
    folders = {folder for table in SCHEMAS for folder in storage.folders(f"{table}/")}
    names = {folder.removeprefix("run=") for folder in folders} | set(storage.folders("runs/"))
    gone = []
    for run in sorted(name for name in names - runs.keys() if is_name(name)):
        left = [*unlisted(storage, (), run).values(), *storage.listing(_sessions(run)).values()]
        if left and all(entry.modified <= border for entry in left):
            gone.append(run)
    return gone


def _sessions(run: str) -> str:
    return f"runs/{run}/sessions/"


def remove_strays(storage: Storage, runs: Callable[[], Bodies], grace_s: float) -> tuple[str, ...]:
    """Remove inputs no run names, and writes that never ended, if they are older than `grace_s` (s); return their keys.

    Parameters
    ----------
    storage : Storage
        Where.
    runs : callable
        Reads every run.json, by run.
    grace_s : float
        An age that leaves a run that is just being opened the time to name its inputs.
    """
    border = time.time() - grace_s
    old = {key for key, entry in storage.listing("inputs/").items() if entry.modified <= border}
    strays = old - _named(runs())
    contents = storage.read_many(strays)
    storage.delete(strays)
    for key in strays & _named(runs()):  # by a run that was opened in between
        storage.put(key, contents[key])
        strays.remove(key)
    return (*sorted(strays), *storage.remove_unfinished(border))


def _named(runs: Bodies) -> set[str]:
    return {input_key(file) for body in runs.values() for file in input_files(body)}
