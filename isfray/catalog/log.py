"""The commit log of a run: what exists, decided one object at a time.

Commits are numbered from 0 without a gap. A writer that has read commits 0 to n-1 may create commit n, and only one
writer can: that makes every writer see all earlier commits before its own takes effect. So a trial that is already
committed is never committed again, and the first commit of a trial is the only one. Commit objects are never changed
and never deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isfray import tables
from isfray.catalog.storage import Storage
from isfray.errors import InputError
from isfray.tables import LAST_TRIAL, SCHEMAS

COMMIT_VERSION = 1
SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT_NAME = re.compile(r"(\d{8,12})\.json")
_UNDAMAGED = "an undamaged catalog"
_UNSEEN = 1000  # commits that a listing may miss
_FILE = re.compile(r"(\w+)/run=[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/batch=[0-9a-f-]+\.parquet")
_FIRST = 32  # commits read before it is looked whether one of them replaces others
_Kind = Literal["batch", "compaction", "check", "deletion", "fence"]

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


def up_to(n: int) -> Ranges:
    """Ranges of the numbers from 0 to n - 1."""
    return ((0, n - 1),) if n else ()


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
        `batch` adds trials; `compaction` lists the same trials in other files; `check` lists those that were found
        sound, in files without the others; `deletion` ends all; `fence` makes every writer that has written files and
        not committed them write them again, under other names.
    trials : ranges
        Every trial of its files.
    files : tuple of DataFile
        The files of all tables.
    replaces : ranges
        Sequence numbers of all earlier commits that count no more, those an earlier commit replaced included, so that a
        reader who starts with the newest need not read them. Fences are replaced by deletions only.
    checked : ranges
        Of its trials, those that somebody has looked at and found sound; versions without the look say nothing.
    """

    sequence: int
    kind: _Kind
    trials: Ranges = ()
    files: tuple[DataFile, ...] = ()
    replaces: Ranges = field(default=())
    checked: Ranges = ()

    @property
    def fences(self) -> bool:
        """Whether no later commit lists files that were written before it."""
        return self.kind in {"deletion", "fence"}

    def to_json(self) -> bytes:
        """Deterministic bytes."""
        body = {"format": "isfray-commit", "version": COMMIT_VERSION, **asdict(self)}
        if self.files:  # so that who cannot read them knows it without a look at each
            body["schema_version"] = tables.SCHEMA_VERSION
        return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()

    @staticmethod
    def from_json(data: bytes, uri: str) -> Commit:
        """Read back what `to_json` wrote; InputError naming `uri` if it is something else."""
        body = read_json(data, uri, "isfray-commit", COMMIT_VERSION)
        if isinstance(version := body.get("schema_version"), int):
            check_version(version, tables.SCHEMA_VERSION, uri, "schema_version")
        try:
            sequence, kind = body["sequence"], body["kind"]
            if isinstance(sequence, bool) or not isinstance(sequence, int) or kind not in get_args(_Kind):
                raise ValueError(f"{kind!r} with number {sequence!r}"[:80])
            files = tuple(_data_file(**file) for file in body["files"])
            trials, replaces = pairs(body["trials"], LAST_TRIAL), pairs(body["replaces"], sequence - 1)
            return Commit(sequence, kind, trials, files, replaces, pairs(body.get("checked", ()), LAST_TRIAL))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"is not a whole commit ({str(error)[:160]})", file=uri, expected=_UNDAMAGED) from None


def pairs(values: Any, last: int) -> Ranges:
    """Ascending ranges of whole numbers from 0 to `last`, as they were stored."""
    if not all(isinstance(n, int) and not isinstance(n, bool) for pair in values for n in pair):
        raise TypeError("numbers that are none")
    found = tuple((a, b) for a, b in values)
    border = -1
    for a, b in found:
        if not border < a <= b <= last:
            raise ValueError(f"numbers {a} to {b}")
        border = b
    return found


