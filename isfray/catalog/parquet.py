"""A table as Parquet bytes: the same rows give the same bytes, and one trial can be read without the others."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from isfray import tables
from isfray.catalog.log import DataFile, check_version
from isfray.catalog.storage import Storage
from isfray.errors import InputError
from isfray.tables import conform, schema_at, written_by

ROW_GROUP_BYTES = 4 * 2**20
"""Arrow bytes after which a row group ends, at the next trial border."""
_GROUPS = 4  # row groups in memory at once
_SMALL = 2**20  # bytes of a file up to which handing columns to threads takes longer than reading them
_AHEAD, _AHEAD_BYTES = 64, 8 * 2**20  # files, and bytes of files, that are read side by side


def to_parquet(schema: pa.Schema, tables: Iterable[pa.Table]) -> tuple[bytes, int]:
    """Parquet bytes, and number of rows, of canonical tables that follow each other by trial.

    Canonical is what `isfray.tables.canonical` returns. Row groups end where a trial ends, so that the statistics of
    the trial column prune whole groups. Numbers are split into byte streams before zstd, which costs nothing and saves
    a tenth to a third. No time, host or path goes in.
    """
    rows = 0
    dictionaries = [f.name for f in schema if pa.types.is_dictionary(f.type)]
    reals = [f"{f.name}.list.element" if pa.types.is_list(f.type) else f.name for f in schema if _is_real(f.type)]
    sink = BytesIO()  # hands its bytes over without a copy
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=dictionaries,
        use_byte_stream_split=reals,
        write_page_checksum=True,  # for readers that look at it
    ) as writer:
        for table in tables:
            rows += table.num_rows
            for start, stop in _row_groups(table):
                writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)
    return sink.getvalue(), rows


def _is_real(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or (pa.types.is_list(kind) and pa.types.is_floating(kind.value_type)))


def _row_groups(table: pa.Table) -> Iterator[tuple[int, int]]:
    rows = table.num_rows
    if not rows:
        return
    limit = max(1, int(rows * ROW_GROUP_BYTES / max(table.nbytes, 1)))
    trial = table.column("trial").to_numpy()
    ends = np.append(np.flatnonzero(np.diff(trial)) + 1, rows)
    start = 0
    while start < rows:
        stop = int(ends[min(int(np.searchsorted(ends, start + limit)), len(ends) - 1)])
        yield start, stop
        start = stop


def read_tables(storage: Storage, file: DataFile) -> Iterator[pa.Table]:
    """Rows of a committed file, some row groups at a time; InputError if it is gone or not what was committed."""
    return (table for _, table in rows_of(storage, [file]))


def rows_of(storage: Storage, files: Iterable[DataFile]) -> Iterator[tuple[DataFile, pa.Table]]:
    """Rows of committed files one after the other, some row groups at a time; see `read_tables`."""
    for file, data in unaltered(storage, files):
        for table in tables_in(data, file.table, f"{storage.uri}/{file.path}"):
            yield file, table


def unaltered(storage: Storage, files: Iterable[DataFile]) -> Iterator[tuple[DataFile, bytes]]:
    """Bytes of committed files; InputError at the first that is gone or not what was committed."""
    for file, data in contents(storage, files):
        uri = f"{storage.uri}/{file.path}"
        if data is None:
            raise InputError("is missing", file=uri, expected="an undamaged catalog")
        if hashlib.sha256(data).hexdigest() != file.sha256:
            problem = "has other content than was committed"
            try:
                deque(plain_tables_in(data, uri), maxlen=0)
            except InputError as error:
                problem += f" and {error.problem}"
            expected = "a file as it was written; `isfray verify` tells what else has changed"
            raise InputError(problem, file=uri, expected=expected)
        yield file, data


def contents(storage: Storage, files: Iterable[DataFile]) -> Iterator[tuple[DataFile, bytes | None]]:
    """Bytes stored for committed files, None for one that is gone; small files are read side by side."""
    for some in _portions(files):
        found = storage.read_many([file.path for file in some])
        for file in some:
            yield file, found.pop(file.path, None)


def _portions(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    some, size = list[DataFile](), 0
    for file in files:
        if some and (size + file.bytes > _AHEAD_BYTES or len(some) == _AHEAD):
            yield some
            some, size = [], 0
        some.append(file)
        size += file.bytes
    if some:
        yield some


def tables_in(data: bytes, name: str, uri: str) -> Iterator[pa.Table]:
    """Rows of a file of table `name` that has been read, some row groups at a time; InputError if it is none of it.

    They have the schema of today: columns that the file lacks, because an earlier version wrote it, are null.
    """
    for table in plain_tables_in(data, uri):
        version = check_version(written_by(table.schema), tables.SCHEMA_VERSION, uri, "schema_version")
        if not table.schema.equals(schema_at(name, version)):
            raise InputError(f"does not have the schema of {name}", file=uri, expected=f"that of version {version}")
        yield conform(name, table)


def plain_tables_in(data: bytes, uri: str) -> Iterator[pa.Table]:
    """Rows of a Parquet file as it is; InputError if it is damaged."""
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as parquet:
            if not parquet.num_row_groups:
                yield parquet.read()
            for first in range(0, parquet.num_row_groups, _GROUPS):
                some = range(first, min(first + _GROUPS, parquet.num_row_groups))
                yield parquet.read_row_groups(some, use_threads=len(data) > _SMALL)
    except (pa.ArrowException, OSError, ValueError) as error:  # the last for names that are no text any more
        raise InputError(f"is not a whole Parquet file ({error})", file=uri, expected="an undamaged catalog") from None
