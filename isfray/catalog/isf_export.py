"""Export of a run in the raw layout of the In Silico Framework (docs/formats.md, Result folders), for its own loader.

    DIR/results/<date>_seed<seed>_pid<number>/    trials, as one process of ISF leaves them
    DIR/model/<hash>/<name>                       the files the parameter files name

ISF writes one folder a process; here it is one per thousand trials, and its `pid` is made from the run's name. The
table `variable_traces` and what a trial took have no place in the layout.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.catalog.catalog import Catalog
from isfray.catalog.runs import RunInfo
from isfray.catalog.snapshot import Snapshot
from isfray.check import name_of_file
from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.formats.isf.param import format_param, parse_param
from isfray.model.clock import sample_times
from isfray.model.inputs import ModelInputs

FOLDER_TRIALS = 1000
SOMA = "soma"
_READ_TRIALS = 50  # held in memory at once

SYNAPSE_HEADER = (
    "# synapse type\tsynapse ID\tsoma distance\tsection ID\tsection pt ID\tdendrite label\tactivation times\n"
)
CELL_HEADER = "# presynaptic cell type\tcell ID\tspike times\n"
_SYNAPSE_COLUMNS = (
    *("synapse_type", "synapse_id", "soma_distance"),
    *("section_id", "section_pt_id", "dendrite_label", "times"),
)
_CELL_COLUMNS = ("synapse_type", "cell_id", "times")


@dataclass(frozen=True)
class IsfExport:
    """What was written: the folders of trials, and how many trials."""

    folders: tuple[Path, ...]
    trials: int


def export_isf(catalog: Catalog, run: str, folder: str | os.PathLike[str]) -> IsfExport:
    """Write the committed trials of a run as ISF would have.

    A folder is called `_running` until it is whole, as ISF does it.

    Raises
    ------
    InputError
        If the run has no trial or no soma trace, or was exported there before; if a stored file has been altered.
    """
    now, about, inputs = catalog.snapshot(run), catalog.info(run), catalog.load_inputs(run)
    now.check_files(run)
    trials = now.committed_trials(run)
    sites = now.scan("voltage_traces", run, int(trials[0])).collect()["site"].to_list() if len(trials) else []
    if SOMA not in sites:
        problem = "has no trial with a soma trace"
        raise InputError(problem, file=catalog.uri, key="run", value=run, expected="a run that recorded the soma")
    for site in sites:
        name_of_file("site", site, file=catalog.uri)
    target = a_path("folder", folder).absolute()
    if not str(target).isprintable():
        raise InputError(
            "cannot be named in a parameter file", key="folder", value=str(target), expected="a plain name"
        )
    names = [folder_name(about, part) for part in range(-(-len(trials) // FOLDER_TRIALS))]
    if there := [name for name in names if (target / "results" / name).exists()]:
        raise InputError("is there already", file=str(target / "results" / there[0]), expected="another folder")
    try:
        for role, suffix in (("cell", "neuron"), ("network", "network")):
            if role in inputs:
                text = _param(inputs[role], target / "model", about)
                for name in names:
                    _write(target / "results" / f"{name}_running" / f"{_prefix(name)}_{suffix}_model.param", text)
        for part, name in enumerate(names):
            of = trials[part * FOLDER_TRIALS : (part + 1) * FOLDER_TRIALS]
            _write_trials(now, run, of, sites, target / "results" / f"{name}_running", _prefix(name))
        for name in names:
            (target / "results" / f"{name}_running").rename(target / "results" / name)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})",
            file=str(target),
            expected="a folder with space that can be written",
        ) from None
    return IsfExport(tuple(target / "results" / name for name in names), len(trials))


def folder_name(about: RunInfo, part: int) -> str:
    """Name of the folder that holds the run's trials from `part * FOLDER_TRIALS` on."""
    date = datetime.fromisoformat(about.created).strftime("%Y%m%d-%H%M")
    return f"{date}_seed{about.seed}_pid{zlib.crc32(about.name.encode()) + part}"


def _prefix(name: str) -> str:
    return name.partition("_")[2]


