"""Spikes found in voltage traces (docs/formats.md, Spike detection), and windows of stored ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from isfray.analysis.run_tables import Source, run_tables
from isfray.check import number, one_of, window
from isfray.errors import InputError
from isfray.model.clock import sample_times
from isfray.model.detection import crossings
from isfray.model.detection import threshold as default_threshold


def detect_spikes(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    threshold: float | None = None,
    mode: Literal["voltage", "slope"] = "voltage",
    t_min: float | None = None,
    t_max: float | None = None,
) -> pl.LazyFrame:
    """Find spikes in the stored traces of a site: a sample at or above threshold whose predecessor is below.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    threshold : float, optional
        In mV, by default 0 at the soma and -30 elsewhere; in mV/ms, and needed, for `mode="slope"`.
    mode : str
        "voltage", or "slope": the upward crossing of dV/dt, taken between a sample and the one before.
    t_min, t_max : float, optional
        Only spikes in [t_min, t_max), ms.

    Returns
    -------
    polars.LazyFrame
        Columns of `spike_times`: trial, site, threshold, spike_index, time.

    Raises
    ------
    InputError
        For a site that was not recorded, another mode, or a slope without a threshold.

    Notes
    -----
    No interpolation, no refractory period; the first sample is never a spike (docs/formats.md, Spike detection).

    Examples
    --------
    >>> analysis.detect_spikes(catalog, "stim_C2", threshold=-10.0, t_min=245.0).sort("trial").head(3).collect()
    shape: (3, 5)
    ┌───────┬──────┬───────────┬─────────────┬─────────┐
    │ trial ┆ site ┆ threshold ┆ spike_index ┆ time    │
    │ ---   ┆ ---  ┆ ---       ┆ ---         ┆ ---     │
    │ i32   ┆ str  ┆ f64       ┆ i32         ┆ f64     │
    ╞═══════╪══════╪═══════════╪═════════════╪═════════╡
    │ 0     ┆ soma ┆ -10.0     ┆ 0           ┆ 255.85  │
    │ 1     ┆ soma ┆ -10.0     ┆ 0           ┆ 253.65  │
    │ 2     ┆ soma ┆ -10.0     ┆ 0           ┆ 253.125 │
    └───────┴──────┴───────────┴─────────────┴─────────┘
    """
    one_of("mode", mode, ("voltage", "slope"), "is no way to detect spikes")
    if threshold is None and mode == "slope":
        raise InputError("is missing", key="threshold", expected="a slope in mV/ms")
    threshold = None if threshold is None else number("threshold", threshold)
    t_min, t_max = window(t_min, t_max)
    low, high = -np.inf if t_min is None else t_min, np.inf if t_max is None else t_max

    def find(traces: pl.DataFrame) -> pl.DataFrame:
        rows, times, levels = [], [], []
        columns = zip(traces["section_id"], traces["t_start"], traces["dt"], traces["voltage"], strict=True)
        for row, (section, start, dt, voltage) in enumerate(columns):
            v = voltage.to_numpy()
            level = default_threshold(section) if threshold is None else threshold
            at = crossings(v, level) if mode == "voltage" else crossings(np.diff(v) / dt, level) + 1
            if not len(at):
                continue
            t = sample_times(int(at[-1]) + 1, start, dt)[at]
            t = t[(t >= low) & (t < high)]
            rows.append(np.full(len(t), row))
            levels.append(np.full(len(t), float(level)))
            times.append(t)
        index = np.concatenate([*rows, np.empty(0, np.int64)]).astype(np.int64)
        counted = np.concatenate([*(np.arange(len(t)) for t in times), np.empty(0, np.int64)])
        return pl.DataFrame(
            {
                "trial": traces["trial"].gather(index),
                "site": pl.Series([site] * len(index), dtype=pl.String),
                "threshold": np.concatenate([*levels, np.empty(0)]),
                "spike_index": counted.astype(np.int32),
                "time": np.concatenate([*times, np.empty(0)]),
            }
        )

    traces = run_tables(source, run).of_site("voltage_traces", site)
    traces = traces.select("trial", "section_id", "t_start", "dt", "voltage")
    schema = {
        "trial": pl.Int32(),
        "site": pl.String(),
        "threshold": pl.Float64(),
        "spike_index": pl.Int32(),
        "time": pl.Float64(),
    }
    return traces.map_batches(find, schema=schema, streamable=True)


def spikes_within(spikes: pl.LazyFrame, t_min: float, t_max: float) -> pl.LazyFrame:
    """Return the rows whose `time` is in [t_min, t_max)."""
    return spikes.filter(pl.col("time").is_between(t_min, t_max, closed="left"))
