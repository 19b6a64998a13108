"""Bin borders, and the bin a time or distance falls in."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.model.errors import InputError

F64 = NDArray[np.float64]
Rule: TypeAlias = Literal["isfray", "isf", "isf_aligned"]
RULES = ("isfray", "isf", "isf_aligned")


def borders(t_min: float, t_max: float, bin_size: float, rule: Rule = "isfray") -> F64:
    """Return the borders of equal bins, shape (bins + 1,).

    Parameters
    ----------
    t_min, t_max, bin_size : float
        Range and width, in one unit.
    rule : str
        "isfray": whole bins from `t_min`, none beyond `t_max`.
        "isf": ISF's `temporal_binning` (FORMATS 14): `arange(t_min, t_max + bin_size, bin_size)`.
        "isf_aligned": ISF's `PSTH_from_spike_times(aligned=True)`: from the multiple of the width at or before `t_min`.
    """
    if not bin_size > 0:
        raise InputError("is no width", key="bin_size", value=bin_size, expected="> 0")
    if not t_max > t_min:
        raise InputError("leave no room for a bin", key="t_min, t_max", value=(t_min, t_max), expected="t_min < t_max")
    if rule == "isf":
        return np.arange(t_min, t_max + bin_size, bin_size)
    if rule == "isf_aligned":
        start = int(t_min / bin_size) * bin_size if t_min >= 0 else int(t_min / bin_size - 1) * bin_size
        return np.arange(start, (int(t_max / bin_size) + 1) * bin_size, bin_size)
    if rule != "isfray":
        raise InputError("is no binning rule", key="rule", value=rule, expected="one of " + ", ".join(RULES))
    count = int(np.floor((t_max - t_min) / bin_size * (1 + 1e-12)))
    if not count:
        raise InputError(f"is wider than {t_min} to {t_max}", key="bin_size", value=bin_size, expected="a smaller one")
    return np.asarray(t_min + bin_size * np.arange(count + 1), np.float64)


def bin_of(column: str | pl.Expr, edges: F64, *, closed: bool = False) -> pl.Expr:
    """Bin of each value, null outside. Bins include their lower border; the last its upper one too if `closed`."""
    values = pl.col(column) if isinstance(column, str) else column
    last = len(edges) - 2

    def find(series: pl.Series) -> pl.Series:
        x = series.to_numpy()
        index = np.searchsorted(edges, x, side="right") - 1
        if closed:
            index[x == edges[-1]] = last
        return pl.Series(index, dtype=pl.Int32)

    index = values.cast(pl.Float64).map_batches(find, return_dtype=pl.Int32, is_elementwise=True)
    return pl.when(index.is_between(0, last)).then(index)


def bin_frame(edges: F64) -> pl.LazyFrame:
    """One row per bin: `bin`, `bin_start`, `bin_end`."""
    return pl.LazyFrame(
        {"bin": np.arange(len(edges) - 1, dtype=np.int32), "bin_start": edges[:-1], "bin_end": edges[1:]}
    )
