"""Run the trials of one cell in one network on Ray, into a catalog."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from isfray.catalog import Catalog, RunSpec, provenance
from isfray.cluster.handle import RunHandle
from isfray.cluster.limits import Limits
from isfray.cluster.run import run_trials
from isfray.engine import Simulator
from isfray.engine.fit import fit
from isfray.engine.integration import chosen_engine, prepare
from isfray.engine.recording import read_recording
from isfray.engine.simulator import positive
from isfray.model.cell import CellModel
from isfray.model.clamp import Clamps, CurrentClamp, read_clamps
from isfray.model.errors import InputError
from isfray.model.network import NetworkModel


@dataclass(frozen=True)
class SimulatorFactory:
    """Builds the simulator of a run in the process that will use it."""

    cell: CellModel
    network: NetworkModel | None
    engine: str
    clamp: tuple[CurrentClamp, ...]
    record: str | tuple[str, ...]

    def __call__(self) -> Simulator:
        """Build it."""
        return Simulator(self.cell, self.network, engine=self.engine, clamp=self.clamp, record=self.record)


def simulate(
    cell: CellModel,
    network: NetworkModel | None,
    catalog: Catalog | str | os.PathLike[str],
    *,
    run: str,
    trials: int,
    seed: int = 0,
    t_stop: float | None = None,
    engine: str | None = None,
    clamp: Clamps = (),
    record: str | Iterable[str] = "sites",
    workers: int | None = None,
    wait: bool = True,
    progress: bool = True,
    batch_trials: int = 25,
    batch_seconds: float = 5.0,
    max_retries: int = 3,
    trial_timeout: float | None = None,
) -> RunHandle:
    """Simulate trials 0 to `trials` - 1 of a run on Ray; those already in the catalog are left as they are.

    Uses the Ray cluster this process is connected to, or that of `RAY_ADDRESS`; otherwise starts Ray on this machine
    and ends it afterwards. The same call resumes a run that was interrupted, and with more trials extends it.

    Parameters
    ----------
    cell : CellModel
        From `load_cell`.
    network : NetworkModel, optional
        From `load_network`; None for a cell without synapses.
    catalog : Catalog, str or path
        Where the results go.
    run : str
        Name of the run. A name that is there already must have the same models, seed and settings.
    trials : int
        Number of trials in all, at least 1.
    seed : int
        Run seed; trial k is the same whoever simulates it.
    t_stop : float, optional
        Simulated time, ms; the cell file's by default.
    engine, clamp, record
        As `Simulator` takes them.
    workers : int, optional
        Simulation actors wanted, one CPU each; by default as many as the cluster has CPUs, also as it grows. Fewer are
        used as they come.
    wait : bool
        Return when the run is over; otherwise at once, and the run goes on in a thread of this process.
    progress : bool
        Show progress on stderr.
    batch_trials : int
        Trials written together at most.
    batch_seconds : float
        Longest time a simulated trial waits for its batch to fill, s.
    max_retries : int
        How often a trial is begun again after its process died.
    trial_timeout : float, optional
        Seconds after which a trial counts as stuck; by default 20 times the median, at least 60.

    Returns
    -------
    RunHandle

    Raises
    ------
    InputError
        If an argument is wrong or the catalog cannot be written: before Ray is started.
    TrialError
        If trials failed for reasons of their own; all others are committed.
    RunError
        If the run could not go on; what is committed stays.
    KeyboardInterrupt
        On Ctrl-C or SIGTERM, after what was simulated has been written.
    """
    _whole("trials", trials, 1)
    _whole("seed", seed, 0)
    _whole("max_retries", max_retries, 0)
    _whole("batch_trials", batch_trials, 1)
    if workers is not None:
        _whole("workers", workers, 1)
    if trial_timeout is not None:
        _duration("trial_timeout", trial_timeout, "s")
    _duration("batch_seconds", batch_seconds, "s")
    if not isinstance(cell, CellModel):
        raise InputError("is not a cell model", key="cell", value=cell, expected="what isfray.load_cell returns")
    if network is not None and not isinstance(network, NetworkModel):
        raise InputError(
            "is not a network model", key="network", value=network, expected="what isfray.load_network returns, or None"
        )
    t_stop = positive("t_stop", cell.defaults.t_stop if t_stop is None else t_stop)
    engine = chosen_engine(engine)
    clamps = read_clamps(clamp, cell.morphology.labels)
    recorded = record if isinstance(record, str) else tuple(record)
    read_recording(cell, recorded)
    fit(cell, network)
    inputs = {"cell": cell.inputs} | ({} if network is None else {"network": network.inputs})
    spec = RunSpec(
        name=run,
        seed=int(seed),
        settings={
            "t_stop": t_stop,
            "dt": cell.defaults.dt,
            "engine": engine,
            "record": recorded,
            "clamp": [asdict(one) for one in clamps],
        },
        inputs=inputs,
        trials=int(trials),
        provenance=provenance(),
    )
    limits = Limits(
        batch_trials=batch_trials,
        batch_seconds=batch_seconds,
        max_retries=max_retries,
        trial_timeout=trial_timeout,
    )
    factory = SimulatorFactory(cell, network, engine, clamps, recorded)
    return run_trials(
        spec,
        catalog,
        factory,
        t_stop=t_stop,
        workers=workers,
        wait=wait,
        progress=progress,
        limits=limits,
        prepare=partial(prepare, engine),
    )


def _whole(key: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError("is not valid", key=key, value=value, expected=f"a whole number of at least {least}")


def _duration(key: str, value: Any, unit: str) -> None:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise InputError("is not valid", key=key, value=value, expected=f"a number of {unit} above 0")
