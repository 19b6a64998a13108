"""Whether, when and how strongly the cell responds in a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from isfray.analysis.confidence import bootstrap, wilson
from isfray.analysis.psth import window_end
from isfray.analysis.run_tables import Source, run_tables
from isfray.analysis.spikes import spikes_within
from isfray.check import number
from isfray.errors import InputError


@dataclass(frozen=True)
class Response:
    """A cell's response in a window, with intervals at `confidence`.

    Attributes
    ----------
    t_min, t_max : float
        Window [t_min, t_max), ms.
    trials, responding : int
        Trials in all; those with a spike in the window.
    probability, probability_interval
        responding / trials, with Wilson's interval.
    spikes, spikes_interval
        Mean spikes in the window per trial, silent ones included; bootstrap interval.
    latency, latency_interval
        Median time from t_min to the first spike over the responding trials, ms; bootstrap interval. NaN if none
        responds.
    jitter : float
        Standard deviation of that time, ms; NaN for fewer than two responding trials.
    confidence : float
    """

    t_min: float
    t_max: float
    trials: int
    responding: int
    probability: float
    probability_interval: tuple[float, float]
    spikes: float
    spikes_interval: tuple[float, float]
    latency: float
    latency_interval: tuple[float, float]
    jitter: float
    confidence: float


def responses(
    source: Source, run: str | None = None, *, t_min: float, t_max: float | None = None, site: str = "soma"
) -> pl.LazyFrame:
    """Return one row per trial: its spikes in [t_min, t_max), whether it responded, and when.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    t_min, t_max : float
        Window [t_min, t_max), ms; it ends with the trial by default.
    site : str
        Recorded place.

    Returns
    -------
    polars.LazyFrame
        trial, spikes, responded (ISF's `spike_in_interval`), latency (ms from t_min to the first spike, or
        null); sorted by trial.

    Raises
    ------
    InputError
        If the window is none, or reaches beyond the simulated time.

    Examples
    --------
    >>> analysis.responses(catalog, "stim_C2", t_min=245, t_max=295).head(3).collect()
    shape: (3, 4)
    ┌───────┬────────┬───────────┬─────────┐
    │ trial ┆ spikes ┆ responded ┆ latency │
    │ ---   ┆ ---    ┆ ---       ┆ ---     │
    │ i32   ┆ i64    ┆ bool      ┆ f64     │
    ╞═══════╪════════╪═══════════╪═════════╡
    │ 0     ┆ 1      ┆ true      ┆ 10.875  │
    │ 1     ┆ 1      ┆ true      ┆ 8.675   │
    │ 2     ┆ 1      ┆ true      ┆ 8.15    │
    └───────┴────────┴───────────┴─────────┘
    """
    tables = run_tables(source, run)
    end, t_min = window_end(tables, t_max), number("t_min", t_min, unit="ms")
    if not t_min < end:
        raise InputError("begins after it ends", key="t_min, t_max", value=(t_min, end), expected="t_min < t_max")
    spikes = spikes_within(tables.of_site("spike_times", site), t_min, end)
    found = spikes.group_by("trial").agg(spikes=pl.len().cast(pl.Int64), latency=pl.col("time").min() - t_min)
    every = pl.LazyFrame({"trial": tables.trials})
    rows = every.join(found, on="trial", how="left").sort("trial").with_columns(pl.col("spikes").fill_null(0))
    return rows.select("trial", "spikes", responded=pl.col("spikes") > 0, latency="latency")


def response(
    source: Source,
    run: str | None = None,
    *,
    t_min: float,
    t_max: float | None = None,
    site: str = "soma",
    confidence: float = 0.95,
    seed: int = 0,
) -> Response:
    """Return probability, strength and latency of the response in [t_min, t_max).

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    t_min, t_max : float
        Window, ms; it ends with the trial by default. Latencies count from t_min.
    site : str
        Recorded place.
    confidence, seed
        Of the intervals; of the bootstrap.

    Returns
    -------
    Response

    Raises
    ------
    InputError
        If the window is none, or reaches beyond the simulated time.

    Examples
    --------
    >>> found = analysis.response(catalog, "stim_C2", t_min=245, t_max=295)
    >>> found.responding, found.trials
    (8, 8)
    >>> [round(p, 2) for p in (found.probability, *found.probability_interval)]
    [1.0, 0.68, 1.0]
    """
    tables = run_tables(source, run)
    end = window_end(tables, t_max)
    rows = responses(tables, t_min=t_min, t_max=end, site=site).collect(engine="streaming")
    latency = rows["latency"].drop_nulls().to_numpy()
    spikes, n, k = rows["spikes"].to_numpy().astype(np.float64), len(rows), len(latency)
    return Response(
        t_min=t_min,
        t_max=end,
        trials=n,
        responding=k,
        probability=k / n,
        probability_interval=wilson(k, n, confidence),
        spikes=float(spikes.mean()),
        spikes_interval=bootstrap(spikes, confidence=confidence, seed=seed),
        latency=float(np.median(latency)) if k else float("nan"),
        latency_interval=bootstrap(latency, np.median, confidence=confidence, seed=seed),
        jitter=float(latency.std(ddof=1)) if k > 1 else float("nan"),
        confidence=confidence,
    )
