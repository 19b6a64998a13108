"""A small run that is finished, with the files of its models: what requests are made of that need no simulation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import isfray
from isfray import tables
from isfray.catalog import Catalog
from isfray.model.clock import n_samples
from isfray.runs.request import Requests
from tests.analysis.recorded import trial_tables
from tests.conftest import two_populations, write_network_files
from tests.model import small_cell

RUN, TRIALS, SEED, T_STOP = "r", 4, 7, 20.0


@dataclass(frozen=True)
class FinishedRun:
    """Where the run `r` is, and the files it was made from."""

    folder: Path
    cell: Path
    network: Path
    catalog: Catalog

    def contents(self) -> dict[str, int]:
        """Every file below the folder and its size."""
        return {str(p.relative_to(self.folder)): p.stat().st_size for p in self.folder.rglob("*") if p.is_file()}


def finished_run(folder: Path) -> FinishedRun:
    """Make it: four trials of made-up content, one of them silent, with currents recorded."""
    cell_file, network_file = small_cell.write(folder), write_network_files(folder, two_populations())
    cell, network = isfray.load_cell(cell_file), isfray.load_network(network_file)
    wanted = {"trials": TRIALS, "t_stop": T_STOP, "engine": None, "clamp": (), "record": "sites"}
    spec = Requests(SEED)(RUN, {"cell": cell, "network": network, **wanted}).spec
    catalog = Catalog(folder / "results")
    session = catalog.open_run(spec)
    catalog.commit(RUN, tables.join_trials(map(_trial, range(TRIALS))))
    catalog.close_run(RUN, session)
    return FinishedRun(folder, cell_file, network_file, catalog)


def _trial(trial: int) -> dict[str, tables.pa.Table]:
    time, spikes = np.arange(n_samples(T_STOP, 0.025)) * 0.025, [5.0, 12.0] if trial else []
    voltage = -70 + (20 + trial) * np.sin(time)
    voltage[[round(at / 0.025) for at in spikes]] = 20.0
    made = trial_tables(
        trial,
        soma=spikes,
        synapses=[("INH", 0, 10.0, [1.0, 6.0]), ("VPM_C2", 1, 300.0, [4.0, 11.0])] if trial else [],
        places=[(1, 0, "Dendrite"), (4, 1, "ApicalDendrite")] if trial else None,
        cells=[("VPM_C2", 3, [3.5])] if trial else [],
        voltage={"soma": voltage},
        t_stop=T_STOP,
    )
    made["variable_traces"] = tables.variable_traces(
        trial,
        variables=["SKv3_1.ik"],
        sites=["sec_000_seg_000"],
        section_id=[0],
        x=[0.5],
        soma_distance=[0.0],
        t_start=0.0,
        dt=0.025,
        values=np.cos(time)[None],
    )
    return made
