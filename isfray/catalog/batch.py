"""A batch of trials on its way into the catalog: what it must hold, and the files it becomes.

A file's name follows from its run, its trials, its content, and the number of the commit that was to list it. So
writing it again writes the same bytes under the same name, two writers whose rows differ (their trials took different
times) never write to one name, and no file is written that a fence has shut out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from isfray.catalog.log import DataFile, ranges
from isfray.catalog.parquet import to_parquet
from isfray.catalog.storage import Storage
from isfray.tables import SCHEMAS, canonical

_FILE = re.compile(r".*/batch=\d+-\d+-(\d{8})-[0-9a-f]{16}\.parquet")


@dataclass(frozen=True)
class CommitInfo:
    """What a call of `commit` did: the trials it added, the files it wrote (none if every trial was there before)."""

    run: str
    trials: NDArray[np.int32]
    already_there: NDArray[np.int32]
    files: tuple[DataFile, ...]

    @property
    def bytes(self) -> int:
        """Bytes of the files."""
        return sum(file.bytes for file in self.files)


def write_batch(
    storage: Storage, run: str, batch: Mapping[str, pa.Table], trials: NDArray[np.int32], number: int
) -> tuple[DataFile, ...]:
    """Write the rows of some trials, a file per table, side by side: most of the time is spent waiting for the storage.

    No reader sees them before a commit lists them.
    """
    whole = len(trials) == batch["trials"].num_rows
    parts = batch if whole else {name: _only(name, table, trials) for name, table in batch.items()}
    with ThreadPoolExecutor(len(parts)) as pool:
        return tuple(pool.map(lambda name: write_table(storage, run, name, [parts[name]], trials, number), parts))


def write_table(
    storage: Storage, run: str, name: str, tables: Iterable[pa.Table], trials: NDArray[np.int32], number: int
) -> DataFile:
    """Write the rows of some trials as one file, for commit `number` or a later one."""
    data, rows = to_parquet(SCHEMAS[name], tables)
    digest = hashlib.sha256(data).hexdigest()
    path = f"{name}/run={run}/batch={trials.min():06d}-{trials.max():06d}-{number:08d}-{digest[:16]}.parquet"
    storage.put(path, data)
    return DataFile(path, name, ranges(trials), rows, len(data), digest)


def number_of(key: str) -> int:
    """Number in the name of a data file; -1 for a file of another kind."""
    match = _FILE.fullmatch(key)
    return int(match[1]) if match else -1


def trials_of(batch: Mapping[str, pa.Table]) -> NDArray[np.int32]:
    """Ascending trials of a canonical batch; ValueError if its tables do not belong together."""
    if "trials" not in batch or not batch["trials"].num_rows:
        raise ValueError("a batch needs the table trials, with a row for each of its trials")
    trials = batch["trials"].column("trial").to_numpy()
    if np.any(np.diff(trials) == 0) or trials[0] < 0:
        raise ValueError("trials must be numbered from 0, each once in the table trials")
    for name, table in batch.items():
        if strange := set(np.unique(table.column("trial").to_numpy())) - set(trials):
            raise ValueError(f"{name} has trials that the table trials has not: {sorted(map(int, strange))}")
    return np.asarray(trials, dtype=np.int32)


def _only(name: str, table: pa.Table, trials: NDArray[np.int32]) -> pa.Table:
    chosen = pc.is_in(table.column("trial"), value_set=pa.array(trials, pa.int32()))
    return canonical(name, table.filter(chosen))
