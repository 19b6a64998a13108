"""Verification: a run against everything the catalog promises about it."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.catalog.inspection import IMPORTED, Inspection, initial_voltage, some
from isfray.catalog.leftovers import remove_leftovers, unlisted
from isfray.catalog.log import Commit, CommitLog, DataFile, committed, numbers
from isfray.catalog.mending import Told, withdraw
from isfray.catalog.parquet import contents, plain_tables_in, tables_in
from isfray.catalog.runs import load_inputs
from isfray.catalog.storage import Storage
from isfray.errors import InputError
from isfray.model.soundness import told
from isfray.tables import SCHEMAS


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
    wrong_trials : mapping of int to str
        By trial that is not what it must be, what is wrong with it.
    withdrawn : tuple of int
        Those that a repair has withdrawn, to be simulated again by whoever resumes the run.
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
    wrong_trials: Mapping[int, str]
    withdrawn: tuple[int, ...]
    leftovers: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def verify_run(
    storage: Storage, log: CommitLog, run: str, body: Mapping[str, Any], *, repair: bool, grace_s: float, tell: Told
) -> VerifyReport:
    """Check inputs, commits, files, rows and trials of a run; a few small files, or a large one, are in memory at once.

    Inputs and files must have the hashes they were stored with; every file the schema of its table and the rows and
    trials its commit says; every trial one row in `trials`, and no row anywhere else without it; the counts in
    `trials` must agree with the other tables; releases, presynaptic spikes and spikes must lie within the simulated
    time. Every trace must have a sample for each step of its trial, from t = 0 on, begin with the cell's initial
    voltage, and hold numbers, within 1 V; the spikes must be those of the traces. Of imported trials lengths, times and
    the initial voltage are not asked.

    Parameters
    ----------
    storage, log, run, body
        Where, which, and its run.json.
    repair : bool
        Withdraw wrong trials that versions without this look have stored, unless they were imported or a file is
        damaged. Remove leftovers older than `grace_s` (s).
    tell : callable
        Told how many bytes of how many have been read.
    """
    live = log.live()
    problems: list[str] = []
    try:
        load_inputs(storage, body)
    except InputError as error:
        problems.append(str(error))
    inspection, order = Inspection(initial_voltage(storage, body)), list(SCHEMAS).index
    files = sorted((file for commit in live for file in commit.files), key=lambda file: order(file.table))
    damage, read, total = list(_check_commits(live)), 0, sum(file.bytes for file in files)
    tell(read, total)
    for file, data in contents(storage, files):
        damage += _check_file(f"{storage.uri}/{file.path}", data, file, inspection)
        read += file.bytes
        tell(read, total)
    trials = committed(live)
    problems += damage
    problems += [f"{what} of trials {some(of)}" for what, of in inspection.contradictions(trials) if of]
    if inspection.faults:
        problems.append(f"{len(inspection.faults)} trials are wrong: {told(inspection.faults)}")
    wrong, withdrawn = inspection.wrong(trials), np.empty(0, dtype=np.int32)
    if repair and not damage and body["settings"].engine != IMPORTED:
        withdraw(storage, log, run, trials, wrong)
        withdrawn = np.setdiff1d(list(wrong), committed(log.known()))
    removed = tuple(sorted(remove_leftovers(storage, log, run, grace_s))) if repair else ()
    leftovers = tuple(sorted(unlisted(storage, log.live(), run)))
    return VerifyReport(
        run,
        len(trials),
        len(files),
        total,
        tuple(problems),
        wrong,
        tuple(withdrawn.tolist()),
        leftovers,
        removed,
    )


def _check_commits(live: tuple[Commit, ...]) -> Iterator[str]:
    for table in SCHEMAS:
        held = Counter(int(n) for c in live for f in c.files if f.table == table for n in numbers(f.trials))
        if twice := [trial for trial, times in held.items() if times > 1]:
            yield f"{table}: trials {some(twice)} are in more than one file"


def _check_file(uri: str, data: bytes | None, file: DataFile, inspection: Inspection) -> Iterator[str]:
    if data is None:
        yield f"{uri}: is missing"
        return
    if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
        yield f"{uri}: has other content than was committed ({len(data)} bytes, committed {file.bytes})"
        try:  # what its rows say now is of no interest
            deque(plain_tables_in(data, uri), maxlen=0)
        except InputError as error:
            yield str(error)
        return
    rows, last = 0, -1
    try:
        for table in tables_in(data, file.table, uri):
            trial = table.column("trial").to_numpy()
            if np.any(np.diff(trial, prepend=last) < 0):
                yield f"{uri}: is not sorted by trial"
            if strange := np.setdiff1d(trial, numbers(file.trials)).tolist():
                yield f"{uri}: holds trials {some(strange)} that were not committed with it"
            rows, last = rows + table.num_rows, trial[-1] if len(trial) else last
            inspection.see(file.table, table)
    except InputError as error:
        yield str(error)
        return
    if rows != file.rows:
        yield f"{uri}: has {rows} rows, committed {file.rows}"
