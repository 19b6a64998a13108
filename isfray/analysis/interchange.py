"""Tables in the layouts other programs take: ISF's wide pandas tables, and Neo."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from isfray.analysis.extras import extra
from isfray.analysis.run_tables import RunTables, Source, Trials, run_tables
from isfray.analysis.voltage import traces
from isfray.catalog import Catalog
from isfray.catalog.isf_export import FOLDER_TRIALS, folder_name
from isfray.check import one_of, words

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


def to_isf_wide(
    source: Source,
    run: str | None = None,
    table: str = "synapse_activation",
    *,
    site: str = "soma",
    trials: Trials | None = None,
    folder: str | None = None,
) -> Any:
    """Return a table as ISF's database holds it (FORMATS 13), for code that was written for ISF.

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

    Returns
    -------
    pandas.DataFrame
        Index `sim_trial_index`. One row per active synapse or cell, with release times in columns '0', '1', ... and one
        empty column more; or one per trial, with spike times in integer columns, NaN in a silent trial; or one per
        trial, with a column for each sample, named by its time.

    Raises
    ------
    InputError
        For another table, or without pandas (`pip install 'isfray[pandas]'`).

    Examples
    --------
    >>> wide = analysis.to_isf_wide(catalog, "stim_C2", "spike_times", folder="stim_C2/results")
    >>> wide.index[0], wide.shape
    ('stim_C2/results/000000', (8, 5))
    """
    pandas = extra("pandas", "pandas")
    one_of("table", table, WIDE_TABLES, "has no wide layout")
    tables = run_tables(source, run, trials)
    names = _trial_names(source, run, tables, folder)
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
            frame[theirs] = pandas.Series(values.cast(pl.String).to_list(), index=frame.index, dtype=object)
    times = _padded(rows["times"], extra_columns=1)
    wide = pandas.DataFrame(times, index=frame.index, columns=[str(i) for i in range(times.shape[1])])
    return pandas.concat([frame, wide], axis=1)


def _wide_spikes(tables: RunTables, site: str) -> tuple[Any, Any, list[int]]:
    spikes = tables.of_site("spike_times", site).sort("trial", "spike_index").group_by("trial").agg("time")
    every = pl.LazyFrame({"trial": tables.trials}).join(spikes, on="trial", how="left").sort("trial").collect()
    times = _padded(every["time"])
    return times, every["trial"].to_numpy(), list(range(times.shape[1]))


def _wide_traces(tables: RunTables, site: str) -> tuple[Any, Any, list[float]]:
    blocks = list(traces(tables, site))
    number = np.concatenate([trial for trial, _, _ in blocks])
    order = np.argsort(number, kind="stable")
    return np.concatenate([v for _, _, v in blocks])[order], number[order], blocks[0][1].tolist()


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
) -> Any:
    """Return a run as a Neo block: one segment per trial, one spike train per site, silent ones too.

    Parameters
    ----------
    source, run, trials
        See `isfray.analysis.run_tables`.
    sites : list of str, optional
        Which; all recorded ones by default.
    voltage : bool
        Add the traces as analog signals, mV.

    Returns
    -------
    neo.Block
        Spike trains and signals carry `site` and `trial`, segments `trial` and `seed`, as annotations. Elephant takes
        the spike trains as they are.

    Raises
    ------
    InputError
        For a site that was not recorded, or without Neo (`pip install 'isfray[neo]'`).

    Examples
    --------
    >>> block = analysis.to_neo(catalog, "stim_C2", trials=range(3))
    >>> len(block.segments), block.segments[0].spiketrains[0].units
    (3, array(1.) * ms)
    """
    neo, pq = extra("neo", "neo"), extra("quantities", "neo")
    tables = run_tables(source, run, trials)
    wanted = list(tables.sites) or ["soma"] if sites is None else words("sites", sites, '["soma"]')
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
