"""Withdrawal of wrong trials: one commit that lists those found sound and replaces the commits that held them.

Versions before the watch stored what they were given. Their commits do not say that anybody looked at their trials;
these are looked at once, and the commit of what was found says so. Trials that were found wrong are missing after it,
and are simulated by whoever resumes the run. Files without a wrong trial are listed as they are; the others are written
again without it, and stay for readers that have them open, as after a compaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isfray.arrays import I32
from isfray.catalog.batch import write_table
from isfray.catalog.inspection import Inspection
from isfray.catalog.log import Commit, CommitLog, DataFile, checked, committed, numbers, ranges
from isfray.catalog.parquet import read_tables
from isfray.catalog.storage import Storage
from isfray.tables import SCHEMAS, canonical

Told = Callable[[int, int], object]
"""Told how many bytes of how many have been looked at."""
TELL_S = 2.0
"""Least seconds between two lines about how far a reading is."""


def quietly(done: int, total: int) -> None:
    """Tell nobody."""


def now_and_then(say: Callable[[int], object]) -> Told:
    """Tell how many percent are done, every `TELL_S` seconds."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= TELL_S:
            last = time.monotonic()
            say(100 * done // max(total, 1))

    return tell


def unchecked(log: CommitLog) -> I32:
    """Ascending trials that nobody has looked at."""
    live = log.live()
    return np.setdiff1d(committed(live), checked(live))


def mend_run(storage: Storage, log: CommitLog, run: str, v_init: float | None, tell: Told) -> dict[int, str]:
    """Look at the trials that nobody has looked at, and withdraw those that are wrong.

    One file is in memory at a time. A crash at any step leaves the run as it was, or mended.

    Parameters
    ----------
    storage, log, run
        Where, which.
    v_init : float or None
        What its voltages begin with, mV.
    tell : callable
        Told how far it is.

    Returns
    -------
    dict of int to str
        By trial that was withdrawn, what is wrong with it.

    Raises
    ------
    InputError
        If a file is gone or damaged.
    """
    asked = unchecked(log)
    if not len(asked):
        return {}
    order = list(SCHEMAS).index
    files = [f for c in log.known() for f in c.files if len(np.intersect1d(numbers(f.trials), asked))]
    inspection, read, total = Inspection(v_init), 0, sum(f.bytes for f in files)
    for file in sorted(files, key=lambda f: order(f.table)):
        tell(read, total)
        for table in read_tables(storage, file):
            inspection.see(file.table, _only(table, asked))
        read += file.bytes
    wrong = inspection.wrong(asked)
    withdraw(storage, log, run, asked, wrong)
    tell(total, total)
    return wrong


def withdraw(storage: Storage, log: CommitLog, run: str, looked_at: I32, wrong: Mapping[int, str]) -> None:
    """Commit that trials were looked at, and that some of them are wrong and count no more.

    Only those are meant that nobody else has looked at or simulated again in the meantime.
    """
    bad = np.array(sorted(wrong), dtype=np.int32)
    written: dict[str, tuple[DataFile, ...]] = {}
    number = -1

    def make(sequence: int) -> Commit | None:
        nonlocal number
        open_ = {c: np.setdiff1d(numbers(c.trials), numbers(c.checked)) for c in log.known() if not c.fences}
        old = {c: trials for c, trials in open_.items() if len(np.intersect1d(trials, looked_at))}
        if not old:
            return None
        if not written or log.fence >= number:
            written.clear()
            number = sequence
        gone = np.intersect1d(bad, np.concatenate(list(old.values())))
        for file in (f for c in old for f in c.files):
            if file.path not in written:
                written[file.path] = _without(storage, run, file, gone, number)
        trials = np.setdiff1d(committed(old), gone)
        return Commit(
            sequence,
            "check",
            trials=ranges(trials),
            files=tuple(file for c in old for f in c.files for file in written[f.path]),
            replaces=ranges({c.sequence for c in old} | log.gone()),
            checked=ranges(np.union1d(checked(old), np.intersect1d(trials, looked_at))),
        )

    log.append(make)


def _without(storage: Storage, run: str, file: DataFile, gone: I32, number: int) -> tuple[DataFile, ...]:
    """The file, or one like it that lacks some trials, or none if nothing is left."""
    trials = numbers(file.trials)
    left = np.setdiff1d(trials, gone)
    if len(left) == len(trials):
        return (file,)
    if not len(left):
        return ()
    pieces = (canonical(file.table, _only(table, left)) for table in read_tables(storage, file))
    return (write_table(storage, run, file.table, pieces, left, number),)


def _only(table: pa.Table, trials: I32) -> pa.Table:
    return table.filter(pc.is_in(table.column("trial"), value_set=pa.array(trials, pa.int32())))
