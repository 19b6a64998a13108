"""One compiled, built, synapse-bearing cell that runs trial after trial (docs/formats.md, A trial)."""

from __future__ import annotations

import socket
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isfray import tables
from isfray.activity import Spikes, draw_trial
from isfray.activity.active import ActiveSynapses, drawn, stored
from isfray.check import number
from isfray.engine.display import trial_facts
from isfray.engine.fit import check_models, fit
from isfray.engine.neuron import mechanisms
from isfray.engine.neuron.integration import advance, chosen_engine, engine_for
from isfray.engine.neuron.live_cell import LiveCell
from isfray.engine.neuron.process import Place, set_state
from isfray.engine.neuron.synapses import Synapses
from isfray.engine.recording import check_size, read_recording
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.clamp import Clamps, read_clamps
from isfray.model.detection import detect_spikes, threshold
from isfray.model.display import Facts, Shown
from isfray.model.network import NetworkModel
from isfray.model.ranges import TIME_STEP
from isfray.model.sites import RecordingSite
from isfray.model.soundness import MOST_MV, UnsoundTrialError, first_fault, n_samples, times_fault


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

    time: NDArray[np.float64]
    voltage: Mapping[str, NDArray[np.float64]]
    tables: Mapping[str, pa.Table]
    variables: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def _facts(self) -> Facts:
        return trial_facts(self.time, self.voltage, self.tables, self.variables)


@dataclass(eq=False)
class Rig:
    """What a simulator has in NEURON: the cell, its synapses, and the vectors that record time and traces."""

    live: LiveCell
    synapses: Synapses | None
    time: Any
    traces: list[tuple[RecordingSite, str, Any]]


