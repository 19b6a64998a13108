"""Statistics of membrane potential, trace by trial and over trials. Traces are read a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.analysis.binning import bins
from isfray.analysis.run_tables import RunTables, Source, run_tables
from isfray.arrays import F64
from isfray.check import whole, window
from isfray.errors import InputError
from isfray.model.clock import sample_times

_ROWS_AT_ONCE = 64
_MOST_CELLS = 250_000_000  # 2 GB


def voltage_statistics(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    t_min: float | None = None,
    t_max: float | None = None,
) -> pl.LazyFrame:
    """Return mean, std, min, max and median (mV) of every trial's trace in [t_min, t_max).

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    t_min, t_max : float, optional
        ms; the whole trace by default.

    Returns
    -------
    polars.LazyFrame
        trial, mean, std (of the samples, ddof 0), min, max, median; sorted by trial.

    Raises
    ------
    InputError
        If the site was not recorded.

    Examples
    --------
    >>> analysis.voltage_statistics(catalog, "stim_C2", t_min=100, t_max=245).head(2).collect()
    shape: (2, 6)
    ┌───────┬────────────┬──────────┬────────────┬────────────┬────────────┐
    │ trial ┆ mean       ┆ std      ┆ min        ┆ max        ┆ median     │
    │ ---   ┆ ---        ┆ ---      ┆ ---        ┆ ---        ┆ ---        │
    │ i32   ┆ f64        ┆ f64      ┆ f64        ┆ f64        ┆ f64        │
    ╞═══════╪════════════╪══════════╪════════════╪════════════╪════════════╡
    │ 0     ┆ -63.887461 ┆ 5.241788 ┆ -68.802495 ┆ 21.52979   ┆ -65.093511 │
    │ 1     ┆ -61.674964 ┆ 2.353375 ┆ -65.864334 ┆ -56.756071 ┆ -62.251667 │
    └───────┴────────────┴──────────┴────────────┴────────────┴────────────┘
    """
    tables = run_tables(source, run)
    t_min, t_max = window(t_min, t_max)

    def index(t: float) -> pl.Expr:  # of the first sample at or after t; half a sample forgives NEURON's drift
        near = ((t - pl.col("t_start")) / pl.col("dt") - 1e-6).ceil()
        return near.clip(lower_bound=0, upper_bound=pl.col("voltage").list.len()).cast(pl.Int64)

    first = pl.lit(0, pl.Int64) if t_min is None else index(t_min)
    end = pl.col("voltage").list.len().cast(pl.Int64) if t_max is None else index(t_max)
    v = pl.col("window").list
    return (
        tables.of_site("voltage_traces", site)
        .select("trial", window=pl.col("voltage").list.slice(first, end - first))
        .select("trial", mean=v.mean(), std=v.std(ddof=0), min=v.min(), max=v.max(), median=v.median())
        .sort("trial")
    )


@dataclass(frozen=True)
class MeanVoltage:
    """Over trials: mean and standard deviation (mV; NaN std for one trial) at every sample `time` (ms)."""

    time: F64
    mean: F64
    std: F64
    n_trials: int


def mean_voltage(source: Source, run: str | None = None, *, site: str = "soma") -> MeanVoltage:
    """Average a site's voltage over trials, sample by sample (Welford's update, one block of traces at a time).

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.

    Returns
    -------
    MeanVoltage

    Raises
    ------
    InputError
        If the site was not recorded, or trials differ in their sample times.

    Notes
    -----
    Welford 1962, Technometrics 4:419.

    Examples
    --------
    >>> average = analysis.mean_voltage(catalog, "stim_C2")
    >>> average.mean.shape, average.n_trials
    ((12002,), 8)
    >>> float(average.mean[average.time > 150].min().round(1))  # mV
    -68.1
    """
    tables = run_tables(source, run)
    n, mean, squares, time = 0, np.zeros(0), np.zeros(0), np.zeros(0)
    for _, when, block in traces(tables, site):
        if not n:
            time, mean, squares = when, np.zeros(len(when)), np.zeros(len(when))
        k, centre = len(block), block.mean(axis=0)
        shift = centre - mean
        squares += ((block - centre) ** 2).sum(axis=0) + shift**2 * (n * k / (n + k))
        mean, n = mean + shift * (k / (n + k)), n + k
    std = np.sqrt(squares / (n - 1)) if n > 1 else np.full(len(mean), np.nan)
    return MeanVoltage(time, mean, std, n)


@dataclass(frozen=True)
class VoltageDensity:
    """Trials by voltage and time: `counts[voltage bin, sample]`, with `time` (ms) and bin `edges` (mV)."""

    time: F64
    edges: F64
    counts: NDArray[np.int64]
    n_trials: int


def voltage_density(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    v_min: float = -100.0,
    v_max: float = 50.0,
    v_bin: float = 0.05,
    every: int = 1,
) -> VoltageDensity:
    """Count a site's trials by voltage, at every sample or at each `every`-th.

    The bins are ISF's, `arange(v_min, v_max + v_bin, v_bin)` with the last one closed; voltages outside
    are not counted.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    v_min, v_max, v_bin : float
        Range and width of the bins, mV.
    every : int
        Take each `every`-th sample.

    Returns
    -------
    VoltageDensity

    Raises
    ------
    InputError
        As `mean_voltage`.

    Examples
    --------
    >>> density = analysis.voltage_density(catalog, "stim_C2", v_bin=1.0, every=40)
    >>> density.counts.shape, int(density.counts[:, 0].sum())
    ((150, 301), 8)
    """
    borders, every = bins(v_min, v_max, v_bin, "isf"), whole("every", every, 1)
    edges = borders.edges
    counts, time, n = np.zeros((len(edges) - 1, 0), np.int64), np.zeros(0), 0
    for _, when, block in traces(run_tables(source, run), site):
        if not n:
            time = when[::every]
            if (cells := len(time) * borders.count) > _MOST_CELLS:
                problem = f"makes {cells:.3g} bins of voltage and time"
                raise InputError(problem, key="v_bin", value=v_bin, expected=f"at most {_MOST_CELLS:,}")
            counts = np.zeros((len(edges) - 1, len(time)), np.int64)
        v = block[:, ::every]
        row = np.searchsorted(edges, v, side="right") - 1
        row[v == edges[-1]] = len(edges) - 2
        inside = (row >= 0) & (row < len(edges) - 1)
        np.add.at(counts, (row[inside], np.broadcast_to(np.arange(len(time)), v.shape)[inside]), 1)
        n += len(block)
    return VoltageDensity(time, edges, counts, n)


def traces(tables: RunTables, site: str) -> Iterator[tuple[NDArray[np.int32], F64, F64]]:
    """Yield a site's traces a block at a time: trials (k,), sample times (n,) in ms, and voltages (k, n) in mV.

    Raises
    ------
    InputError
        If there are none, or they differ in their sample times.
    """
    rows = tables.of_site("voltage_traces", site)
    if "voltage" not in rows.collect_schema():
        raise InputError("are not there", key="voltage_traces", expected="a run that recorded voltage")
    grid: tuple[int, float, float] | None = None
    time = np.zeros(0)
    columns = rows.select("trial", "t_start", "dt", "voltage")
    for frame in columns.collect_batches(chunk_size=_ROWS_AT_ONCE, engine="streaming"):
        grids = frame.select(pl.col("voltage").list.len(), "t_start", "dt").unique().rows()
        for here in grids:
            if grid is None:
                grid, time = here, sample_times(*here)
            elif here != grid:
                raise InputError(f"of {site} differ in their sample times", key="voltage_traces", value=tables.name)
        for part in frame.iter_slices(_ROWS_AT_ONCE):
            block = part["voltage"].explode().to_numpy().reshape(len(part), -1)
            yield part["trial"].to_numpy(), time, block
    if grid is None:
        raise InputError("has no trace", key="site", value=site, expected="a run that recorded voltage")
