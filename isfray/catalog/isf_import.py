"""Import of raw result folders of the In Silico Framework (docs/formats.md, Result folders) as a run.

What ISF does not store is not made up: the seed of a trial is that of its process, its time taken is not a number, its
end is when its file was written. Spikes are detected in the traces. Trials whose voltage is no number, or beyond 1 V,
are left out and told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from isfray import tables
from isfray.catalog.catalog import Catalog
from isfray.catalog.inspection import IMPORTED, commit_sound
from isfray.catalog.isf_folder import IsfFolder, find_folders
from isfray.catalog.provenance import provenance
from isfray.catalog.runs import RunSpec
from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.csv import read_cell_csv, read_synapse_csv
from isfray.formats.isf.network import load_network
from isfray.model.cell import CellModel
from isfray.model.detection import detect_spikes, threshold
from isfray.model.network import NetworkModel
from isfray.model.population import split_name
from isfray.model.sites import RecordingSite

_BATCH = 25


@dataclass(frozen=True)
class IsfImport:
    """What was read: how many trials, how many of them were in the catalog before, and those left out as wrong."""

    run: str
    trials: int
    already_there: int
    wrong: Mapping[int, str] = field(default_factory=dict)


def import_isf(
    catalog: Catalog, run: str, folder: str | os.PathLike[str], search_paths: Iterable[str | os.PathLike[str]] = ()
) -> IsfImport:
    """Read every finished ISF result folder below `folder` into one run. Calling again finishes an interrupted import.

    Trials keep the numbers in the names of their files; where several processes have used the same ones, trials are
    counted through, folder by folder.

    Parameters
    ----------
    catalog : Catalog
    run : str
        Name of the run.
    folder : path
        A result folder, or any folder above some.
    search_paths : iterable of path
        Where else files may be that the parameter files name.

    Raises
    ------
    InputError
        If there is none, if they are of different models, or a file does not fit.
    """
    top = a_path("folder", folder)
    searched = [search_paths] if isinstance(search_paths, str | os.PathLike) else search_paths
    folders = find_folders(top)
    first = folders[0]
    for other in folders[1:]:
        if other.parameters() != first.parameters():
            expected = f"the model of {first.path.name}; import other models as runs of their own"
            raise InputError("is of another model", file=str(other.path), expected=expected)
    beside = [path for path in sorted(top.rglob("*")) if path.is_dir()]
    paths = [*(a_path("search_paths", path) for path in searched), *beside]
    cell = load_cell(first.neuron, paths)
    network = None if first.network is None else load_network(first.network, paths)
    sites = first.sites(cell)
    numbers = _numbers(folders)
    spec = RunSpec(
        name=run,
        seed=first.seed,
        settings={"t_stop": cell.defaults.t_stop, "dt": cell.defaults.dt, "engine": IMPORTED, "record": list(sites)},
        inputs={"cell": cell.inputs} | ({} if network is None else {"network": network.inputs}),
        trials=max(trial for of in numbers for trial in of.values()) + 1,
        provenance=provenance(),
    )
    session = catalog.open_run(spec)
    there = set(catalog.committed_trials(run).tolist())
    wrong: dict[int, str] = {}
    try:
        for each, of in zip(folders, numbers, strict=True):
            missing = {sweep: trial for sweep, trial in of.items() if trial not in there}
            if missing:
                wrong |= _Reader(each, cell, network, sites).commit(catalog, run, missing)
    except InputError:
        if catalog.info(run).sessions == (session,) and not catalog.committed_trials(run).size:
            catalog.delete(run)  # so that the name is free for the mended folder
        raise
    catalog.close_run(run, session)
    total = sum(map(len, numbers)) - len(wrong)
    return IsfImport(run, total, len(there & {trial for of in numbers for trial in of.values()}), wrong)


def _numbers(folders: list[IsfFolder]) -> list[dict[int, int]]:
    """Per folder, the trial number of each sweep."""
    sweeps = [folder.sweeps() for folder in folders]
    flat = [sweep for of in sweeps for sweep in of]
    if len(set(flat)) == len(flat):
        return [{sweep: sweep for sweep in of} for of in sweeps]
    firsts = np.cumsum([0, *map(len, sweeps)])
    return [{sweep: int(first) + i for i, sweep in enumerate(of)} for of, first in zip(sweeps, firsts, strict=False)]


class _Reader:
    """Trials of one folder as tables."""

    def __init__(
        self, folder: IsfFolder, cell: CellModel, network: NetworkModel | None, sites: Mapping[str, RecordingSite]
    ) -> None:
        self.folder, self.sites, self.dt = folder, sites, cell.defaults.dt
        self.t_stop = cell.defaults.t_stop
        self.known = set(network.names) if network is not None else set()
        self.time, self.traces = folder.traces(sites)

    def commit(self, catalog: Catalog, run: str, trials: Mapping[int, int]) -> dict[int, str]:
        """Commit trials, given by sweep, and return those left out as wrong."""
        sweeps, wrong = list(trials), dict[int, str]()
        for start in range(0, len(sweeps), _BATCH):
            made = {trials[sweep]: self.tables(sweep, trials[sweep]) for sweep in sweeps[start : start + _BATCH]}
            wrong |= commit_sound(partial(catalog.commit, run), made)[1]
        return wrong

    def tables(self, sweep: int, trial: int) -> dict[str, pa.Table]:
        synapse_file, cell_file = self.folder.activity(sweep)
        releases, spikes = read_synapse_csv(read_file(synapse_file)), read_cell_csv(read_file(cell_file))
        traces = [self.traces[label][sweep] for label in self.sites]
        levels = [threshold(site.section) for site in self.sites.values()]
        found = [detect_spikes(self.time, trace, level) for trace, level in zip(traces, levels, strict=True)]
        labels = list(dict.fromkeys(releases.labels))
        places = self.sites.values()
        return {
            "trials": tables.trial_row(
                trial,
                seed=self.folder.seed,
                t_stop=self.t_stop,
                dt=self.dt,
                n_active_synapses=len(releases.names),
                n_releases=len(releases.times),
                n_spikes=len(found[0]),
                engine=IMPORTED,
                host=self.folder.host,
                wall_s=float("nan"),
                finished_at=datetime.fromtimestamp(synapse_file.stat().st_mtime, UTC),
            ),
            "synapse_activation": tables.synapse_activation(
                trial,
                **self._kinds(releases.names, str(synapse_file)),
                **releases.columns,
                label_index=[labels.index(label) for label in releases.labels],
                labels=labels,
                offsets=releases.offsets,
                times=releases.times,
            ),
            "cell_activation": tables.cell_activation(
                trial,
                **self._kinds(spikes.names, str(cell_file)),
                **spikes.columns,
                offsets=spikes.offsets,
                times=spikes.times,
            ),
            "spike_times": tables.spike_times(trial, sites=list(self.sites), thresholds=levels, times=found),
            "voltage_traces": tables.voltage_traces(
                trial,
                sites=list(self.sites),
                section_id=[site.section for site in places],
                x=[site.x for site in places],
                soma_distance=[site.soma_distance for site in places],
                t_start=float(self.time[0]),
                dt=self.dt,
                voltage=np.stack(traces),
            ),
        }

    def _kinds(self, of: list[str], file: str) -> dict[str, Any]:
        names = sorted(set(of))
        index = {name: i for i, name in enumerate(names)}
        if self.known and (strange := set(names) - self.known):
            raise InputError("is no population of the network", file=file, value=min(strange))
        halves = [split_name(name) for name in names]
        return {
            "synapse_type_index": [index[name] for name in of],
            "type_names": names,
            "celltypes": [celltype for celltype, _ in halves],
            "columns": [column for _, column in halves],
        }
