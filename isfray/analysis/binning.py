"""Equal bins, and the one a time or distance falls in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from isfray.arrays import F64
from isfray.check import number, one_of
from isfray.errors import InputError

MOST_BINS = 1_000_000
"""Of one axis: more are asked for by mistake, and would fill the memory."""
MOST_CELLS = 10_000_000
"""Of a table of bins, over all its axes and groups."""
Rule: TypeAlias = Literal["isfray", "isf", "isf_aligned"]
RULES = ("isfray", "isf", "isf_aligned")


@dataclass(frozen=True)
class Bins:
    """`count` bins of one width from `start` on; `closed` if the last one includes its upper border."""

    start: float
    width: float
    count: int
    closed: bool = False

    @property
    def edges(self) -> F64:
        """Borders, shape (count + 1,)."""
        return np.asarray(self.start + self.width * np.arange(self.count + 1), np.float64)

    def index(self, column: str) -> pl.Expr:
        """Bin of each value, null outside; also on a border it is the one that `numpy.searchsorted` finds."""
        value, last = pl.col(column).cast(pl.Float64), self.count - 1
        near = ((value - self.start) / self.width).floor()
        low, high = self.start + self.width * near, self.start + self.width * (near + 1)
        found = near - (value < low) + (value >= high)
        if self.closed:
            found = pl.when(value == float(self.edges[-1])).then(float(last)).otherwise(found)
        return pl.when(found.is_between(0, last)).then(found.cast(pl.Int32, strict=False))

    def frame(self, name: str = "bin") -> pl.LazyFrame:
        """One row per bin: `<name>`, `<name>_start`, `<name>_end`."""
        index, edges = np.arange(self.count, dtype=np.int32), self.edges
        return pl.LazyFrame({name: index, f"{name}_start": edges[:-1], f"{name}_end": edges[1:]})


def bins(t_min: float, t_max: float, bin_size: float, rule: Rule = "isfray") -> Bins:
    """Return equal bins from `t_min` to `t_max`.

    Parameters
    ----------
    t_min, t_max, bin_size : float
        Range and width, in one unit.
    rule : str
        "isfray": whole bins from `t_min`, none beyond `t_max`.
        "isf": ISF's `temporal_binning` (docs/formats.md, Bins of ISF): `arange(t_min, t_max + bin_size, bin_size)`.
        "isf_aligned": ISF's `PSTH_from_spike_times(aligned=True)`: from the multiple of the width at or before `t_min`.
        In both of ISF's the last bin is closed.
    """
    one_of("rule", rule, RULES, "is no binning rule")
    low, high, width = number("t_min", t_min), number("t_max", t_max), number("bin_size", bin_size, above=0.0)
    if not high > low:
        raise InputError("leave no room for a bin", key="t_min, t_max", value=(t_min, t_max), expected="t_min < t_max")
    if (high - low) / width > MOST_BINS:
        problem = f"makes {(high - low) / width:.3g} bins of {low:g} to {high:g}"
        raise InputError(problem, key="bin_size", value=bin_size, expected=f"at most {MOST_BINS:,} bins")
    if rule == "isf":
        return _of_numpy(np.arange(low, high + width, width))
    if rule == "isf_aligned":
        start = int(low / width) * width if low >= 0 else int(low / width - 1) * width
        return _of_numpy(np.arange(start, (int(high / width) + 1) * width, width))
    count = int(np.floor((high - low) / width * (1 + 1e-12)))
    if not count:
        raise InputError(f"is wider than {low:g} to {high:g}", key="bin_size", value=bin_size, expected="a smaller one")
    return Bins(low, width, count)


def _of_numpy(edges: F64) -> Bins:
    """Bins with exactly the borders of an `arange`, whose steps are all its first one."""
    if len(edges) < 2:
        raise InputError("leave no room for a bin", key="t_min, t_max", expected="a wider range")
    return Bins(float(edges[0]), float(edges[1] - edges[0]), len(edges) - 1, closed=True)
