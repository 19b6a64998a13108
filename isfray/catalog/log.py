"""The commit log of a run: what exists, decided one object at a time.

Commits are numbered from 0 without a gap. A writer that has read commits 0 to n-1 may create commit n, and only one
writer can: that makes every writer see all earlier commits before its own takes effect. So a trial that is already
committed is never committed again, and the first commit of a trial is the only one. Commit objects are never changed
and never deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isfray.catalog.storage import Storage
from isfray.errors import InputError

COMMIT_VERSION = 1
_FIRST = 32  # commits read before it is looked whether one of them replaces others

Ranges = tuple[tuple[int, int], ...]
"""Whole numbers as ascending inclusive ranges: ((0, 24), (30, 30))."""


def ranges(numbers: Iterable[int] | NDArray[Any]) -> Ranges:
    """Inclusive ranges of a set of whole numbers."""
    given = numbers if isinstance(numbers, np.ndarray) else np.array(list(numbers), dtype=np.int64)
    values = np.unique(given).astype(np.int64)
    if not len(values):
        return ()
    breaks = np.flatnonzero(np.diff(values) > 1)
    firsts, lasts = values[np.r_[0, breaks + 1]], values[np.r_[breaks, len(values) - 1]]
    return tuple((int(a), int(b)) for a, b in zip(firsts, lasts, strict=True))


def numbers(of: Ranges) -> NDArray[np.int32]:
    """Ascending numbers in some ranges."""
    parts = [np.arange(a, b + 1, dtype=np.int32) for a, b in of]
    return np.concatenate([*parts, np.empty(0, dtype=np.int32)])


def union(one: Ranges, other: Ranges) -> Ranges:
    """Ranges of the numbers that are in one or the other."""
    merged: list[tuple[int, int]] = []
    for a, b in sorted((*one, *other)):
        if merged and a <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(b, merged[-1][1])
        else:
            merged.append((a, b))
    return tuple(merged)


@dataclass(frozen=True)
class DataFile:
    """One Parquet file: its key below the root, its table, trials, rows, bytes and SHA-256."""

    path: str
    table: str
    trials: Ranges
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Commit:
    """What one commit object says.

    Attributes
    ----------
    sequence : int
        Its number in the log of its run.
    kind : str
        `batch` adds trials; `compaction` lists the same trials in other files; `deletion` ends all; `fence` makes every
        writer that has written files and not committed them write them again, under other names.
    trials : ranges
        Every trial of its files.
    files : tuple of DataFile
        The files of all tables.
    replaces : ranges
        Sequence numbers of all earlier commits that count no more, those an earlier commit replaced included, so that a
        reader who starts with the newest need not read them. Fences are replaced by deletions only.
    """

    sequence: int
    kind: Literal["batch", "compaction", "deletion", "fence"]
    trials: Ranges = ()
    files: tuple[DataFile, ...] = ()
    replaces: Ranges = field(default=())

    @property
    def fences(self) -> bool:
        """Whether no later commit lists files that were written before it."""
        return self.kind in {"deletion", "fence"}

    def to_json(self) -> bytes:
        """Deterministic bytes."""
        body = {"format": "isfray-commit", "version": COMMIT_VERSION, **asdict(self)}
        return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()

    @staticmethod
    def from_json(data: bytes, uri: str) -> Commit:
        """Read back what `to_json` wrote; InputError naming `uri` if it is something else."""
        body = read_json(data, uri, "isfray-commit", COMMIT_VERSION)
        try:
            files = tuple(DataFile(**{**f, "trials": _pairs(f["trials"])}) for f in body["files"])
            return Commit(body["sequence"], body["kind"], _pairs(body["trials"]), files, _pairs(body["replaces"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"is not a whole commit ({error})", file=uri, expected="an undamaged catalog") from None


def _pairs(values: Iterable[Iterable[int]]) -> Ranges:
    return tuple((int(a), int(b)) for a, b in values)


def read_json(data: bytes, uri: str, kind: str, version: int) -> dict[str, Any]:
    """Body of one of the catalog's JSON objects, if it is of this kind and of a version this isfray knows."""
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("format") != kind or not isinstance(body.get("version"), int):
        raise InputError(f"is not an {kind} object", file=uri, expected="a catalog written by isfray, undamaged")
    if body["version"] > version:
        raise InputError(
            "was written by a newer isfray",
            file=uri,
            key="version",
            value=body["version"],
            expected=f"at most {version}; upgrade isfray",
        )
    return body


