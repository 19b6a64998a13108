"""Run the trials of a cell in a network, or of several variants of them, on Ray, into a catalog."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Literal, TypedDict, Unpack, overload

from isfray.activity import InputSource
from isfray.catalog import Catalog
from isfray.catalog.runs import check_name
from isfray.check import number, whole
from isfray.engine import Engine
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.clamp import Clamps
from isfray.model.mechanisms import MechanismSet
from isfray.model.network import NetworkModel
from isfray.runs import session
from isfray.runs.dispatch.limits import Limits
from isfray.runs.handle import RunHandle, SweepHandle
from isfray.runs.request import MAX_SEED, Requests, Variant, variant_requests
from isfray.runs.run import run_sweep


class Keywords(TypedDict, total=False):
    """Keywords of `simulate` beside `run`, `trials` and `variants`."""

    seed: int
    t_stop: float | None
    engine: str | type[Engine] | None
    clamp: Clamps
    record: str | Iterable[str]
    inputs: InputSource | None
    workers: int | None
    wait: bool
    progress: bool | Literal["json"]
    batch_trials: int
    batch_seconds: float
    max_retries: int
    trial_timeout: float | None


@overload
def simulate(
    cell: CellModel,
    network: NetworkModel | None,
    catalog: Catalog | str | os.PathLike[str],
    *,
    run: str,
    trials: int | Iterable[int],
    variants: None = None,
    **settings: Unpack[Keywords],
) -> RunHandle: ...


@overload
def simulate(
    cell: CellModel,
    network: NetworkModel | None,
    catalog: Catalog | str | os.PathLike[str],
    *,
    run: str,
    trials: int | Iterable[int],
    variants: Mapping[str, Variant],
    **settings: Unpack[Keywords],
) -> SweepHandle: ...


def simulate(
    cell: CellModel,
    network: NetworkModel | None,
    catalog: Catalog | str | os.PathLike[str],
    *,
    run: str,
    trials: int | Iterable[int],
    variants: Mapping[str, Variant] | None = None,
    seed: int = 0,
    t_stop: float | None = None,
    engine: str | type[Engine] | None = None,
    clamp: Clamps = (),
    record: str | Iterable[str] = "sites",
    inputs: InputSource | None = None,
    workers: int | None = None,
    wait: bool = True,
    progress: bool | Literal["json"] = True,
    batch_trials: int = Limits.batch_trials,
    batch_seconds: float = Limits.batch_seconds,
    max_retries: int = Limits.max_retries,
    trial_timeout: float | None = None,
) -> RunHandle | SweepHandle:
    """Simulate trials of a run on Ray; those already in the catalog are left as they are.

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
    trials : int or iterable of int
        Number of trials in all, from trial 0 on: 1 to 10 million, or to what the environment variable
        `ISFRAY_MAX_TRIALS` says. Or the numbers of the trials: `range(100, 200)`, `[3, 17]`.
    variants : mapping, optional
        Several runs in one call: by name, what each has of its own among `cell`, `network`, `trials`, `t_stop`,
        `engine`, `clamp`, `record` and `inputs`; an empty mapping for what is given here. The run of variant V is
        called RUN.V.
        All have the same seed, so that trial k has the same input in every variant, as far as their networks agree.
        They share the actors, each of which stays with a variant while that has trials.
    seed : int
        Run seed; trial k is the same whoever simulates it.
    t_stop : float, optional
        Simulated time, ms; the cell file's by default.
    engine, clamp, record
        As `Simulator` takes them.
    inputs : InputSource, optional
        Where the input of trials comes from, an `isfray.activity.InputSource`; by default it is drawn from the network.
    workers : int, optional
        Simulation actors wanted, one CPU each; by default as many as the cluster has CPUs, also as it grows. Fewer are
        used as they come. An autoscaling cluster grows for those that are wanted.
    wait : bool
        Return when the run is over; otherwise at once, and the run goes on in a thread of this process.
    progress : bool or "json"
        Show progress on stderr; "json" as one JSON object a line, with what happens to workers.
    batch_trials : int
        Trials written together; more if they come faster than they can be written.
    batch_seconds : float
        Longest time a simulated trial waits for its batch to fill, s.
    max_retries : int
        How often a trial is begun again after its process died.
    trial_timeout : float, optional
        Seconds after which a trial counts as stuck; by default 20 times the median of its run, at least 60.

    Returns
    -------
    RunHandle, or SweepHandle with `variants`

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

    Examples
    --------
    >>> no_VPM = isfray.edits.silence_populations(network, "VPM")
    >>> variants = {"control": {}, "no_VPM": {"network": no_VPM}, "longer": {"t_stop": 60.0}}
    >>> sweep = isfray.simulate(
    ...     cell, network, "sweeps", run="touch", trials=2, t_stop=40.0, variants=variants, progress=False
    ... )
    >>> sweep["no_VPM"]
    <RunHandle touch.no_VPM: 2 of 2 trials committed>
    >>> sweep.catalog.runs()
    ['touch.control', 'touch.longer', 'touch.no_VPM']
    """
    begin = request(
        cell,
        network,
        catalog,
        run=run,
        trials=trials,
        variants=variants,
        seed=seed,
        t_stop=t_stop,
        engine=engine,
        clamp=clamp,
        record=record,
        inputs=inputs,
        workers=workers,
        wait=wait,
        progress=progress,
        batch_trials=batch_trials,
        batch_seconds=batch_seconds,
        max_retries=max_retries,
        trial_timeout=trial_timeout,
    )
    return begin()


def request(
    cell: CellModel,
    network: NetworkModel | None,
    catalog: Catalog | str | os.PathLike[str],
    *,
    run: str,
    trials: int | Iterable[int],
    variants: Mapping[str, Variant] | None = None,
    seed: int = 0,
    workers: int | None = None,
    wait: bool = True,
    progress: bool | Literal["json"] = True,
    batch_trials: int = Limits.batch_trials,
    batch_seconds: float = Limits.batch_seconds,
    max_retries: int = Limits.max_retries,
    trial_timeout: float | None = None,
    t_stop: float | None = None,
    engine: str | type[Engine] | None = None,
    clamp: Clamps = (),
    record: str | Iterable[str] = "sites",
    inputs: InputSource | None = None,
) -> Callable[[], RunHandle | SweepHandle]:
    """Check what `simulate` is asked for, and return what begins it: InputError before anything is stored."""
    seed, workers = whole("seed", seed, 0, MAX_SEED), session.check_workers(workers)
    limits = Limits(
        batch_trials=whole("batch_trials", batch_trials, 1),
        batch_seconds=number("batch_seconds", batch_seconds, above=0.0, unit="s"),
        max_retries=whole("max_retries", max_retries, 0),
        trial_timeout=None if trial_timeout is None else number("trial_timeout", trial_timeout, above=0.0, unit="s"),
    )
    if progress not in (True, False, "json"):
        raise InputError("is no way to show progress", key="progress", value=progress, expected='True, False or "json"')
    check_name(run)
    common: Variant = {
        "cell": cell,
        "network": network,
        "trials": trials,
        "t_stop": t_stop,
        "engine": engine,
        "clamp": clamp,
        "record": record,
        "inputs": inputs,
    }
    check = Requests(seed)
    requests = {"": check(run, common)} if variants is None else variant_requests(check, run, common, variants)
    place = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    for one in requests.values():
        place.check_run(one.spec)

    def begin() -> RunHandle | SweepHandle:
        sweep = run_sweep(
            run,
            requests,
            place,
            workers=workers,
            wait=wait,
            progress=progress,
            limits=limits,
            prepare=partial(_prepare, check.builds),
        )
        return sweep[""] if variants is None else sweep

    return begin


def _prepare(builds: set[tuple[type[Engine], MechanismSet]]) -> None:
    for engine, mechanisms in sorted(builds, key=lambda build: build[0].name):
        engine.prepare(mechanisms)
