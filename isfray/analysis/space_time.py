"""Releases over soma distance and time."""

from __future__ import annotations

import numpy as np
import polars as pl

from isfray.analysis.binning import MOST_CELLS, Rule, bins
from isfray.analysis.psth import window_end
from isfray.analysis.run_tables import Source, run_tables
from isfray.check import number
from isfray.errors import InputError


def space_time(
    source: Source,
    run: str | None = None,
    *,
    distance_bin: float = 50.0,
    d_max: float | None = None,
    bin_size: float = 1.0,
    t_min: float = 0.0,
    t_max: float | None = None,
    where: pl.Expr | None = None,
    rule: Rule = "isfray",
) -> pl.LazyFrame:
    """Count releases in bins of soma distance and time, over all trials.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    distance_bin, d_max : float
        um; by default to the bin of the farthest active synapse.
    bin_size, t_min, t_max : float
        ms; to the end of the trials by default.
    where : polars.Expr, optional
        Only these rows of `synapse_activation`, such as `pl.col("celltype") == "VPM"`.
    rule : str
        "isf": ISF's `spatiotemporal_binning` (docs/formats.md, Bins of ISF): time borders as in its `temporal_binning`.

    Returns
    -------
    polars.LazyFrame
        distance_start, distance_end (um), bin_start, bin_end (ms), releases, and per_trial; every bin has a row.

    Raises
    ------
    InputError
        If the window reaches beyond the simulated time.

    Examples
    --------
    >>> analysis.space_time(catalog, "stim_C2", distance_bin=400, bin_size=25, t_min=250).collect()
    shape: (8, 6)
    ┌────────────────┬──────────────┬───────────┬─────────┬──────────┬───────────┐
    │ distance_start ┆ distance_end ┆ bin_start ┆ bin_end ┆ releases ┆ per_trial │
    │ ---            ┆ ---          ┆ ---       ┆ ---     ┆ ---      ┆ ---       │
    │ f64            ┆ f64          ┆ f64       ┆ f64     ┆ i64      ┆ f64       │
    ╞════════════════╪══════════════╪═══════════╪═════════╪══════════╪═══════════╡
    │ 0.0            ┆ 400.0        ┆ 250.0     ┆ 275.0   ┆ 4025     ┆ 503.125   │
    │ 0.0            ┆ 400.0        ┆ 275.0     ┆ 300.0   ┆ 2340     ┆ 292.5     │
    │ 400.0          ┆ 800.0        ┆ 250.0     ┆ 275.0   ┆ 614      ┆ 76.75     │
    │ 400.0          ┆ 800.0        ┆ 275.0     ┆ 300.0   ┆ 300      ┆ 37.5      │
    │ 800.0          ┆ 1200.0       ┆ 250.0     ┆ 275.0   ┆ 1072     ┆ 134.0     │
    │ 800.0          ┆ 1200.0       ┆ 275.0     ┆ 300.0   ┆ 762      ┆ 95.25     │
    │ 1200.0         ┆ 1600.0       ┆ 250.0     ┆ 275.0   ┆ 92       ┆ 11.5      │
    │ 1200.0         ┆ 1600.0       ┆ 275.0     ┆ 300.0   ┆ 84       ┆ 10.5      │
    └────────────────┴──────────────┴───────────┴─────────┴──────────┴───────────┘
    """
    tables = run_tables(source, run)
    distance_bin = number("distance_bin", distance_bin, above=0.0, unit="um")
    if where is not None and not isinstance(where, pl.Expr):
        raise InputError("is no condition", key="where", value=where, expected='such as pl.col("celltype") == "VPM"')
    times = bins(t_min, window_end(tables, t_max), bin_size, rule)
    rows = tables.scan("synapse_activation")
    if where is not None:
        rows = rows.filter(where)
    if d_max is None:
        farthest = rows.select(pl.col("soma_distance").max()).collect(engine="streaming").item()
        d_max = distance_bin * (np.floor((farthest or 0.0) / distance_bin) + 1)
    distances = bins(0.0, number("d_max", d_max, above=0.0, unit="um"), distance_bin)
    if (cells := times.count * distances.count) > MOST_CELLS:
        problem = f"and distance_bin = {distance_bin:g} make {cells:,} bins"
        raise InputError(problem, key="bin_size", value=bin_size, expected=f"at most {MOST_CELLS:,}")
    binned = rows.select("times", distance=distances.index("soma_distance")).drop_nulls("distance")
    events = binned.explode("times").select("distance", bin=times.index("times"))
    counts = events.drop_nulls("bin").group_by("distance", "bin").agg(releases=pl.len().cast(pl.Int64))
    every = distances.frame("distance").join(times.frame(), how="cross")
    full = every.join(counts, on=["distance", "bin"], how="left").sort("distance", "bin")
    return full.with_columns(pl.col("releases").fill_null(0)).select(
        "distance_start",
        "distance_end",
        "bin_start",
        "bin_end",
        "releases",
        per_trial=pl.col("releases") / tables.n_trials,
    )