class CommitLog:
    """Commits of one run, read once each."""

    def __init__(self, storage: Storage, run: str) -> None:
        self.storage, self.prefix = storage, f"runs/{run}/commits/"
        self._commits: dict[int, Commit] = {}
        self._replaced: set[int] = set()
        self._trials: Ranges | None = ()  # of all known commits; None if that is to be found out
        self._length = 0
        self.fence = -1
        """Number of the newest fence that was read."""

    def live(self) -> tuple[Commit, ...]:
        """Commits that count now, by sequence: everything committed and not replaced."""
        newest = self.key(self._length - 1) if self._length else ""
        catch_up([self], self.storage.listing(self.prefix) if not newest else self.storage.newer(self.prefix, newest))
        return self.known()

    def gone(self) -> set[int]:
        """Sequence numbers known to count no more."""
        return set(self._replaced)

    def known(self) -> tuple[Commit, ...]:
        """Commits that count, by sequence, as far as they have been read."""
        return tuple(self._commits[n] for n in sorted(self._commits) if n not in self._replaced)

    def absent(self, trials: NDArray[np.int32]) -> NDArray[np.int32]:
        """Those of some trials that no known commit has. Takes the same time however many commits there are."""
        if self._trials is None:
            self._trials = ranges(committed(self.known()))
        firsts, lasts = np.array(((-2, -2), *self._trials)).T
        new: NDArray[np.int32] = trials[trials > lasts[np.searchsorted(firsts, trials, side="right") - 1]]
        return new

    def _add(self, commit: Commit) -> None:
        self._commits[commit.sequence] = commit
        self.fence = max(self.fence, commit.sequence if commit.fences else -1)
        self._replaced.update(n for a, b in commit.replaces for n in range(a, b + 1))
        kept = None if commit.replaces else self._trials
        self._trials = None if kept is None else union(kept, commit.trials)

    def append(self, make: Callable[[int], Commit | None]) -> Commit | None:
        """Create the next commit.

        Parameters
        ----------
        make : callable
            From the next sequence number to the commit wanted, in view of the `known` ones, or None if there is
            nothing to do. Called again each time another writer was first, when its commit is known too.

        Returns
        -------
        Commit or None
            What was committed.
        """
        if not self._length:  # later, if what is known is out of date, the commit will not be created
            self.live()
        while True:
            commit = make(self._length)
            if commit is None:
                return None
            key, data = self.key(commit.sequence), commit.to_json()
            if self.storage.create(key, data) or self.storage.read(key) == data:  # equal: our own, tried twice
                self._add(commit)
                self._length = max(self._length, commit.sequence + 1)
                return commit
            self.live()

    def raise_fence(self) -> None:
        """Make sure that no file whose name has a number up to `fence` will be listed by a commit to come."""
        self.append(lambda sequence: Commit(sequence, "fence"))

    def key(self, sequence: int) -> str:
        """Key of a commit object."""
        return f"{self.prefix}{sequence:08d}.json"


def catch_up(logs: Sequence[CommitLog], listed: Iterable[str]) -> None:
    """Read the commits that some logs of one storage do not know yet, of all logs side by side.

    Parameters
    ----------
    logs : sequence of CommitLog
        To be brought up to date.
    listed : iterable of str
        Keys that are there; those of other objects do not matter.
    """
    lengths: dict[str, int] = {}
    for key in listed:
        folder, _, name = key.rpartition("/")
        if name.endswith(".json") and name[:-5].isdecimal():
            lengths[folder + "/"] = max(lengths.get(folder + "/", 0), int(name[:-5]) + 1)
    # A listing may miss an object created while it ran, never one that an object it did show was created after.
    missing = {log: range(log._length, lengths.get(log.prefix, 0)) for log in logs}
    # The newest first: a compaction spares reading what it replaced.
    unread = {log: [n for n in reversed(of) if n not in log._replaced] for log, of in missing.items() if of}
    step = _FIRST
    while unread:
        contents = logs[0].storage.read_many(log.key(n) for log, left in unread.items() for n in left[:step])
        for log, left in unread.items():
            if len(left) > _FIRST:
                log._trials = None  # quicker to find out at once than one by one
            for n in left[:step]:
                if (key := log.key(n)) in contents:
                    log._add(Commit.from_json(contents.pop(key), f"{log.storage.uri}/{key}"))
                elif n not in log._replaced:
                    raise InputError("is missing", file=f"{log.storage.uri}/{key}", expected="an undamaged catalog")
        rest = {log: [n for n in left[step:] if n not in log._replaced] for log, left in unread.items()}
        unread = {log: left for log, left in rest.items() if left}
        step *= 2
    for log, of in missing.items():
        log._length = max(log._length, of.stop)


def committed(commits: Iterable[Commit]) -> NDArray[np.int32]:
    """Ascending trials of some commits."""
    return np.unique(np.concatenate([*(numbers(c.trials) for c in commits), np.empty(0, dtype=np.int32)]))


def by_table(commits: Iterable[Commit]) -> Mapping[str, list[DataFile]]:
    """Files of some commits, by table."""
    files: dict[str, list[DataFile]] = {}
    for commit in commits:
        for file in commit.files:
            files.setdefault(file.table, []).append(file)
    return files