def _param(inputs: ModelInputs, folder: Path, about: RunInfo) -> str:
    """Text of a parameter file whose references lead into `folder`, where they are written."""
    places: dict[str, str] = {}
    for reference, file in inputs.references.items():
        place = folder / file.sha256[:12] / file.name
        if not place.exists():
            _write(place, file.data)
        places[reference] = str(place)

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [moved(inner) for inner in value]
        return places.get(value, value) if isinstance(value, str) else value

    data = moved(parse_param(inputs.main.text, inputs.main.name).data)
    if "sim" in data:
        data["sim"]["tStop"] = data["sim"].get("tStop") if about.settings.t_stop is None else about.settings.t_stop
    return format_param(data)


def _write_trials(
    now: Snapshot, run: str, trials: NDArray[np.int32], sites: list[str], folder: Path, prefix: str
) -> None:
    for host in _column(now, run, trials, "host"):
        _write(folder / f"hostname_{name_of_file('host', host, file=now.storage.uri)}", b"")
    for some in np.array_split(trials, -(-len(trials) // _READ_TRIALS)):
        synapses = _texts(now.scan("synapse_activation", run, some).collect(), _SYNAPSE_COLUMNS)
        cells = _texts(now.scan("cell_activation", run, some).collect(), _CELL_COLUMNS)
        for trial in some.tolist():
            start = folder / f"simulation_run{trial:04d}"
            _write(start.with_name(f"{start.name}_synapses.csv"), SYNAPSE_HEADER + synapses.get(trial, ""))
            _write(start.with_name(f"{start.name}_presynaptic_cells.csv"), CELL_HEADER + cells.get(trial, ""))
    for site in sites:
        name = f"{prefix}_vm_all_traces.csv" if site == SOMA else f"{prefix}_{site}_vm_dend_traces.csv"
        _traces(now, run, trials, site).write_csv(folder / name, separator="\t")


def _texts(rows: pl.DataFrame, columns: tuple[str, ...]) -> dict[int, str]:
    """Lines of each trial."""
    fields = [_written(rows[column]) for column in columns]
    lines = pl.select(pl.concat_str([*fields, pl.lit("\n")], separator="\t").str.replace("\t\n", "\n", literal=True))
    by_trial = lines.select(rows["trial"], line=lines.to_series()).group_by("trial").agg(pl.col("line").str.join(""))
    return dict(by_trial.rows())


def _written(values: pl.Series) -> pl.Series:
    """Values as ISF writes them: numbers with as many digits as give them back, a comma after each of several."""
    if not isinstance(values.dtype, pl.List):
        return _decimal(values) if values.dtype.is_float() else values.cast(pl.String).fill_null("None")
    flat = pl.DataFrame({"row": np.repeat(np.arange(len(values)), values.list.len().to_numpy()), "time": _flat(values)})
    texts = flat.select("row", text=_decimal(flat["time"]) + ",").group_by("row").agg(pl.col("text").str.join(""))
    return (
        pl.DataFrame({"row": np.arange(len(values))})
        .join(texts, on="row", how="left", maintain_order="left")["text"]
        .fill_null("")
    )


def _flat(lists: pl.Series) -> pl.Series:
    return lists.filter(lists.list.len() > 0).explode()


def _decimal(values: pl.Series) -> pl.Series:
    """Numbers as Python writes them, which Polars does but for the smallest."""
    texts, odd = values.cast(pl.String), ((values.abs() < 1e-4) & (values != 0.0)) | values.is_nan()
    return texts.scatter(odd.arg_true(), [repr(value) for value in values.filter(odd)]) if odd.any() else texts


def _traces(now: Snapshot, run: str, trials: NDArray[np.int32], site: str) -> pl.DataFrame:
    """Columns `t` and one per trial, as NEURON counts the time."""
    columns = ["trial", "site", "t_start", "dt", "voltage"]
    rows = now.scan("voltage_traces", run, trials, columns).filter(pl.col("site") == site).sort("trial").collect()
    if rows["voltage"].list.len().n_unique() != 1:
        raise InputError(f"has no trace of one length in every trial at {site}", key="run", value=run)
    samples = rows["voltage"].list.len()[0]
    traces = {f"Vm run {trial:02d}": trace for trial, trace in rows.select("trial", "voltage").iter_rows()}
    return pl.DataFrame({"t": sample_times(samples, rows["t_start"][0], rows["dt"][0]), **traces})


def _column(now: Snapshot, run: str, trials: NDArray[np.int32], column: str) -> list[str]:
    found = now.scan("trials", run, trials, [column]).collect()[column].cast(pl.String).unique().sort()
    return found.to_list()


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