class Simulator:
    """A cell in this process's NEURON, with its network's synapses, ready for any number of trials.

    Parameters
    ----------
    cell : CellModel
    network : NetworkModel, optional
        Without it the cell has no synapses.
    engine : str, optional
        "coreneuron" (the default where NEURON comes with it) or "neuron": the same steps, several times slower.
    clamp : list of CurrentClamp or of mappings
        Current clamps: section (label or id), x, delay (ms), dur (ms), amp (nA).
    record : str or list of str
        "sites" (soma and recording sites), "all" segments too, names of places, or range variables such as
        `Ca_HVA.ica`; see `isfray.engine.recording.read_recording`.
    share_synapses : bool
        One point process per segment and kinetics (default), or one per active synapse, as ISF does: the same
        voltage, many times the cost.
    dt : float, optional
        Time step in ms; the cell file's by default.

    Raises
    ------
    InputError
        If anything in cell, network or arguments cannot be simulated.

    Examples
    --------
    >>> simulator = isfray.Simulator(cell, network)
    >>> simulator.run(seed=isfray.trial_seed(7, trial=0), t_stop=50.0)
    <TrialResult trial 0: 50 ms, 1 spike at the soma, 427 releases>
    """

    def __init__(
        self,
        cell: CellModel,
        network: NetworkModel | None = None,
        *,
        engine: str | None = None,
        clamp: Clamps = (),
        record: str | Sequence[str] = "sites",
        share_synapses: bool = True,
        dt: float | None = None,
    ) -> None:
        check_models(cell, network)
        self.cell, self.network = cell, network
        self.engine = chosen_engine(engine)
        self.dt = number("dt", cell.defaults.dt if dt is None else dt, **TIME_STEP)
        self.recording = read_recording(cell, record)
        electrodes = read_clamps(clamp, cell.morphology.labels)
        fitted = fit(cell, network)
        self._placement, self._globals = fitted.placement, fitted.neuron_globals
        self._electrodes, self._share = electrodes, share_synapses
        self._h = mechanisms.load(coreneuron=self.engine == "coreneuron")
        self._place = Place(self._build)
        self._place.rig()

    def _build(self) -> Rig:
        self._set_state()  # which ions start from
        live = LiveCell(self.cell, self._h)
        live.add_electrodes(self._electrodes)
        synapses = None
        if self.network is not None and self._placement is not None:
            synapses = Synapses(live, self.network, self._placement, share=self._share)
        traces = [(site, "v", self._h.Vector()) for site in self.recording.sites]
        traces += [(site, v.attribute, self._h.Vector()) for v in self.recording.variables for site in v.sites]
        return Rig(live, synapses, self._h.Vector(), traces)

    def _set_state(self) -> None:
        temperature = self.cell.defaults.temperature
        set_state(self._h, dt=self.dt, celsius=temperature, mechanism_globals=self._globals)

    def run(self, seed: int | None = None, t_stop: float | None = None, *, trial: int = 0) -> TrialResult:
        """Draw one trial's input from its seed and simulate it.

        Parameters
        ----------
        seed : int, optional
            The trial's seed (`isfray.trial_seed(run_seed, trial)` for trial k of a run); needed with a network.
        t_stop : float, optional
            End in ms; the cell file's by default.
        trial : int
            Number the tables carry.

        Returns
        -------
        TrialResult

        Raises
        ------
        InputError
            If a network is there and no seed, or `t_stop` is no time.
        UnsoundTrialError
            If what was recorded cannot be: a voltage that is no number or beyond 1 V, with its first time and place.

        Examples
        --------
        >>> result = isfray.Simulator(cell, network).run(seed=isfray.trial_seed(7, trial=0), t_stop=50.0)
        >>> result.voltage["soma"].shape, result.time[-1].round(1)
        ((2001,), np.float64(50.0))
        >>> result.tables["spike_times"].num_rows
        2
        """
        t_stop = self._end(t_stop)
        began = clock.perf_counter()
        if self.network is None or self._placement is None:
            return self._finish(None, None, seed or 0, t_stop, trial, began)
        if seed is None:
            raise InputError("is missing", key="seed", expected="the trial's seed, an integer >= 0")
        drawn_input = draw_trial(self.network, seed, t_stop, self._placement)
        active = drawn(self.network, self._placement, drawn_input.releases)
        return self._finish(active, drawn_input.spikes, seed, t_stop, trial, began)

    def _end(self, t_stop: Any) -> float:
        end = number("t_stop", self.cell.defaults.t_stop if t_stop is None else t_stop, above=0.0, unit="ms")
        check_size(self.recording, end, self.dt)
        return end

    def replay(self, releases: Any, t_stop: float | None = None, *, seed: int = 0, trial: int = 0) -> TrialResult:
        """Simulate the stored releases of one trial: each synapse at its section and 3D point, at its times.

        Parameters
        ----------
        releases : table or path
            `synapse_activation` rows of one trial (Polars, pyarrow, pandas), or an ISF synapse CSV.
        t_stop : float, optional
            End in ms; the cell file's by default.
        seed : int
            Seed of the trial: it fixes the weights where the network draws them.
        trial : int
            Number the tables carry.

        Returns
        -------
        TrialResult

        Raises
        ------
        InputError
            If rows are of several trials, or name a population, section or point that is not there.
        UnsoundTrialError
            As `run`.

        Examples
        --------
        >>> releases = catalog.scan("synapse_activation", run="stim_C2", trials=3).collect()
        >>> again = isfray.Simulator(cell, network).replay(releases, t_stop=300.0)
        >>> stored = catalog.scan("voltage_traces", run="stim_C2", trials=3).filter(pl.col("site") == "soma").collect()
        >>> float(abs(again.voltage["soma"] - stored["voltage"][0].to_numpy()).max())
        0.0
        """
        t_stop = self._end(t_stop)
        if self.network is None:
            raise InputError("is missing", key="network", expected="the network that gives weights and receptors")
        began = clock.perf_counter()
        active = stored(releases, self.network, self.cell.geometry, seed)
        return self._finish(active, None, seed, t_stop, trial, began)

    def _finish(
        self,
        active: ActiveSynapses | None,
        spikes: Spikes | None,
        seed: int,
        t_stop: float,
        trial: int,
        began: float,
    ) -> TrialResult:
        time, recorded = self._integrate(active, t_stop)
        if fault := self._fault(time, recorded, t_stop) or (_input_fault(active, spikes, t_stop) if spikes else None):
            raise UnsoundTrialError({trial: fault})
        traces, sites = np.stack(recorded), self.recording.sites
        voltage = dict(zip((site.label for site in sites), traces, strict=False))
        spike_times = [
            detect_spikes(time, v, threshold(s.section)) for s, v in zip(sites, voltage.values(), strict=True)
        ]
        out = {
            "synapse_activation": self._synapse_table(trial, active),
            "cell_activation": self._cell_table(trial, spikes),
            "spike_times": tables.spike_times(
                trial, sites=list(voltage), thresholds=[threshold(s.section) for s in sites], times=spike_times
            ),
            "voltage_traces": tables.voltage_traces(
                trial, **self._places(sites), t_start=float(time[0]), dt=self.dt, voltage=traces[: len(sites)]
            ),
        }
        variables, rest = {}, traces[len(sites) :]
        for variable in self.recording.variables:
            variables[variable.name], rest = rest[: len(variable.sites)], rest[len(variable.sites) :]
        if variables:
            out["variable_traces"] = tables.variable_traces(
                trial,
                variables=[v.name for v in self.recording.variables for _ in v.sites],
                **self._places([site for v in self.recording.variables for site in v.sites]),
                t_start=float(time[0]),
                dt=self.dt,
                values=traces[len(sites) :],
            )
        row = tables.trial_row(
            trial,
            seed=seed,
            t_stop=t_stop,
            dt=self.dt,
            n_active_synapses=0 if active is None else len(active),
            n_releases=0 if active is None else len(active.times),
            n_spikes=len(spike_times[list(voltage).index("soma")]),
            engine=self.engine,
            host=socket.gethostname(),
            wall_s=clock.perf_counter() - began,
            finished_at=datetime.now(UTC),
        )
        return TrialResult(time, voltage, {"trials": row, **out}, variables)

    def _integrate(
        self, active: ActiveSynapses | None, t_stop: float
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Return times and traces, (samples,) each: copies, made before NEURON is touched again."""
        h, rig = self._h, self._place.rig()
        self._set_state()
        rig.time.record(h._ref_t)
        for site, attribute, trace in rig.traces:
            trace.record(getattr(rig.live.sections[site.section](site.x), f"_ref_{attribute}"))
        post = rig.synapses.bind(active) if rig.synapses is not None and active is not None else None
        h.finitialize(self.cell.defaults.v_init)
        if post is not None:
            Place.events += post()
        advance(h, engine_for(self.engine, self._globals), t_stop)
        return np.array(rig.time), [np.array(trace) for _, _, trace in rig.traces]

    def _fault(self, time: NDArray[np.float64], traces: list[NDArray[np.float64]], t_stop: float) -> str | None:
        """What is wrong with what was recorded; None if nothing is."""
        samples, n = n_samples(t_stop, self.dt), len(self.recording.sites)
        names = [f"voltage at {site.label}" for site in self.recording.sites]
        names += [f"{v.name} at {site.label}" for v in self.recording.variables for site in v.sites]
        named = list(zip(names, traces, strict=True))
        end = (samples - 1) * self.dt
        late = f"time ends at {time[-1]:g} ms instead of {end:g} ms" if abs(time[-1] - end) > self.dt / 2 else None
        return (
            first_fault([("time", time)], samples, dt=self.dt, start=0.0, unit="ms")
            or late
            or first_fault(named[:n], samples, dt=self.dt, start=self.cell.defaults.v_init, most=MOST_MV, unit="mV")
            or first_fault(named[n:], samples, dt=self.dt)
        )

    def _synapse_table(self, trial: int, active: ActiveSynapses | None) -> pa.Table:
        labels = self.cell.morphology.labels
        if active is None:
            return tables.SCHEMAS["synapse_activation"].empty_table()
        distinct = list(dict.fromkeys(labels))
        of_section = np.array([distinct.index(label) for label in labels])
        return tables.synapse_activation(
            trial,
            synapse_type_index=active.population,
            **self._population_names(),
            synapse_id=active.synapse_id,
            section_id=active.placement.section_id,
            section_pt_id=active.placement.section_pt_id,
            soma_distance=active.placement.soma_distance,
            label_index=of_section[active.placement.section_id],
            labels=distinct,
            offsets=active.offsets,
            times=active.times,
        )

    def _cell_table(self, trial: int, spikes: Spikes | None) -> pa.Table:
        if spikes is None:
            return tables.SCHEMAS["cell_activation"].empty_table()
        first = np.flatnonzero(
            np.r_[True, (np.diff(spikes.population) != 0) | (np.diff(spikes.cell_id) != 0)][: len(spikes)]
        )
        return tables.cell_activation(
            trial,
            synapse_type_index=spikes.population[first],
            **self._population_names(),
            cell_id=spikes.cell_id[first],
            offsets=np.append(first, len(spikes)),
            times=spikes.time,
        )

    def _places(self, sites: Sequence[RecordingSite]) -> dict[str, list[Any]]:
        return {
            "sites": [s.label for s in sites],
            "section_id": [s.section for s in sites],
            "x": [s.x for s in sites],
            "soma_distance": [s.soma_distance for s in sites],
        }

    def _population_names(self) -> dict[str, list[str]]:
        populations = self.network.populations if self.network is not None else ()
        return {
            "type_names": [p.name for p in populations],
            "celltypes": [p.celltype for p in populations],
            "columns": [p.column for p in populations],
        }


def _input_fault(active: ActiveSynapses | None, spikes: Spikes, t_stop: float) -> str | None:
    """What is wrong with drawn input; a replay's may go on after the end."""
    releases = None if active is None else times_fault("a release", active.times, t_stop)
    return releases or times_fault("a presynaptic spike", spikes.time, t_stop)
