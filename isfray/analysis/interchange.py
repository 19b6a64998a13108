"""Tables in the layouts other programs take: ISF's wide pandas tables, and Neo.

They are held in memory whole, which a long run does not fit: how much it will be is found out first, and what is too
much comes in batches of trials.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from isfray.analysis.extras import extra
from isfray.analysis.run_tables import RunTables, Source, run_tables
from isfray.analysis.voltage import traces
from isfray.catalog import Catalog
from isfray.catalog.isf_export import FOLDER_TRIALS, folder_name
from isfray.catalog.scan import Trials
from isfray.check import number, one_of, whole, words
from isfray.errors import InputError

_ACTIVATIONS = {
    "synapse_activation": {
        "synapse_type": "synapse_type",
        "synapse_id": "synapse_ID",
        "soma_distance": "soma_distance",
        "section_id": "section_ID",
        "section_pt_id": "section_pt_ID",
        "dendrite_label": "dendrite_label",
    },
    "cell_activation": {"synapse_type": "presynaptic_cell_type", "cell_id": "cell_ID"},
}
WIDE_TABLES = (*_ACTIVATIONS, "spike_times", "voltage_traces")
BATCH = 200
"""Trials at once, where they come in batches."""
_TOLD = 1e9  # bytes from which on it is said how much it will be


def to_isf_wide(
    source: Source,
    run: str | None = None,
    table: str = "synapse_activation",
    *,
    site: str = "soma",
    trials: Trials | None = None,
    folder: str | None = None,
    at_most: float | None = None,
) -> Any:
    """Return a table as ISF's database holds it (docs/formats.md, Tables of ISF), for code that was written for ISF.

    Of a long run take `trials=`, or batches of them by `isf_wide_batches`.

    Parameters
    ----------
    source, run, trials
        See `isfray.analysis.run_tables`.
    table : str
        "synapse_activation", "cell_activation", "spike_times" or "voltage_traces".
    site : str
        For the last two; a recording site's are ISF's `dendritic_spike_times` and `dendritic_recordings`.
    folder : str, optional
        What the index strings begin with, before `/000003`; by default the folder `isfray export --to isf` writes the
        trial to, `results/<date>_seed<seed>_pid<number>`.
    at_most : float, optional
        Bytes it may take; half of this machine's memory by default. From 1 GB on a warning tells how much it will be.

    Returns
    -------
    pandas.DataFrame
        Index `sim_trial_index`. One row per active synapse or cell, with release times in columns '0', '1', ... and one
        empty column more; or one per trial, with spike times in integer columns, NaN in a silent trial; or one per
        trial, with a column for each sample, named by its time.

    Raises
    ------
    InputError
        For another table, for one that is too large, or without pandas (`pip install 'isfray[pandas]'`).

    Examples
    --------
    >>> wide = analysis.to_isf_wide(catalog, "stim_C2", "spike_times", folder="stim_C2/results")
    >>> wide.index[0], wide.shape
    ('stim_C2/results/000000', (8, 5))
    """
    pandas, tables = _wide_source(source, run, table, trials)
    _check_size(_wide_bytes(tables, table, site), at_most, f"{table} of {tables.n_trials:,} trials", "isf_wide_batches")
    return _wide(pandas, tables, table, site, _trial_names(source, run, tables, folder))


def isf_wide_batches(
    source: Source,
    run: str | None = None,
    table: str = "synapse_activation",
    *,
    site: str = "soma",
    trials: Trials | None = None,
    folder: str | None = None,
    trials_at_once: int = BATCH,
) -> Iterator[Any]:
    """Yield what `to_isf_wide` returns, some trials at a time; `pandas.concat` of all is the same table.

    Parameters
    ----------
    source, run, table, site, trials, folder
        As in `to_isf_wide`.
    trials_at_once : int
        Trials of a batch.

    Yields
    ------
    pandas.DataFrame
        Each as wide as its own rows need.

    Raises
    ------
    InputError
        As `to_isf_wide`.

    Examples
    --------
    >>> batches = analysis.isf_wide_batches(catalog, "stim_C2", "spike_times", trials_at_once=3)
    >>> [len(wide) for wide in batches]
    [3, 3, 2]
    """
    pandas, tables = _wide_source(source, run, table, trials)
    names = _trial_names(source, run, tables, folder)
    return (_wide(pandas, part, table, site, names) for part in _parts(tables, trials_at_once))


def _wide_source(source: Source, run: str | None, table: str, trials: Trials | None) -> tuple[Any, RunTables]:
    pandas = extra("pandas", "pandas")
    one_of("table", table, WIDE_TABLES, "has no wide layout")
    return pandas, run_tables(source, run, trials)


def _parts(tables: RunTables, trials_at_once: int) -> Iterator[RunTables]:
    size = whole("trials_at_once", trials_at_once, 1)
    return (run_tables(tables, trials=tables.trials[i : i + size]) for i in range(0, tables.n_trials, size))


def _wide_bytes(tables: RunTables, table: str, site: str) -> float:
    """About what a wide table takes."""
    if table == "voltage_traces":
        return _voltage_bytes(tables, [site])
    if table == "spike_times":
        return 0.0
    size = tables.scan(table).select(pl.len(), pl.col("times").list.len().max()).collect(engine="streaming")
    rows, longest = (int(n or 0) for n in size.row(0))
    return 8.0 * rows * (len(_ACTIVATIONS[table]) + 1 + longest + 1)


def _voltage_bytes(tables: RunTables, sites: list[str]) -> float:
    first = tables.scan("voltage_traces", int(tables.trials[0]))
    if "voltage" not in first.collect_schema():
        return 0.0
    wanted = first.filter(pl.col("site").cast(pl.String).is_in(sites))
    samples = int(wanted.select(pl.col("voltage").list.len().sum()).collect().item() or 0)
    return 8.0 * samples * tables.n_trials


def _check_size(size: float, at_most: float | None, what: str, batches: str) -> None:
    """Tell how much it will be, or refuse it."""
    limit = _memory() / 2 if at_most is None else number("at_most", at_most, least=0.0, unit="bytes")
    about = f"{size / 1e9:.1f} GB"
    if size > limit:
        expected = f"at most {limit / 1e9:.1f} GB (at_most=); take some trials=, or {batches}"
        raise InputError(f"would take about {about}", key=what, expected=expected)
    if size > _TOLD:
        warnings.warn(f"{what} will take about {about}; {batches} takes some trials at a time", stacklevel=3)


def _memory() -> float:
    """Bytes of this machine's memory."""
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _wide(pandas: Any, tables: RunTables, table: str, site: str, names: dict[int, str]) -> Any:
    if table in _ACTIVATIONS:
        return _wide_activation(pandas, tables, table, names)
    values, number, columns = _wide_spikes(tables, site) if table == "spike_times" else _wide_traces(tables, site)
    return pandas.DataFrame(values, columns=columns, index=_index(pandas, names, number))


