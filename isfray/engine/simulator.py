"""A cell and its network, ready for trial after trial in this process, with any engine."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Sequence
from typing import Any

from isfray.activity import Drawn, Stored, TrialSpec
from isfray.check import number
from isfray.engine.engine import Engine, Task
from isfray.engine.fit import check_models, fit
from isfray.engine.kinds import engine_kind
from isfray.engine.recording import check_size, read_recording
from isfray.engine.result import TrialResult, fault, trial_result
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.clamp import Clamps, read_clamps
from isfray.model.embedding import Embedding
from isfray.model.network import NetworkModel
from isfray.model.ranges import TIME_STEP
from isfray.model.soundness import UnsoundTrialError


class Simulator:
    """A cell in this process's NEURON, with its network's synapses, ready for any number of trials.

    Parameters
    ----------
    cell : CellModel
    network : NetworkModel, optional
        Without it the cell has no synapses.
    engine : str or class, optional
        "coreneuron" (the default where NEURON comes with it) or "neuron": the same steps, several times slower; or a
        subclass of `isfray.engine.Engine`.
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
        engine: str | type[Engine] | None = None,
        clamp: Clamps = (),
        record: str | Sequence[str] = "sites",
        share_synapses: bool = True,
        dt: float | None = None,
    ) -> None:
        check_models(cell, network)
        self.cell, self.network = cell, network
        self.dt = number("dt", cell.defaults.dt if dt is None else dt, **TIME_STEP)
        self.recording = read_recording(cell, record)
        electrodes, kind = read_clamps(clamp, cell.morphology.labels), engine_kind(engine)
        fitted = fit(cell, network)
        embedding = Embedding(cell, network, fitted.placement)
        self.task = Task(embedding, fitted.neuron_globals, electrodes, self.recording, self.dt, share_synapses)
        kind.check(self.task)
        self.engine = kind.name
        self._engine = kind(self.task)

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
        if self.network is not None and seed is None:
            raise InputError("is missing", key="seed", expected="the trial's seed, an integer >= 0")
        return self._one(TrialSpec(trial, seed or 0, Drawn()), t_stop)

    def trials(
        self, trials: Sequence[TrialSpec], t_stop: float | None = None
    ) -> Iterator[TrialResult | UnsoundTrialError]:
        """Simulate a group of trials, which the engine takes at once.

        Parameters
        ----------
        trials : sequence of TrialSpec
            What is asked for; an engine says how many it takes (`Engine.group`).
        t_stop : float, optional
            End in ms; the cell file's by default.

        Yields
        ------
        TrialResult, or UnsoundTrialError
            For each trial, in order; the error in place of one whose recorded values cannot be, so that others go on.

        Raises
        ------
        InputError
            As `run`, and as the source of a trial's input.

        Examples
        --------
        >>> from isfray.activity import TrialSpec
        >>> simulator = isfray.Simulator(cell, network)
        >>> specs = [TrialSpec(k, isfray.trial_seed(7, k)) for k in range(2)]
        >>> [result.tables["trials"]["n_releases"][0].as_py() for result in simulator.trials(specs, t_stop=20.0)]
        [163, 173]
        """
        end = self._end(t_stop)
        began = clock.perf_counter()
        given = [trial.source.input(trial, self.task.embedding, end) for trial in trials]
        recorded = self._engine.run(given, end)
        for trial, its_input, found in zip(trials, given, recorded, strict=True):
            if wrong := fault(self.task, its_input, found, end):
                yield UnsoundTrialError({trial.number: wrong})
            else:
                took = clock.perf_counter() - began
                yield trial_result(self.task, trial, its_input, found, t_stop=end, engine=self.engine, wall_s=took)
            began = clock.perf_counter()

    def _one(self, trial: TrialSpec, t_stop: float | None) -> TrialResult:
        (result,) = self.trials([trial], t_stop)
        if isinstance(result, UnsoundTrialError):
            raise result
        return result

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
        return self._one(TrialSpec(trial, seed, Stored(releases)), t_stop)
