"""What a trial gave: traces by place, and its rows of every table. The same for every engine."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from isfray import tables
from isfray.activity import Releases, Spikes, TrialInput, TrialSpec
from isfray.arrays import F64
from isfray.engine.display import trial_facts
from isfray.engine.engine import Recorded, Task
from isfray.model.clock import n_samples
from isfray.model.detection import detect_spikes, threshold
from isfray.model.display import Facts, Shown
from isfray.model.network import NetworkModel
from isfray.model.sites import RecordingSite
from isfray.model.soundness import MOST_MV, first_fault, times_fault


@dataclass(frozen=True, repr=False)
class TrialResult(Shown):
    """What one trial gave.

    Attributes
    ----------
    time : ndarray, shape (samples,)
        Sample times in ms, as NEURON counts them.
    voltage : mapping of str to ndarray, shape (samples,)
        Membrane potential in mV by site: "soma", recording-site labels, and what `record` named.
    tables : mapping of str to pyarrow.Table
        The trial's rows of every table of the catalog.
    variables : mapping of str to ndarray, shape (segments, samples)
        Range variables that were asked for, in the segments that have them, in the order of `variable_traces`.
    """

    time: F64
    voltage: Mapping[str, F64]
    tables: Mapping[str, pa.Table]
    variables: Mapping[str, F64] = field(default_factory=dict)

    def _facts(self) -> Facts:
        return trial_facts(self.time, self.voltage, self.tables, self.variables)


def fault(task: Task, given: TrialInput, recorded: Recorded, t_stop: float) -> str | None:
    """Return what is wrong with a trial that ends at `t_stop` (ms); None if nothing is."""
    samples, n, sites = n_samples(t_stop, task.dt), len(task.recording.sites), task.recording.sites
    names = [f"voltage at {site.label}" for site in sites]
    names += [f"{v.name} at {site.label}" for v in task.recording.variables for site in v.sites]
    named = list(zip(names, recorded.traces, strict=True))
    end, time = (samples - 1) * task.dt, recorded.time
    late = f"time ends at {time[-1]:g} ms instead of {end:g} ms" if abs(time[-1] - end) > task.dt / 2 else None
    start = task.embedding.cell.defaults.v_init
    return (
        first_fault([("time", time)], samples, dt=task.dt, start=0.0, unit="ms")
        or late
        or first_fault(named[:n], samples, dt=task.dt, start=start, most=MOST_MV, unit="mV")
        or first_fault(named[n:], samples, dt=task.dt)
        or (None if given.spikes is None else _input_fault(given.releases, given.spikes, t_stop))
    )


def _input_fault(releases: Releases | None, spikes: Spikes, t_stop: float) -> str | None:
    """What is wrong with drawn input; a stored trial's may go on after the end."""
    released = None if releases is None else times_fault("a release", releases.times, t_stop)
    return released or times_fault("a presynaptic spike", spikes.time, t_stop)


def trial_result(
    task: Task, trial: TrialSpec, given: TrialInput, recorded: Recorded, *, t_stop: float, engine: str, wall_s: float
) -> TrialResult:
    """Return what a trial gave, from what drove it and what was recorded.

    Parameters
    ----------
    task : Task
    trial : TrialSpec
    given : TrialInput
    recorded : Recorded
    t_stop : float
        End of the trial, ms.
    engine : str
        Name of the engine.
    wall_s : float
        How long it took, s.
    """
    traces, sites, variables = np.stack(recorded.traces), task.recording.sites, task.recording.variables
    releases, first = given.releases, float(recorded.time[0])
    voltage = dict(zip((site.label for site in sites), traces, strict=False))
    levels = [threshold(site.section) for site in sites]
    spikes = [detect_spikes(recorded.time, v, level) for v, level in zip(voltage.values(), levels, strict=True)]
    out = {
        "trials": tables.trial_row(
            trial.number,
            seed=trial.seed,
            t_stop=t_stop,
            dt=task.dt,
            n_active_synapses=0 if releases is None else len(releases),
            n_releases=0 if releases is None else len(releases.times),
            n_spikes=len(spikes[list(voltage).index("soma")]),
            engine=recorded.engine or engine,
            host=socket.gethostname(),
            wall_s=wall_s,
            finished_at=datetime.now(UTC),
        ),
        "synapse_activation": _synapse_activation(task, trial.number, releases),
        "cell_activation": _cell_activation(task, trial.number, given.spikes),
        "spike_times": tables.spike_times(trial.number, sites=list(voltage), thresholds=levels, times=spikes),
        "voltage_traces": tables.voltage_traces(
            trial.number, **_places(sites), t_start=first, dt=task.dt, voltage=traces[: len(sites)]
        ),
    }
    found, rest = {}, traces[len(sites) :]
    for variable in variables:
        found[variable.name], rest = rest[: len(variable.sites)], rest[len(variable.sites) :]
    if variables:
        out["variable_traces"] = tables.variable_traces(
            trial.number,
            variables=[v.name for v in variables for _ in v.sites],
            **_places([site for v in variables for site in v.sites]),
            t_start=first,
            dt=task.dt,
            values=traces[len(sites) :],
        )
    return TrialResult(recorded.time, voltage, out, found)


def _synapse_activation(task: Task, trial: int, releases: Releases | None) -> pa.Table:
    network, placement = task.embedding.network, None if releases is None else releases.placement
    if releases is None or network is None or placement is None:
        return tables.SCHEMAS["synapse_activation"].empty_table()
    labels = task.embedding.cell.morphology.labels
    distinct = list(dict.fromkeys(labels))
    of_section = np.array([distinct.index(label) for label in labels])
    return tables.synapse_activation(
        trial,
        synapse_type_index=releases.population,
        **_population_names(network),
        synapse_id=releases.synapse_id,
        section_id=placement.section_id,
        section_pt_id=placement.section_pt_id,
        soma_distance=placement.soma_distance,
        label_index=of_section[placement.section_id],
        labels=distinct,
        offsets=releases.offsets,
        times=releases.times,
    )


def _cell_activation(task: Task, trial: int, spikes: Spikes | None) -> pa.Table:
    network = task.embedding.network
    if spikes is None or network is None:
        return tables.SCHEMAS["cell_activation"].empty_table()
    first = np.flatnonzero(
        np.r_[True, (np.diff(spikes.population) != 0) | (np.diff(spikes.cell_id) != 0)][: len(spikes)]
    )
    return tables.cell_activation(
        trial,
        synapse_type_index=spikes.population[first],
        **_population_names(network),
        cell_id=spikes.cell_id[first],
        offsets=np.append(first, len(spikes)),
        times=spikes.time,
    )


def _places(sites: Sequence[RecordingSite]) -> dict[str, list[Any]]:
    return {
        "sites": [s.label for s in sites],
        "section_id": [s.section for s in sites],
        "x": [s.x for s in sites],
        "soma_distance": [s.soma_distance for s in sites],
    }


def _population_names(network: NetworkModel) -> dict[str, list[str]]:
    return {
        "type_names": [p.name for p in network.populations],
        "celltypes": [p.celltype for p in network.populations],
        "columns": [p.column for p in network.populations],
    }
