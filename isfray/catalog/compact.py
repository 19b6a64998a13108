"""Compaction: the same rows in few large files, while readers read and a run goes on writing.

The large files are written first, next to the small ones; then one commit lists them and replaces the commits they
were made of. Before that commit nothing has changed, after it nothing is lost: a crash at any step leaves files that
nobody lists. The small files stay for readers that have just opened them, and go at the start of a later compaction, or
with a repair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from isfray.catalog.batch import write_table
from isfray.catalog.leftovers import remove_leftovers
from isfray.catalog.log import Commit, CommitLog, DataFile, by_table, checked, committed, numbers, ranges
from isfray.catalog.parquet import rows_of
from isfray.catalog.storage import Storage
from isfray.tables import canonical

FILE_BYTES = 64 * 2**20
"""Size in bytes at which a merged file is full."""
PIECE_BYTES = 32 * 2**20
"""Arrow bytes gathered before they are written, so that memory does not grow with the run."""


@dataclass(frozen=True)
class CompactReport:
    """Files and bytes a reader sees, before and after; how many replaced or abandoned files were removed."""

    run: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    removed: int


def compact_run(storage: Storage, log: CommitLog, run: str, *, file_bytes: int, grace_s: float) -> CompactReport:
    """Merge the small files of a run.

    Parameters
    ----------
    storage, log, run
        Where, which.
    file_bytes : int
        Size at which a merged file is full. Files of half that size or more are left as they are.
    grace_s : float
        Age in s from which files that no reader sees are removed.
    """
    removed = remove_leftovers(storage, log, run, grace_s)
    before = tuple(commit for commit in log.live() if not commit.fences)
    merged: dict[str, list[DataFile]] = {}
    number = -1

    def make(sequence: int) -> Commit | None:
        nonlocal number
        if not {c.sequence for c in before} <= {c.sequence for c in log.known()}:
            return None  # somebody else has compacted, or deleted, meanwhile
        if not merged or log.fence >= number:
            files = by_table(before)
            if all(len(group) == 1 for of in files.values() for group in _groups(of, file_bytes)):
                return None
            number = sequence
            for name, of in files.items():
                merged[name] = [_merge(storage, run, group, number) for group in _groups(of, file_bytes)]
        return Commit(
            sequence,
            "compaction",
            trials=ranges(committed(before)),
            files=tuple(file for files in merged.values() for file in files),
            replaces=ranges({c.sequence for c in before} | log.gone()),
            checked=ranges(checked(before)),
        )

    log.append(make)
    old, new = [f for c in before for f in c.files], [f for c in log.live() for f in c.files]
    return CompactReport(run, len(old), len(new), sum(f.bytes for f in old), sum(f.bytes for f in new), len(removed))


def _groups(files: Sequence[DataFile], file_bytes: int) -> Iterator[list[DataFile]]:
    """Files to be merged, by ascending trials; one that is large already is a group of its own."""
    group, size = list[DataFile](), 0
    for file in sorted(files, key=lambda f: f.trials):
        if file.bytes >= file_bytes // 2:
            yield [file]
            continue
        group.append(file)
        size += file.bytes
        if size >= file_bytes:
            yield group
            group, size = [], 0
    if group:
        yield group


def _merge(storage: Storage, run: str, files: list[DataFile], number: int) -> DataFile:
    if len(files) == 1:
        return files[0]
    trials = np.unique(np.concatenate([numbers(f.trials) for f in files]))
    return write_table(storage, run, files[0].table, _pieces(storage, files), trials, number)


def _pieces(storage: Storage, files: list[DataFile]) -> Iterator[pa.Table]:
    """Rows of some files by ascending trial, in tables of bounded size.

    Batches overlap where trials took long: rows are held back until no file to come can hold an earlier trial.
    """
    borders = dict(zip((file.path for file in files), (*map(_first, files[1:]), np.iinfo(np.int64).max), strict=True))
    held, size, full = list[pa.Table](), 0, PIECE_BYTES
    for file, table in rows_of(storage, files):
        held.append(table)
        size += table.nbytes
        if size >= full:
            ready, rest = _split(pa.concat_tables(held), min(borders[file.path], _last(table) + 1))
            if ready.num_rows:
                yield canonical(file.table, ready)
            held, size = ([rest], rest.nbytes) if rest.num_rows else ([], 0)
            full = max(PIECE_BYTES, 2 * size)  # what could not go yet is not gone through again for every file
    if held:
        yield canonical(files[0].table, pa.concat_tables(held))


def _split(table: pa.Table, border: int) -> tuple[pa.Table, pa.Table]:
    """Rows of trials before a border, and the others, each in memory of its own."""
    before = pc.less(table.column("trial"), border)
    return table.filter(before), table.filter(pc.invert(before))


def _first(file: DataFile) -> int:
    return file.trials[0][0]


def _last(table: pa.Table) -> int:
    return int(table.column("trial")[-1].as_py()) if table.num_rows else -1