def _wide_activation(pandas: Any, tables: RunTables, table: str, names: dict[int, str]) -> Any:
    columns = _ACTIVATIONS[table]
    rows = tables.scan(table).select("trial", *columns, "times").sort("trial", maintain_order=True).collect()
    frame = pandas.DataFrame(index=_index(pandas, names, rows["trial"].to_numpy()))
    for ours, theirs in columns.items():
        values = rows[ours]
        if values.dtype == pl.Int32:
            frame[theirs] = values.to_numpy().astype(np.int64)
        elif values.dtype == pl.Float64:
            frame[theirs] = values.to_numpy()
        else:
            names_of = {name: name for name in values.unique().cast(pl.String)}  # each held once
            named = [names_of[name] for name in values.cast(pl.String)]
            frame[theirs] = pandas.Series(named, index=frame.index, dtype=object)
    times = _padded(rows["times"], extra_columns=1)
    wide = pandas.DataFrame(times, index=frame.index, columns=[str(i) for i in range(times.shape[1])])
    return pandas.concat([frame, wide], axis=1)


def _wide_spikes(tables: RunTables, site: str) -> tuple[Any, Any, list[int]]:
    spikes = tables.of_site("spike_times", site).sort("trial", "spike_index").group_by("trial").agg("time")
    every = pl.LazyFrame({"trial": tables.trials}).join(spikes, on="trial", how="left").sort("trial").collect()
    times = _padded(every["time"])
    return times, every["trial"].to_numpy(), list(range(times.shape[1]))


def _wide_traces(tables: RunTables, site: str) -> tuple[Any, Any, list[float]]:
    number = tables.scan("voltage_traces").filter(pl.col("site") == site).select("trial").collect()["trial"]
    held = np.sort(number.to_numpy())
    values, times = np.empty((0, 0)), np.empty(0)
    for trials, times, block in traces(tables, site):
        if not values.size:
            values = np.empty((len(held), len(times)))
        values[np.searchsorted(held, trials)] = block
    return values, held, times.tolist()


def _padded(lists: pl.Series, extra_columns: int = 0) -> Any:
    """Lists as rows of a matrix, NaN where they end."""
    counts = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
    out = np.full((len(lists), int(counts.max(initial=0)) + extra_columns), np.nan)
    values = lists.explode().drop_nulls().to_numpy()
    row = np.repeat(np.arange(len(lists)), counts)
    out[row, np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)] = values
    return out


def _index(pandas: Any, names: dict[int, str], trials: Any) -> Any:
    return pandas.Index([names[trial] for trial in trials.tolist()], name="sim_trial_index", dtype=object)


