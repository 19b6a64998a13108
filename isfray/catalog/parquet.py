"""A table as Parquet bytes: the same rows give the same bytes, and one trial can be read without the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_BYTES = 4 * 2**20
"""Arrow bytes after which a row group ends, at the next trial border."""


def to_parquet(table: pa.Table) -> bytes:
    """Parquet bytes of a canonical table (see `isfray.tables.canonical`), sorted by trial.

    Row groups end where a trial ends, so that the statistics of the trial column prune whole groups. Numbers are split
    into byte streams before zstd, which costs nothing and saves a tenth to a third. No time, host or path goes in.
    """
    dictionaries = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    reals = [f"{f.name}.list.element" if pa.types.is_list(f.type) else f.name for f in table.schema if _is_real(f.type)]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, table.schema, compression="zstd", use_dictionary=dictionaries, use_byte_stream_split=reals
    ) as writer:
        for start, stop in _row_groups(table):
            writer.write_table(table.slice(start, stop - start), row_group_size=max(stop - start, 1))
    data: bytes = sink.getvalue().to_pybytes()
    return data


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
