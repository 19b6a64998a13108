"""Interspike intervals and bursts."""

from __future__ import annotations

import polars as pl

from isfray.analysis.run_tables import Source, run_tables
from isfray.check import number, whole, window


def interspike_intervals(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    t_min: float | None = None,
    t_max: float | None = None,
) -> pl.LazyFrame:
    """Return the intervals between successive spikes of a trial, both in [t_min, t_max).

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    t_min, t_max : float, optional
        ms.

    Returns
    -------
    polars.LazyFrame
        trial, time (of the later spike) and interval, ms; sorted by trial, then time.

    Raises
    ------
    InputError
        For a site that was not recorded.

    Examples
    --------
    >>> analysis.interspike_intervals(catalog, "stim_C2", t_min=100.0).head(3).collect()
    shape: (2, 3)
    ┌───────┬─────────┬──────────┐
    │ trial ┆ time    ┆ interval │
    │ ---   ┆ ---     ┆ ---      │
    │ i32   ┆ f64     ┆ f64      │
    ╞═══════╪═════════╪══════════╡
    │ 0     ┆ 255.875 ┆ 11.375   │
    │ 2     ┆ 253.15  ┆ 43.975   │
    └───────┴─────────┴──────────┘
    """
    return (
        _spikes(source, run, site, t_min, t_max)
        .with_columns(interval=pl.col("time") - pl.col("time").shift(1).over("trial"))
        .drop_nulls("interval")
    )


def bursts(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    max_interval: float = 10.0,
    min_spikes: int = 2,
    t_min: float | None = None,
    t_max: float | None = None,
) -> pl.LazyFrame:
    """Return the bursts of every trial: spikes that follow each other within `max_interval` ms.

    The default of 10 ms takes a burst as firing above 100 Hz, the mark of a layer 5 cell's calcium spike (Larkum,
    Zhu and Sakmann 1999, Nature 398:338).

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    max_interval : float
        ms.
    min_spikes : int
        At least 2.
    t_min, t_max : float, optional
        Only spikes in [t_min, t_max), ms.

    Returns
    -------
    polars.LazyFrame
        trial, start, end (ms), spikes and frequency (Hz) within the burst; sorted by trial, then start.

    Raises
    ------
    InputError
        For a site that was not recorded, or an argument out of range.

    Examples
    --------
    >>> analysis.bursts(catalog, "stim_C2", max_interval=20.0, t_min=100.0).collect()
    shape: (1, 5)
    ┌───────┬───────┬─────────┬────────┬───────────┐
    │ trial ┆ start ┆ end     ┆ spikes ┆ frequency │
    │ ---   ┆ ---   ┆ ---     ┆ ---    ┆ ---       │
    │ i32   ┆ f64   ┆ f64     ┆ i64    ┆ f64       │
    ╞═══════╪═══════╪═════════╪════════╪═══════════╡
    │ 0     ┆ 244.5 ┆ 255.875 ┆ 2      ┆ 87.912088 │
    └───────┴───────┴─────────┴────────┴───────────┘
    """
    max_interval = number("max_interval", max_interval, above=0.0, unit="ms")
    min_spikes = whole("min_spikes", min_spikes, 2)
    first = (pl.col("time") - pl.col("time").shift(1) > max_interval).fill_null(True).over("trial")
    duration = pl.col("end") - pl.col("start")
    return (
        _spikes(source, run, site, t_min, t_max)
        .with_columns(burst=first.cum_sum().over("trial"))
        .group_by("trial", "burst")
        .agg(start=pl.col("time").min(), end=pl.col("time").max(), spikes=pl.len().cast(pl.Int64))
        .filter(pl.col("spikes") >= min_spikes)
        .with_columns(frequency=1000.0 * (pl.col("spikes") - 1) / duration)
        .sort("trial", "start")
        .drop("burst")
    )


def _spikes(source: Source, run: str | None, site: str, t_min: float | None, t_max: float | None) -> pl.LazyFrame:
    t_min, t_max = window(t_min, t_max)
    rows = run_tables(source, run).of_site("spike_times", site).select("trial", "time")
    if t_min is not None:
        rows = rows.filter(pl.col("time") >= t_min)
    if t_max is not None:
        rows = rows.filter(pl.col("time") < t_max)
    return rows.sort("trial", "time")
