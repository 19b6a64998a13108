"""Verification: a run against everything the catalog promises about it."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from isfray.catalog.leftovers import remove_leftovers, unlisted
from isfray.catalog.log import Commit, CommitLog, DataFile, committed, numbers
from isfray.catalog.parquet import contents, tables_in
from isfray.catalog.runs import load_inputs
from isfray.catalog.storage import Storage
from isfray.errors import InputError
from isfray.tables import SCHEMAS

SOMA = "soma"
"""Site whose spikes `trials.n_spikes` counts."""


@dataclass(frozen=True)
class VerifyReport:
    """What verification found.

    Attributes
    ----------
    run : str
        The run.
    trials, files, bytes : int
        What was checked.
    problems : tuple of str
        One line each; empty if all is well.
    leftovers : tuple of str
        Files that no reader sees. No problem: a repair removes them once they are old enough.
    removed : tuple of str
        Those that were removed.
    """

    run: str
    trials: int
    files: int
    bytes: int
    problems: tuple[str, ...]
    leftovers: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def verify_run(
    storage: Storage, log: CommitLog, run: str, body: Mapping[str, Any], *, repair: bool, grace_s: float
) -> VerifyReport:
    """Check inputs, commits, files and rows of a run; a few small files, or a large one, are in memory at once.

    Inputs and files must have the hashes they were stored with; every file the schema of its table and the rows and
    trials its commit says; every trial one row in `trials`, and no row anywhere else without it; the counts in
    `trials` must agree with the other tables; releases, presynaptic spikes and spikes must lie within the simulated
    time.

    Parameters
    ----------
    storage, log, run, body
        Where, which, and its run.json.
    repair : bool
        Remove leftovers older than `grace_s` (s). Nothing that a reader can see is ever removed.
    """
    live = log.live()
    problems: list[str] = []
    try:
        load_inputs(storage, body)
    except InputError as error:
        problems.append(str(error))
    tally = _Tally()
    files = [file for commit in live for file in commit.files]
    for file, data in contents(storage, files):
        problems += _check_file(f"{storage.uri}/{file.path}", data, file, tally)
    problems += _check_commits(live)
    problems += tally.problems(committed(live))
    removed = tuple(sorted(remove_leftovers(storage, log, run, grace_s))) if repair else ()
    leftovers = tuple(sorted(unlisted(storage, log.live(), run)))
    total = sum(file.bytes for file in files)
    return VerifyReport(run, len(committed(live)), len(files), total, tuple(problems), leftovers, removed)


def _check_commits(live: tuple[Commit, ...]) -> Iterator[str]:
    for table in SCHEMAS:
        held = Counter(int(n) for c in live for f in c.files if f.table == table for n in numbers(f.trials))
        if twice := [trial for trial, times in held.items() if times > 1]:
            yield f"{table}: trials {_some(twice)} are in more than one file"


def _check_file(uri: str, data: bytes | None, file: DataFile, tally: _Tally) -> Iterator[str]:
    if data is None:
        yield f"{uri}: is missing"
        return
    if file.table not in SCHEMAS:
        yield f"{uri}: is of a table that this isfray does not know ({file.table})"
        return
    if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
        yield f"{uri}: has other content than was committed ({len(data)} bytes, committed {file.bytes})"
        try:  # what its rows say now is of no interest
            deque(tables_in(data, uri), maxlen=0)
        except InputError as error:
            yield str(error)
        return
    rows, last = 0, -1
    try:
        for table in tables_in(data, uri):
            if not table.schema.equals(SCHEMAS[file.table]):
                yield f"{uri}: does not have the schema of {file.table}"
                return
            trial = table.column("trial").to_numpy()
            if np.any(np.diff(trial, prepend=last) < 0):
                yield f"{uri}: is not sorted by trial"
            if strange := np.setdiff1d(trial, numbers(file.trials)).tolist():
                yield f"{uri}: holds trials {_some(strange)} that were not committed with it"
            rows, last = rows + table.num_rows, trial[-1] if len(trial) else last
            tally.add(file.table, trial, table)
    except InputError as error:
        yield str(error)
        return
    if rows != file.rows:
        yield f"{uri}: has {rows} rows, committed {file.rows}"


class _Tally:
    """Counts per trial, gathered file by file."""

    def __init__(self) -> None:
        self.said: dict[int, tuple[int, int, int, float]] = {}
        self.rows: dict[str, Counter[int]] = {name: Counter() for name in SCHEMAS}
        self.releases: Counter[int] = Counter()
        self.soma_spikes: Counter[int] = Counter()
        self.last: dict[tuple[str, int], float] = {}
        self.negative: set[str] = set()

    def add(self, name: str, trial: NDArray[np.int32], table: pa.Table) -> None:
        _count(self.rows[name], trial)
        if name == "trials":
            n = [table.column(c).to_numpy() for c in ("n_active_synapses", "n_releases", "n_spikes", "t_stop", "dt")]
            for i, number in enumerate(trial):
                self.said[int(number)] = (int(n[0][i]), int(n[1][i]), int(n[2][i]), float(n[3][i] + 2 * n[4][i]))
        elif name == "spike_times":
            self._span(name, trial, table.column("time").to_numpy())
            _count(self.soma_spikes, trial[pc.equal(table.column("site").cast(pa.string()), SOMA).to_numpy()])
        elif "times" in table.column_names:
            lengths = pc.list_value_length(table.column("times")).to_numpy()
            owner = np.repeat(trial, lengths)
            self._span(name, owner, pc.list_flatten(table.column("times")).to_numpy())
            if name == "synapse_activation":
                _count(self.releases, owner)

    def _span(self, name: str, owner: NDArray[np.int32], times: NDArray[np.float64]) -> None:
        if not len(times):
            return
        if not times.min() >= 0:
            self.negative.add(name)
        numbers, first = np.unique(owner, return_index=True)  # sorted by trial
        for number, last in zip(numbers.tolist(), np.maximum.reduceat(times, first).tolist(), strict=True):
            self.last[name, number] = max(last, self.last.get((name, number), last))

    def problems(self, trials: NDArray[np.int32]) -> Iterator[str]:
        expected = set(trials.tolist())
        rows = self.rows["trials"]
        if missing := sorted(expected - rows.keys()):
            yield f"trials: has no row for committed trials {_some(missing)}"
        if twice := [t for t, n in rows.items() if n > 1]:
            yield f"trials: has several rows for trials {_some(twice)}"
        for name, counts in self.rows.items():
            if strange := sorted(counts.keys() - rows.keys()):
                yield f"{name}: has rows of trials {_some(strange)} that the table trials has not"
        counted = (("n_active_synapses", self.rows["synapse_activation"]), ("n_releases", self.releases))
        for i, (column, counts) in enumerate((*counted, ("n_spikes", self.soma_spikes))):
            if wrong := [t for t, said in self.said.items() if said[i] != counts[t]]:
                yield f"trials: {column} disagrees with the rows of trials {_some(wrong)}"
        for name in sorted(self.negative):
            yield f"{name}: has times before 0 or that are no numbers"
        for name in SCHEMAS:
            late = [
                t
                for (table, t), last in self.last.items()
                if table == name and t in self.said and last > self.said[t][3]
            ]
            if late:
                yield f"{name}: has times after the end of trials {_some(late)}"


def _count(counter: Counter[int], trial: NDArray[np.int32]) -> None:
    values, counts = np.unique(trial, return_counts=True)
    counter.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _some(trials: list[int]) -> str:
    shown = ", ".join(map(str, sorted(trials)[:5]))
    return shown + (f" and {len(trials) - 5} more" if len(trials) > 5 else "")
