"""Peristimulus time histograms of the cell's own spikes."""

from __future__ import annotations

import polars as pl

from isfray.analysis.binning import RULES, Rule, bins
from isfray.analysis.run_tables import RunTables, Source, run_tables
from isfray.check import number, one_of
from isfray.errors import InputError


def psth(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    bin_size: float = 1.0,
    t_min: float | None = None,
    t_max: float | None = None,
    rule: Rule = "isfray",
) -> pl.LazyFrame:
    """Count a site's spikes in time bins, and divide by the trials: the silent ones count.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    bin_size : float
        ms.
    t_min, t_max : float, optional
        ms; by default 0 and the simulated time, or as the rule says.
    rule : str
        "isfray": whole bins from `t_min`, each including its start and not its end.
        "isf": ISF's `temporal_binning` (docs/formats.md, Bins of ISF): from the first spike to the last unless given,
        last bin closed.
        "isf_aligned": ISF's `PSTH_from_spike_times` with aligned bins.

    Returns
    -------
    polars.LazyFrame
        One row per bin: bin_start, bin_end (ms), spikes, n_trials, per_trial, rate (Hz) and sem, the standard error of
        the rate over trials (null for a single trial).

    Raises
    ------
    InputError
        If the window reaches beyond the simulated time, or an ISF rule finds no spike to begin at.

    Examples
    --------
    >>> analysis.psth(catalog, "stim_C2", bin_size=10, t_min=240, t_max=280).collect()
    shape: (4, 7)
    ┌───────────┬─────────┬────────┬──────────┬───────────┬───────┬──────┐
    │ bin_start ┆ bin_end ┆ spikes ┆ n_trials ┆ per_trial ┆ rate  ┆ sem  │
    │ ---       ┆ ---     ┆ ---    ┆ ---      ┆ ---       ┆ ---   ┆ ---  │
    │ f64       ┆ f64     ┆ i64    ┆ i32      ┆ f64       ┆ f64   ┆ f64  │
    ╞═══════════╪═════════╪════════╪══════════╪═══════════╪═══════╪══════╡
    │ 240.0     ┆ 250.0   ┆ 1      ┆ 8        ┆ 0.125     ┆ 12.5  ┆ 12.5 │
    │ 250.0     ┆ 260.0   ┆ 8      ┆ 8        ┆ 1.0       ┆ 100.0 ┆ 0.0  │
    │ 260.0     ┆ 270.0   ┆ 0      ┆ 8        ┆ 0.0       ┆ 0.0   ┆ 0.0  │
    │ 270.0     ┆ 280.0   ┆ 0      ┆ 8        ┆ 0.0       ┆ 0.0   ┆ 0.0  │
    └───────────┴─────────┴────────┴──────────┴───────────┴───────┴──────┘
    """
    tables = run_tables(source, run)
    one_of("rule", rule, RULES, "is no binning rule")
    spikes = tables.of_site("spike_times", site)
    if rule == "isfray":
        grid = bins(0.0 if t_min is None else t_min, window_end(tables, t_max), bin_size)
    else:
        first, last = _extent(spikes, site) if t_min is None or t_max is None else (0.0, 0.0)
        grid = bins(first if t_min is None else t_min, last if t_max is None else t_max, bin_size, rule)
    binned = spikes.select("trial", bin=grid.index("time")).drop_nulls("bin")
    per_trial = binned.group_by("trial", "bin").agg(n=pl.len().cast(pl.Int64))
    totals = per_trial.group_by("bin").agg(spikes=pl.col("n").sum(), squares=(pl.col("n") ** 2).sum())
    rows = grid.frame().join(totals, on="bin", how="left").sort("bin")
    rows = rows.with_columns(pl.col("spikes", "squares").fill_null(0), n_trials=pl.lit(tables.n_trials))
    return with_rate(rows, "spikes").drop("bin", "squares")


def with_rate(rows: pl.LazyFrame, count: str) -> pl.LazyFrame:
    """Add per_trial, rate (Hz) and sem to binned counts that have `n_trials` and the sum of `squares` over trials."""
    n, hertz = pl.col("n_trials"), 1000.0 / (pl.col("bin_end") - pl.col("bin_start"))
    per_trial = pl.col(count) / n
    variance = (pl.col("squares") - pl.col(count) * per_trial) / (n - 1)
    sem = pl.when(n > 1).then((variance.clip(lower_bound=0) / n).sqrt() * hertz)
    return rows.with_columns(per_trial=per_trial, rate=per_trial * hertz, sem=sem)


def window_end(tables: RunTables, t_max: float | None) -> float:
    """Return the end of a window in ms, by default the simulated time; InputError if it lies beyond."""
    if t_max is None:
        return tables.t_stop
    t_max = number("t_max", t_max, unit="ms")
    if t_max > tables.t_stop:
        raise InputError(
            "is later than the trials last", key="t_max", value=t_max, expected=f"at most {tables.t_stop:g} ms"
        )
    return t_max


def _extent(spikes: pl.LazyFrame, site: str) -> tuple[float, float]:
    first, last = spikes.select(pl.col("time").min(), last=pl.col("time").max()).collect().row(0)
    if first is None:
        raise InputError(f"finds no spike at {site} to begin at", key="rule", expected="t_min and t_max to be given")
    return first, last