def _data_file(path: str, table: str, trials: Any, rows: int, bytes: int, sha256: str) -> DataFile:
    """What a commit says about a file, which can only be one of a run's folder of its table."""
    if table not in SCHEMAS:
        raise ValueError(f"a table {table!r} that this isfray does not know"[:80])
    match = _FILE.fullmatch(path)
    if match is None or match[1] != table:
        raise ValueError(f"a file {path!r} that is none of {table}"[:120])
    if any(not isinstance(n, int) or n < 0 for n in (rows, bytes)) or not SHA256.fullmatch(sha256):
        raise ValueError(f"size or hash of {path}")
    return DataFile(path, table, pairs(trials, LAST_TRIAL), rows, bytes, sha256)


def read_json(data: bytes, uri: str, kind: str, version: int) -> dict[str, Any]:
    """Body of one of the catalog's JSON objects, if it is of this kind and of a version this isfray knows."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.get("format") != kind or not isinstance(body.get("version"), int):
        raise InputError(f"is not an {kind} object", file=uri, expected="a catalog written by isfray, undamaged")
    check_version(body["version"], version, uri, "version")
    return body


def check_version(version: int, newest: int, uri: str, key: str) -> int:
    """Return the version of an object if this isfray, which knows the `newest`, reads it; InputError otherwise."""
    if version > newest:
        problem, expected = "was written by a newer isfray", f"at most {newest}; upgrade isfray"
        raise InputError(problem, file=uri, key=key, value=version, expected=expected)
    return version


class CommitLog:
    """Commits of one run, read once each."""

    def __init__(self, storage: Storage, run: str) -> None:
        self.storage, self.run, self.prefix = storage, run, f"runs/{run}/commits/"
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

    def _missing(self, stored: set[int]) -> range:
        """Numbers of the commits that are there, by those that a listing shows, and not known yet."""
        found = range(self._length, max(stored, default=-1) + 1)
        if len(found) - len(stored.intersection(found)) > _UNSEEN:
            first = self.key(next(n for n in found if n not in stored))
            raise InputError("is missing", file=f"{self.storage.uri}/{first}", expected=_UNDAMAGED)
        return found

    def _own(self, sequence: int, commit: Commit) -> Commit:
        """A commit that was read, if it is of this run and number."""
        strange = [f.path for f in commit.files if not f.path.startswith(f"{f.table}/run={self.run}/")]
        if strange or commit.sequence != sequence:
            problem = f"lists {strange[0]}" if strange else f"says that it is commit {commit.sequence}"
            where = f"{self.storage.uri}/{self.key(sequence)}"
            raise InputError(problem, file=where, expected=f"commit {sequence} of {self.run}")
        return commit

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
    stored: dict[str, set[int]] = {}
    for key in listed:
        folder, _, name = key.rpartition("/")
        if match := _COMMIT_NAME.fullmatch(name):
            stored.setdefault(folder + "/", set()).add(int(match[1]))
    # A listing may miss an object created while it ran, never one that an object it did show was created after.
    missing = {log: log._missing(stored.get(log.prefix, set())) for log in logs}
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
                    log._add(log._own(n, Commit.from_json(contents.pop(key), f"{log.storage.uri}/{key}")))
                elif n not in log._replaced:
                    raise InputError("is missing", file=f"{log.storage.uri}/{key}", expected=_UNDAMAGED)
        rest = {log: [n for n in left[step:] if n not in log._replaced] for log, left in unread.items()}
        unread = {log: left for log, left in rest.items() if left}
        step *= 2
    for log, of in missing.items():
        log._length = max(log._length, of.stop)


def committed(commits: Iterable[Commit]) -> NDArray[np.int32]:
    """Ascending trials of some commits."""
    return np.unique(np.concatenate([*(numbers(c.trials) for c in commits), np.empty(0, dtype=np.int32)]))


def checked(commits: Iterable[Commit]) -> NDArray[np.int32]:
    """Ascending trials of some commits that are known to be sound."""
    return np.unique(np.concatenate([*(numbers(c.checked) for c in commits), np.empty(0, dtype=np.int32)]))


def by_table(commits: Iterable[Commit]) -> Mapping[str, list[DataFile]]:
    """Files of some commits, by table."""
    files: dict[str, list[DataFile]] = {}
    for commit in commits:
        for file in commit.files:
            files.setdefault(file.table, []).append(file)
    return files
