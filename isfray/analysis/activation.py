"""How many synapses released and presynaptic cells spiked: per trial, by any grouping, in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import polars as pl

from isfray.analysis.binning import Rule, bins
from isfray.analysis.grouping import Signs, group_columns
from isfray.analysis.psth import window_end, with_rate
from isfray.analysis.run_tables import RunTables, Source, run_tables
from isfray.check import one_of, window, words

Activated: TypeAlias = Literal["synapse_activation", "cell_activation"]


def activation_counts(
    source: Source,
    run: str | None = None,
    *,
    by: Sequence[str] = ("celltype",),
    table: Activated = "synapse_activation",
    t_min: float | None = None,
    t_max: float | None = None,
    network: Signs | None = None,
    **grouping: Any,
) -> pl.LazyFrame:
    """Count active synapses and their releases (or cells and their spikes) of each trial, by group.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    by : list of str
        See `isfray.analysis.grouping.group_columns`; empty for all together.
    table : str
        `synapse_activation` or `cell_activation`.
    t_min, t_max : float, optional
        Only events in [t_min, t_max), ms.
    network : NetworkModel or mapping, optional
        For `by="sign"`; by default the network of the run.
    **grouping
        `proximal`, `distance_bin`, `rule`, as in `group_columns`.

    Returns
    -------
    polars.LazyFrame
        trial, the groups, active (synapses or cells with an event) and events. Every group that occurs in the run has a
        row in every trial, with zeros where nothing happened.

    Raises
    ------
    InputError
        For an unknown grouping, or a sign without a network.

    Examples
    --------
    >>> analysis.activation_counts(catalog, "stim_C2", by=["sign"], t_min=245, t_max=295).head(4).collect()
    shape: (4, 4)
    ┌───────┬────────────┬────────┬────────┐
    │ trial ┆ sign       ┆ active ┆ events │
    │ ---   ┆ ---        ┆ ---    ┆ ---    │
    │ i32   ┆ str        ┆ i64    ┆ i64    │
    ╞═══════╪════════════╪════════╪════════╡
    │ 0     ┆ excitatory ┆ 697    ┆ 722    │
    │ 0     ┆ inhibitory ┆ 381    ┆ 438    │
    │ 1     ┆ excitatory ┆ 657    ┆ 683    │
    │ 1     ┆ inhibitory ┆ 432    ┆ 500    │
    └───────┴────────────┴────────┴────────┘
    """
    tables, by = run_tables(source, run), words("by", by, '["celltype"]')
    counts = _counts(tables, by, table, t_min, t_max, network, grouping)
    trials = pl.LazyFrame({"trial": tables.trials})
    every = trials.join(counts.select(by).unique(), how="cross") if by else trials
    full = every.join(counts, on=["trial", *by], how="left", nulls_equal=True)
    return full.with_columns(pl.col("active", "events").fill_null(0)).sort("trial", *by)


def mean_activation(
    source: Source,
    run: str | None = None,
    *,
    by: Sequence[str] = ("celltype",),
    table: Activated = "synapse_activation",
    t_min: float | None = None,
    t_max: float | None = None,
    network: Signs | None = None,
    **grouping: Any,
) -> pl.LazyFrame:
    """Mean and standard deviation over trials of what `activation_counts` counts; trials without any count as zero.

    Parameters
    ----------
    source, run, by, table, t_min, t_max, network, **grouping
        As in `activation_counts`.

    Returns
    -------
    polars.LazyFrame
        The groups, active_mean, active_std, events_mean, events_std and n_trials.

    Raises
    ------
    InputError
        As `activation_counts`.

    Examples
    --------
    >>> analysis.mean_activation(catalog, "stim_C2", by=["sign", "proximity"]).collect()
    shape: (4, 7)
    ┌────────────┬───────────┬─────────────┬────────────┬─────────────┬────────────┬──────────┐
    │ sign       ┆ proximity ┆ active_mean ┆ active_std ┆ events_mean ┆ events_std ┆ n_trials │
    │ ---        ┆ ---       ┆ ---         ┆ ---        ┆ ---         ┆ ---        ┆ ---      │
    │ str        ┆ str       ┆ f64         ┆ f64        ┆ f64         ┆ f64        ┆ i32      │
    ╞════════════╪═══════════╪═════════════╪════════════╪═════════════╪════════════╪══════════╡
    │ excitatory ┆ distal    ┆ 700.25      ┆ 12.892412  ┆ 773.625     ┆ 19.77688   ┆ 8        │
    │ excitatory ┆ proximal  ┆ 1326.0      ┆ 32.004464  ┆ 1556.5      ┆ 38.541258  ┆ 8        │
    │ inhibitory ┆ distal    ┆ 168.625     ┆ 11.249603  ┆ 234.0       ┆ 16.928421  ┆ 8        │
    │ inhibitory ┆ proximal  ┆ 679.0       ┆ 17.353468  ┆ 944.25      ┆ 36.358336  ┆ 8        │
    └────────────┴───────────┴─────────────┴────────────┴─────────────┴────────────┴──────────┘
    """
    tables, by = run_tables(source, run), words("by", by, '["celltype"]')
    counts = _counts(tables, by, table, t_min, t_max, network, grouping)
    names, n = ("active", "events"), tables.n_trials
    sums = [pl.col(name).sum().alias(name) for name in names]
    sums += [(pl.col(name) ** 2).sum().alias(f"{name}_squares") for name in names]
    totals = counts.group_by(by).agg(sums) if by else counts.select(sums)
    out = [pl.col(name) for name in by]
    for name in names:
        mean = pl.col(name) / n
        variance = ((pl.col(f"{name}_squares") - pl.col(name) * mean) / max(n - 1, 1)).clip(lower_bound=0)
        std = variance.sqrt() if n > 1 else pl.lit(None, pl.Float64)
        out += [mean.alias(f"{name}_mean"), std.alias(f"{name}_std")]
    rows = totals.select(*out, n_trials=pl.lit(n))
    return rows.sort(by) if by else rows


def soma_distance(
    source: Source,
    run: str | None = None,
    *,
    by: Sequence[str] = ("celltype",),
    per: Literal["synapse", "release"] = "synapse",
    network: Signs | None = None,
    **grouping: Any,
) -> pl.LazyFrame:
    """Distance of active synapses to the soma, by group.

    Parameters
    ----------
    source, run, by, network, **grouping
        As in `activation_counts`.
    per : str
        "synapse": every active synapse of a trial counts once. "release": as often as it released.

    Returns
    -------
    polars.LazyFrame
        The groups, n (over all trials), mean and std, um.

    Raises
    ------
    InputError
        As `activation_counts`.

    Examples
    --------
    >>> analysis.soma_distance(catalog, "stim_C2", by=["dendrite_label"]).collect()
    shape: (3, 4)
    ┌────────────────┬───────┬────────────┬───────────┐
    │ dendrite_label ┆ n     ┆ mean       ┆ std       │
    │ ---            ┆ ---   ┆ ---        ┆ ---       │
    │ str            ┆ i64   ┆ f64        ┆ f64       │
    ╞════════════════╪═══════╪════════════╪═══════════╡
    │ ApicalDendrite ┆ 10306 ┆ 757.757477 ┆ 382.10972 │
    │ Dendrite       ┆ 12637 ┆ 132.19051  ┆ 56.511439 │
    │ Soma           ┆ 48    ┆ 0.0        ┆ 0.0       │
    └────────────────┴───────┴────────────┴───────────┘
    """
    one_of("per", per, ("synapse", "release"), "is nothing to count")
    tables, by = run_tables(source, run), words("by", by, '["celltype"]')
    groups = group_columns(tables, by, network=network, **grouping)
    rows, distance = tables.scan("synapse_activation"), pl.col("soma_distance")
    if per == "synapse":
        rows = rows.select(distance, **groups)
        sums = [pl.len().cast(pl.Int64).alias("n"), distance.mean().alias("mean"), distance.std().alias("std")]
        return rows.group_by(by).agg(sums).sort(by) if by else rows.select(sums)
    weight = pl.col("times").list.len().cast(pl.Int64)
    rows = rows.select(n=weight, sum=weight * distance, squares=weight * distance**2, **groups)
    sums = [pl.col("n", "sum", "squares").sum()]
    totals = rows.group_by(by).agg(sums).sort(by) if by else rows.select(sums)
    n, mean = pl.col("n"), pl.col("sum") / pl.col("n")
    std = ((pl.col("squares") - n * mean**2).clip(lower_bound=0) / (n - 1)).sqrt()
    return totals.select(*by, n, mean=mean, std=pl.when(n > 1).then(std))


def activation_psth(
    source: Source,
    run: str | None = None,
    *,
    by: Sequence[str] = ("celltype",),
    table: Activated = "synapse_activation",
    bin_size: float = 1.0,
    t_min: float = 0.0,
    t_max: float | None = None,
    per_trial: bool = False,
    sem: bool = False,
    rule: Rule = "isfray",
    network: Signs | None = None,
    **grouping: Any,
) -> pl.LazyFrame:
    """Count releases (or presynaptic spikes) in time bins, by group.

    Parameters
    ----------
    source, run, by, table, network, **grouping
        As in `activation_counts`.
    bin_size, t_min, t_max : float
        ms.
    per_trial : bool
        One row per trial too, as ISF's `synapse_activation_binning` has (docs/formats.md, Bins of ISF), with zeros.
    sem : bool
        Add the standard error of the rate over trials, which takes several times as long.
    rule : str
        "isf": its borders and its list of excitatory types.

    Returns
    -------
    polars.LazyFrame
        The groups that have an event, bin_start, bin_end (ms) and events; then, over trials, n_trials, per_trial and
        rate (Hz), or with `per_trial` the trial.

    Raises
    ------
    InputError
        As `activation_counts`, and for a window beyond the simulated time.

    Examples
    --------
    >>> analysis.activation_psth(catalog, "stim_C2", by=["sign"], bin_size=25, t_min=250).collect()
    shape: (4, 7)
    ┌────────────┬───────────┬─────────┬────────┬──────────┬───────────┬─────────┐
    │ sign       ┆ bin_start ┆ bin_end ┆ events ┆ n_trials ┆ per_trial ┆ rate    │
    │ ---        ┆ ---       ┆ ---     ┆ ---    ┆ ---      ┆ ---       ┆ ---     │
    │ str        ┆ f64       ┆ f64     ┆ i64    ┆ i32      ┆ f64       ┆ f64     │
    ╞════════════╪═══════════╪═════════╪════════╪══════════╪═══════════╪═════════╡
    │ excitatory ┆ 250.0     ┆ 275.0   ┆ 3178   ┆ 8        ┆ 397.25    ┆ 15890.0 │
    │ excitatory ┆ 275.0     ┆ 300.0   ┆ 2285   ┆ 8        ┆ 285.625   ┆ 11425.0 │
    │ inhibitory ┆ 250.0     ┆ 275.0   ┆ 2625   ┆ 8        ┆ 328.125   ┆ 13125.0 │
    │ inhibitory ┆ 275.0     ┆ 300.0   ┆ 1201   ┆ 8        ┆ 150.125   ┆ 6005.0  │
    └────────────┴───────────┴─────────┴────────┴──────────┴───────────┴─────────┘
    """
    tables, by = run_tables(source, run), words("by", by, '["celltype"]')
    grid = bins(t_min, window_end(tables, t_max), bin_size, rule)
    groups = group_columns(tables, by, table=table, network=network, rule=rule, **grouping)
    events = tables.scan(table).select("trial", time="times", **groups).explode("time")
    binned = events.select("trial", *by, bin=grid.index("time")).drop_nulls("bin")
    count = pl.len().cast(pl.Int64).alias("events")
    keys, every = [*by, "bin"], grid.frame()
    if per_trial:
        keys, every = ["trial", *keys], pl.LazyFrame({"trial": tables.trials}).join(every, how="cross")
    if per_trial or not sem:
        counts = binned.group_by(keys).agg(count)
    else:
        squares = (pl.col("events") ** 2).sum().alias("squares")
        counts = binned.group_by("trial", *keys).agg(count).group_by(keys).agg(pl.col("events").sum(), squares)
    if by:
        every = counts.select(by).unique().join(every, how="cross")
    rows = every.join(counts, on=keys, how="left").sort(keys).with_columns(pl.col("events").fill_null(0)).drop("bin")
    if per_trial:
        return rows
    n = pl.lit(tables.n_trials)
    if not sem:
        rate = pl.col("per_trial") * 1000.0 / (pl.col("bin_end") - pl.col("bin_start"))
        return rows.with_columns(n_trials=n, per_trial=pl.col("events") / n).with_columns(rate=rate)
    return with_rate(rows.with_columns(pl.col("squares").fill_null(0), n_trials=n), "events").drop("squares")


def _counts(
    tables: RunTables,
    by: Sequence[str],
    table: Activated,
    t_min: float | None,
    t_max: float | None,
    network: Signs | None,
    grouping: dict[str, Any],
) -> pl.LazyFrame:
    groups = group_columns(tables, by, table=table, network=network, **grouping)
    events = pl.col("times").list.len()
    if t_min is not None or t_max is not None:
        t_min, t_max = window(t_min, t_max)
        low, high = float("-inf") if t_min is None else t_min, float("inf") if t_max is None else t_max
        events = pl.col("times").list.eval(pl.element().is_between(low, high, closed="left")).list.sum()
    rows = tables.scan(table).select("trial", events=events, **groups).filter(pl.col("events") > 0)
    return rows.group_by("trial", *by).agg(active=pl.len().cast(pl.Int64), events=pl.col("events").cast(pl.Int64).sum())