def _trial_names(source: Source, run: str | None, tables: RunTables, folder: str | None) -> dict[int, str]:
    """ISF's name of every trial."""
    if folder is not None or not isinstance(source, Catalog):
        return {trial: f"{folder or 'results'}/{trial:06d}" for trial in tables.trials.tolist()}
    about, every = source.info(tables.name), run_tables(source, run).trials
    part = np.searchsorted(every, tables.trials) // FOLDER_TRIALS
    folders = [folder_name(about, int(p)) for p in part]
    return {t: f"results/{name}/{t:06d}" for t, name in zip(tables.trials.tolist(), folders, strict=True)}


def to_neo(
    source: Source,
    run: str | None = None,
    *,
    sites: list[str] | None = None,
    voltage: bool = False,
    trials: Trials | None = None,
    at_most: float | None = None,
) -> Any:
    """Return a run as a Neo block: one segment per trial, one spike train per site, silent ones too.

    Of a long run with voltage take `trials=`, or batches of them by `neo_batches`.

    Parameters
    ----------
    source, run, trials
        See `isfray.analysis.run_tables`.
    sites : list of str, optional
        Which; all recorded ones by default.
    voltage : bool
        Add the traces as analog signals, mV.
    at_most : float, optional
        Bytes the traces may take, as in `to_isf_wide`.

    Returns
    -------
    neo.Block
        Spike trains and signals carry `site` and `trial`, segments `trial` and `seed`, as annotations. Elephant takes
        the spike trains as they are.

    Raises
    ------
    InputError
        For a site that was not recorded, for more than fits, or without Neo (`pip install 'isfray[neo]'`).

    Examples
    --------
    >>> block = analysis.to_neo(catalog, "stim_C2", trials=range(3))
    >>> len(block.segments), block.segments[0].spiketrains[0].units
    (3, array(1.) * ms)
    """
    neo, pq, tables, wanted = _neo_source(source, run, sites, trials)
    if voltage:
        what = f"voltage_traces of {tables.n_trials:,} trials"
        _check_size(_voltage_bytes(tables, wanted), at_most, what, "neo_batches")
    return _block(neo, pq, tables, wanted, voltage)


def neo_batches(
    source: Source,
    run: str | None = None,
    *,
    sites: list[str] | None = None,
    voltage: bool = False,
    trials: Trials | None = None,
    trials_at_once: int = BATCH,
) -> Iterator[Any]:
    """Yield what `to_neo` returns, some trials at a time.

    Parameters
    ----------
    source, run, sites, voltage, trials
        As in `to_neo`.
    trials_at_once : int
        Trials of a batch.

    Yields
    ------
    neo.Block

    Raises
    ------
    InputError
        As `to_neo`.

    Examples
    --------
    >>> [len(block.segments) for block in analysis.neo_batches(catalog, "stim_C2", trials_at_once=3)]
    [3, 3, 2]
    """
    neo, pq, tables, wanted = _neo_source(source, run, sites, trials)
    return (_block(neo, pq, part, wanted, voltage) for part in _parts(tables, trials_at_once))


def _neo_source(
    source: Source, run: str | None, sites: list[str] | None, trials: Trials | None
) -> tuple[Any, Any, RunTables, list[str]]:
    neo, pq = extra("neo", "neo"), extra("quantities", "neo")
    tables = run_tables(source, run, trials)
    wanted = list(tables.sites) or ["soma"] if sites is None else list(words("sites", sites, '["soma"]'))
    return neo, pq, tables, wanted


def _block(neo: Any, pq: Any, tables: RunTables, wanted: list[str], voltage: bool) -> Any:
    about = tables.scan("trials").select("trial", "seed", "t_stop", "dt").sort("trial").collect()
    block = neo.Block(name=tables.name, run=tables.name)
    segments = {}
    for trial, seed, _, _ in about.rows():
        segments[trial] = neo.Segment(name=f"trial {trial}", index=trial, trial=trial, seed=seed)
        block.segments.append(segments[trial])
    for site in wanted:
        rows = tables.of_site("spike_times", site).sort("trial", "spike_index").group_by("trial").agg("time").collect()
        times = dict(rows.rows())
        for trial, _, t_stop, dt in about.rows():
            train = neo.SpikeTrain(
                times.get(trial, []), units=pq.ms, t_stop=t_stop + 2 * dt, name=site, site=site, trial=trial
            )
            segments[trial].spiketrains.append(train)
        for numbers, when, block_of in traces(tables, site) if voltage else ():
            period = (when[1] - when[0]) * pq.ms if len(when) > 1 else 1 * pq.ms
            for trial, v in zip(numbers.tolist(), block_of, strict=True):
                signal = neo.AnalogSignal(
                    v[:, None], units=pq.mV, sampling_period=period, t_start=when[0] * pq.ms, name=site,
                    site=site, trial=trial,
                )  # fmt: skip
                segments[trial].analogsignals.append(signal)
    return block
