"""A run as an NWB file."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from isfray.analysis.extras import extra
from isfray.analysis.run_tables import RunTables, Source, run_tables
from isfray.analysis.voltage import traces
from isfray.catalog import Catalog
from isfray.catalog.scan import Trials
from isfray.check import name_of_file
from isfray.check import path as a_path
from isfray.errors import InputError

_COLUMNS = {
    "trial": "number of the trial in the run",
    "seed": "seed its synaptic input was drawn from",
    "n_active_synapses": "synapses with a release",
    "n_releases": "synaptic releases",
    "n_spikes": "spikes at the soma",
}


def to_nwb(
    source: Source,
    run: str | None,
    path: str | os.PathLike[str],
    *,
    trials: Trials | None = None,
    voltage: bool = True,
) -> Path:
    """Write spikes, voltage, trials and provenance of a run as an NWB 2 file.

    Trials follow each other on one time line, in seconds, without a pause: the table of trials tells where each begins
    and ends. Spikes of a site are a unit; its voltage is one current-clamp series.

    Parameters
    ----------
    source, run, trials
        See `isfray.analysis.run_tables`.
    path : path
        File to write; it must not exist.
    voltage : bool
        Write the traces too, a block of trials at a time.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the file exists or cannot be written; if a stored file has been altered; or without pynwb
        (`pip install 'isfray[nwb]'`).

    Examples
    --------
    >>> analysis.to_nwb(catalog, "stim_C2", "stim_C2.nwb", trials=range(2), voltage=False).name
    'stim_C2.nwb'
    """
    pynwb = extra("pynwb", "nwb")
    icephys = extra("pynwb.icephys", "nwb")
    data_io = extra("hdmf.backends.hdf5", "nwb").H5DataIO
    tables, out = run_tables(source, run, trials), a_path("path", path)
    if os.path.lexists(out):
        raise InputError("exists already", key="path", value=str(out), expected="a new file")
    if not out.parent.is_dir():
        raise InputError("is in no folder", key="path", value=str(out), expected="an existing folder")
    if isinstance(source, Catalog):
        source.snapshot(tables.name).check_files(tables.name, trials)
    sites = _sites(tables)
    for site in tables.sites:
        name_of_file("site", site, file=tables.name or None)  # it names a place in the file too
    kept = voltage and not sites.is_empty()
    grid = sites.row(0, named=True) if kept else {}
    about = tables.scan("trials").sort("trial").collect()
    # NEURON ends up to two steps late
    samples = int(grid["samples"]) if kept else int(np.ceil(about["t_stop"].max() / about["dt"][0])) + 2
    span = samples * float(about["dt"][0]) / 1000.0
    file = pynwb.NWBFile(**_session(source, tables))
    for name, text in _COLUMNS.items():
        file.add_trial_column(name, text)
    for k, row in enumerate(about.select("t_stop", *_COLUMNS).iter_rows(named=True)):
        t_stop = row.pop("t_stop") / 1000.0
        row["seed"] = np.uint64(row["seed"])
        file.add_trial(start_time=k * span, stop_time=k * span + t_stop, **row)
    _add_units(file, tables, span)
    if kept:
        device = file.create_device(name="simulation", description="NEURON, by isfray")
        for row in sites.iter_rows(named=True):
            text = f"section {row['section_id']} at x = {row['x']:.6g}, {row['soma_distance']:.6g} um from the soma"
            electrode = file.create_icephys_electrode(name=row["site"], description=text, device=device, location=text)
            series = icephys.CurrentClampSeries(
                name=f"voltage_{row['site']}",
                description="membrane potential of all trials, one after the other",
                data=data_io(shape=(samples * tables.n_trials,), dtype=np.dtype("float64"), compression="gzip"),
                starting_time=0.0,
                rate=1000.0 / row["dt"],
                conversion=1e-3,
                unit="volts",
                electrode=electrode,
                gain=1.0,
            )
            file.add_acquisition(series)
    try:
        with pynwb.NWBHDF5IO(str(out), "w") as io:
            io.write(file)
        if kept:
            _fill(out, tables, sites["site"].to_list())
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror or error})", key="path", value=str(out)) from None
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return out


def export_nwb(catalog: Catalog, run: str, folder: str | os.PathLike[str]) -> Path:
    """Write a run as RUN.nwb into a folder that is made if need be, once it is clear that there is such a run."""
    tables, place = run_tables(catalog, run), a_path("folder", folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"cannot be made ({error.strerror})"
        raise InputError(problem, key="folder", value=str(place), expected="a folder") from None
    return to_nwb(catalog, tables.name, place / f"{tables.name}.nwb")


def _sites(tables: RunTables) -> pl.DataFrame:
    first = tables.scan("voltage_traces", int(tables.trials[0]))
    if "voltage" not in first.collect_schema():
        return pl.DataFrame()
    samples = pl.col("voltage").list.len().alias("samples")
    return first.select(pl.col("site").cast(pl.String), "section_id", "x", "soma_distance", "dt", samples).collect()


def _session(source: Source, tables: RunTables) -> dict[str, Any]:
    out: dict[str, Any] = {
        "session_description": f"isfray run {tables.name}: simulated trials of a network-embedded neuron",
        "identifier": tables.name or "run",
        "session_start_time": datetime.now(UTC),
        "keywords": ["simulation", "NEURON", "isfray"],
    }
    if isinstance(source, Catalog):
        about = source.info(tables.name)
        kept = {
            "run": about.name,
            "seed": about.seed,
            "settings": dict(about.settings),
            "inputs": about.inputs,
            "provenance": about.provenance,
        }
        out |= {
            "identifier": f"{source.uri}#{about.name}",
            "session_start_time": datetime.fromisoformat(about.created),
            "notes": json.dumps(kept, indent=1, sort_keys=True, default=str),
        }
    return out


def _add_units(file: Any, tables: RunTables, span: float) -> None:
    rows = tables.scan("spike_times").select("trial", pl.col("site").cast(pl.String), "threshold", "time").collect()
    file.add_unit_column("site", "recorded place")
    file.add_unit_column("threshold", "voltage whose upward crossing is a spike, mV")
    for site in list(tables.sites) or sorted(rows["site"].unique()):
        part = rows.filter(pl.col("site") == site)
        start = np.searchsorted(tables.trials, part["trial"].to_numpy()) * span
        threshold = float(part["threshold"][0]) if len(part) else float("nan")
        times = np.sort(start + part["time"].to_numpy() / 1000.0)
        file.add_unit(spike_times=times, site=site, threshold=threshold)


def _fill(path: Path, tables: RunTables, sites: list[str]) -> None:
    h5py = extra("h5py", "nwb")
    with h5py.File(path, "r+") as file:
        for site in sites:
            data = file[f"acquisition/voltage_{site}/data"]
            for trials, time, block in traces(tables, site):
                for k, v in zip(np.searchsorted(tables.trials, trials), block, strict=True):
                    data[k * len(time) : (k + 1) * len(time)] = v
