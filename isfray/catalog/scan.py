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
from isfray.check import whole
from isfray.errors import InputError
from isfray.tables import LAST_TRIAL, SCHEMAS

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
    wanted = None if trials is None else trial_numbers(trials)
    chosen = files if wanted is None else {run: holding(of, wanted) for run, of in files.items()}
    keys = {run: [file.path for file in of if file.rows] for run, of in chosen.items()}
    sources = {run: [storage.source(key) for key in of] for run, of in keys.items() if of}
    frames = []
    paths = [s for of in sources.values() for s in of if isinstance(s, str)]
    options: dict[str, Any] = {"schema": schema, "missing_columns": "insert", "glob": False}
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


def trial_numbers(trials: Trials) -> range | NDArray[np.int32]:
    """Trial numbers in ascending order; a range stays one, whose members are never counted out.

    Raises
    ------
    InputError
        If one of them cannot be the number of a trial.
    """
    if isinstance(trials, range):
        ascending = trials if trials.step > 0 else trials[::-1]
        _check((*ascending[:1], *ascending[-1:]))
        return ascending
    if isinstance(trials, np.ndarray) and trials.dtype.kind in "iu":
        _check((trials.min().item(), trials.max().item()) if trials.size else ())
        return np.unique(trials).astype(np.int32)
    given = np.atleast_1d(np.asarray(trials, dtype=object)).ravel()
    _check(given)
    return np.unique(given.astype(np.int32))


def among(there: NDArray[np.int32], trials: Trials) -> NDArray[np.int32]:
    """Those of some ascending trial numbers that are wanted; InputError as in `trial_numbers`."""
    wanted = trial_numbers(trials)
    if not isinstance(wanted, range):
        return np.intersect1d(there, wanted)
    if not wanted:
        return there[:0]
    within = (there >= wanted[0]) & (there <= wanted[-1])
    chosen: NDArray[np.int32] = there[within & ((there - np.int64(wanted[0])) % wanted.step == 0)]
    return chosen


def holding(files: Iterable[DataFile], trials: Trials) -> list[DataFile]:
    """Those of some files that hold any of some trials."""
    wanted = trial_numbers(trials)
    return [file for file in files if _holds(file, wanted)]


def _check(trials: Iterable[Any]) -> None:
    for trial in trials:
        try:
            whole("trials", trial, 0, LAST_TRIAL)
        except InputError:
            expected = f"whole numbers from 0 to {LAST_TRIAL}"
            raise InputError(
                "is none of the possible trial numbers", key="trials", value=trial, expected=expected
            ) from None


def _holds(file: DataFile, wanted: range | NDArray[np.int32]) -> bool:
    if isinstance(wanted, range):
        return any(_first_in(wanted, a) <= b for a, b in file.trials)
    return any(np.searchsorted(wanted, a) < np.searchsorted(wanted, b, side="right") for a, b in file.trials)


def _first_in(wanted: range, least: int) -> int:
    """Return the first number of an ascending range from `least` on; beyond every trial if there is none."""
    at = max(0, -((wanted.start - least) // wanted.step))
    return wanted[at] if at < len(wanted) else LAST_TRIAL + 1


def _is_one_of(wanted: range | NDArray[np.int32]) -> pl.Expr:
    trial = pl.col("trial")
    if not len(wanted):
        return pl.lit(False)
    first, last = int(wanted[0]), int(wanted[-1])
    within = trial.is_between(first, last)  # what row-group statistics can answer
    if isinstance(wanted, range):
        return within if wanted.step == 1 else within & ((trial - first) % wanted.step == 0)
    return within if len(wanted) == last - first + 1 else within & trial.is_in(pl.Series(wanted).implode())
