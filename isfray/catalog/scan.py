"""Committed files as lazy Polars tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from isfray.catalog.log import DataFile
from isfray.catalog.storage import Storage
from isfray.errors import InputError
from isfray.tables import SCHEMAS

Trials = int | Sequence[int] | range | NDArray[Any]


def polars_schema(table: str) -> dict[str, pl.DataType]:
    """Polars types of a table's own columns, in order (`run`, which comes before them, is not among them)."""
    empty = pl.from_arrow(pa.Table.from_batches([], schema=SCHEMAS[table]))
    return dict(empty.schema) if isinstance(empty, pl.DataFrame) else {}


def scan_files(
    storage: Storage,
    table: str,
    files: Mapping[str, Iterable[DataFile]],
    trials: Trials | None = None,
    columns: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Scan exactly the given files, by run; those that hold none of `trials` are not opened."""
    schema = polars_schema(table)
    run_schema: dict[str, pl.DataType] = {"run": pl.Categorical()}
    names = [*run_schema, *schema]
    for column in columns or ():
        if column not in names:
            raise InputError(
                "is not a column of " + table, key="columns", value=column, expected="one of " + ", ".join(names)
            )
    wanted = None if trials is None else _trials(trials)
    keys = {run: [f.path for f in of if f.rows and (wanted is None or _holds(f, wanted))] for run, of in files.items()}
    sources = {run: [storage.source(key) for key in of] for run, of in keys.items() if of}
    frames = []
    paths = [s for of in sources.values() for s in of if isinstance(s, str)]
    options: dict[str, Any] = {"schema": schema, "glob": False}
    if paths:  # the run is read from the path, so that a filter on it skips whole files
        hive: dict[str, Any] = {"hive_partitioning": True, "hive_schema": run_schema}
        frames.append(pl.scan_parquet(paths, **hive, **options, **storage.scan_options))
    for run, of in sources.items():
        held: list[IO[bytes]] = [s for s in of if not isinstance(s, str)]
        if held:
            label = pl.lit(run).cast(pl.Categorical()).alias("run")
            frames.append(pl.scan_parquet(held, hive_partitioning=False, **options).with_columns(label))
    frame = pl.concat(frames) if frames else pl.LazyFrame(schema={**run_schema, **schema})
    if wanted is not None:
        frame = frame.filter(_is_one_of(wanted))
    return frame.select(list(columns) if columns is not None else names)


def _trials(trials: Trials) -> NDArray[np.int32]:
    try:
        return np.unique(np.atleast_1d(np.asarray(trials)).astype(np.int32, casting="same_kind"))
    except TypeError:
        if isinstance(trials, Sequence) and not len(trials):
            return np.empty(0, dtype=np.int32)
        raise InputError("are not trial numbers", key="trials", value=trials, expected="whole numbers") from None


def _holds(file: DataFile, wanted: NDArray[np.int32]) -> bool:
    return any(np.searchsorted(wanted, a) < np.searchsorted(wanted, b, side="right") for a, b in file.trials)


def _is_one_of(wanted: NDArray[np.int32]) -> pl.Expr:
    trial = pl.col("trial")
    if not len(wanted):
        return pl.lit(False)
    within = trial.is_between(int(wanted[0]), int(wanted[-1]))  # what row-group statistics can answer
    whole = len(wanted) == int(wanted[-1]) - int(wanted[0]) + 1
    return within if whole else within & trial.is_in(pl.Series(wanted).implode())
