"""Two runs side by side: what a change to the cell, the network or the stimulus did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from isfray.analysis.confidence import mcnemar, newcombe, normal_quantile
from isfray.analysis.psth import psth
from isfray.analysis.response import Response, response, responses
from isfray.analysis.run_tables import Source, run_tables


@dataclass(frozen=True)
class Comparison:
    """The responses of two runs in one window; differences are second minus first.

    Attributes
    ----------
    first, second : Response
    difference, difference_interval
        Of the response probabilities, with Newcombe's interval for independent samples.
    paired : int
        Trials of equal number and seed in both runs: the same input, as far as the models agree.
    only_first, only_second : int
        Paired trials in which one run responded and the other did not.
    p_paired : float
        Exact two-sided McNemar p of that; 1 if no paired trial differs, NaN without pairs.
    """

    first: Response
    second: Response
    difference: float
    difference_interval: tuple[float, float]
    paired: int
    only_first: int
    only_second: int
    p_paired: float


def compare_responses(
    source: Source, first: str | None, second: str | None, *, other: Source | None = None, **window: Any
) -> Comparison:
    """Compare the response probability of two runs.

    Parameters
    ----------
    source : Catalog or tables
        Where the first run is.
    first, second : str
        Names of the runs.
    other : Catalog or tables, optional
        Where the second run is, if elsewhere.
    **window
        t_min, t_max, site, confidence and seed, as in `isfray.analysis.response`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        As `isfray.analysis.response`.

    Examples
    --------
    >>> change = analysis.compare_responses(catalog, "stim_C2", "stim_C2", t_min=245, t_max=295)
    >>> change.difference, change.paired, change.p_paired
    (0.0, 8, 1.0)
    """
    one, two = run_tables(source, first), run_tables(source if other is None else other, second)
    a, b = response(one, **window), response(two, **window)
    where = {key: value for key, value in window.items() if key in ("t_min", "t_max", "site")}
    sides = [
        responses(t, **where).join(t.scan("trials").select("trial", "seed"), on="trial").select("trial", "seed", side)
        for t, side in ((one, pl.col("responded").alias("first")), (two, pl.col("responded").alias("second")))
    ]
    pairs = sides[0].join(sides[1], on=["trial", "seed"]).collect(engine="streaming")
    only_first = int((pairs["first"] & ~pairs["second"]).sum())
    only_second = int((pairs["second"] & ~pairs["first"]).sum())
    return Comparison(
        first=a,
        second=b,
        difference=b.probability - a.probability,
        difference_interval=newcombe(a.responding, a.trials, b.responding, b.trials, a.confidence),
        paired=len(pairs),
        only_first=only_first,
        only_second=only_second,
        p_paired=mcnemar(only_first, only_second) if len(pairs) else float("nan"),
    )


def compare_psth(
    source: Source,
    first: str | None,
    second: str | None,
    *,
    other: Source | None = None,
    confidence: float = 0.95,
    **bins: Any,
) -> pl.LazyFrame:
    """Compare the PSTHs of two runs, bin by bin.

    Parameters
    ----------
    source, first, second, other
        As in `compare_responses`.
    confidence : float
        Of the interval of the difference, taken as normal with the trials of both runs independent.
    **bins
        site, bin_size, t_min and t_max, as in `isfray.analysis.psth`.

    Returns
    -------
    polars.LazyFrame
        bin_start, bin_end (ms), first, second, difference (second - first), low, high (Hz).

    Raises
    ------
    InputError
        As `isfray.analysis.psth`.

    Examples
    --------
    >>> analysis.compare_psth(catalog, "stim_C2", "stim_C2", bin_size=10, t_min=250, t_max=270).collect()
    shape: (2, 7)
    ┌───────────┬─────────┬───────┬────────┬────────────┬─────┬──────┐
    │ bin_start ┆ bin_end ┆ first ┆ second ┆ difference ┆ low ┆ high │
    │ ---       ┆ ---     ┆ ---   ┆ ---    ┆ ---        ┆ --- ┆ ---  │
    │ f64       ┆ f64     ┆ f64   ┆ f64    ┆ f64        ┆ f64 ┆ f64  │
    ╞═══════════╪═════════╪═══════╪════════╪════════════╪═════╪══════╡
    │ 250.0     ┆ 260.0   ┆ 100.0 ┆ 100.0  ┆ 0.0        ┆ 0.0 ┆ 0.0  │
    │ 260.0     ┆ 270.0   ┆ 0.0   ┆ 0.0    ┆ 0.0        ┆ 0.0 ┆ 0.0  │
    └───────────┴─────────┴───────┴────────┴────────────┴─────┴──────┘
    """
    two = psth(source if other is None else other, second, **bins)
    rows = psth(source, first, **bins).join(two, on=["bin_start", "bin_end"], suffix="_second")
    difference = pl.col("rate_second") - pl.col("rate")
    half = normal_quantile(confidence) * (pl.col("sem") ** 2 + pl.col("sem_second") ** 2).sqrt()
    return rows.sort("bin_start").select(
        "bin_start",
        "bin_end",
        first="rate",
        second="rate_second",
        difference=difference,
        low=difference - half,
        high=difference + half,
    )
