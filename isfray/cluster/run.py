"""From a run that is asked for to a run in progress: what is missing, Ray, the dispatcher's thread, and its end."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from isfray.catalog import Catalog, RunSpec, Session
from isfray.cluster import session
from isfray.cluster.actors import CatalogActor, RunnerFactory
from isfray.cluster.dispatch import Dispatcher
from isfray.cluster.handle import RunHandle
from isfray.cluster.ledger import Ledger
from isfray.cluster.limits import Limits
from isfray.cluster.progress import Progress, Reporter, reporter
from isfray.model.errors import InputError


def run_trials(
    spec: RunSpec,
    catalog: Catalog | str | os.PathLike[str],
    factory: RunnerFactory,
    *,
    t_stop: float | None,
    workers: int | None = None,
    wait: bool = True,
    progress: bool = True,
    limits: Limits | None = None,
    prepare: Callable[[], object] | None = None,
) -> RunHandle:
    """Run what `spec` asks for and the catalog does not have.

    Parameters
    ----------
    spec : RunSpec
        The run: trials 0 to `spec.trials` - 1.
    catalog : Catalog, str or path
        Where the results go.
    factory : callable
        Builds, in an actor, what simulates.
    t_stop : float, optional
        Simulated time, ms.
    workers, wait, progress
        See `isfray.cluster.simulation.simulate`, also for what is returned and raised.
    limits : Limits, optional
        Bounds.
    prepare : callable, optional
        Called once on this machine before a Ray of our own is started on it.
    """
    limits = limits or Limits()
    catalog = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    if catalog.uri.startswith("memory:"):
        raise InputError("is seen by this process only", key="catalog", value=catalog.uri, expected="a folder or s3://")
    opened = catalog.open_run(spec)
    missing = np.setdiff1d(np.arange(spec.trials, dtype=np.int32), catalog.committed_trials(spec.name))
    ledger = Ledger(missing, spec.trials - len(missing), limits.max_retries)
    shown = reporter(progress)
    handle = RunHandle(spec.name, catalog, _at_rest(spec.name, ledger))
    if ledger.finished:
        shown.update(handle.progress())
        shown.close()
        catalog.close_run(spec.name, opened)
        handle._tell_over((), None)
        return handle
    if prepare is not None and session.would_start():
        prepare()
    session.join(min(workers, len(missing)) if workers else None)
    try:
        dispatcher = Dispatcher(
            spec.name,
            ledger,
            seed=spec.seed,
            t_stop=t_stop,
            factory=factory,
            writer=lambda: _catalog_actor(catalog, spec.name),
            wanted=(lambda: workers) if workers else session.cpus,
            committed=handle._tell_committed,
            progress=_both(handle, shown),
            limits=limits,
        )
    except BaseException:
        session.leave()
        raise
    handle._stop = dispatcher.stop
    thread = threading.Thread(target=_drive, args=(dispatcher, handle, shown, opened), name=f"isfray {spec.name}")
    if wait:
        return _wait(handle, thread, say=progress)
    thread.start()
    return handle


def _drive(dispatcher: Dispatcher, handle: RunHandle, shown: Reporter, opened: Session) -> None:
    """Run the dispatcher to its end, whatever that is; its own thread."""
    error: BaseException | None = None
    try:
        dispatcher.run()
    except BaseException as raised:
        error = raised
    try:
        shown.close()
        session.leave()
        if isinstance(error, InputError) and _is_void(handle):
            handle.catalog.delete(handle.name)  # so that the name is free for the mended models
        else:
            handle.catalog.close_run(handle.name, opened)
    except BaseException as raised:
        error = error or raised
    handle._tell_over(tuple(dispatcher.ledger.failures.values()), error)


def _is_void(handle: RunHandle) -> bool:
    """Whether the run has no trial and no other call has worked on it."""
    about = handle.catalog.info(handle.name)
    return not about.trials_committed and len(about.sessions) == 1


def _wait(handle: RunHandle, thread: threading.Thread, *, say: bool) -> RunHandle:
    """Drive to the end; on Ctrl-C or SIGTERM, bring the end about in order."""
    try:
        with session.sigterm_interrupts():
            thread.start()
            return handle.wait()
    except KeyboardInterrupt:
        handle.cancel()
        if thread.ident is None:
            thread.start()
        handle.join()
        state = handle.progress()
        line = (
            f"run {handle.name} stopped with {state.done} of {state.total} trials in {handle.catalog.uri}; "
            "the same call goes on from there"
        )
        if say:
            print(line, file=sys.stderr)
        raise KeyboardInterrupt(line) from None


def _catalog_actor(catalog: Catalog, run: str) -> Any:
    # Beside the driver, on whose disk a local catalog is.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0, scheduling_strategy=here)(CatalogActor)
    return actor.remote(catalog.uri, catalog.storage.options, run)


def _at_rest(name: str, ledger: Ledger) -> Progress:
    return Progress(name, ledger.total, ledger.committed, ledger.committed, 0, 0, 0, 0, 0, 0, 0.0)


def _both(handle: RunHandle, shown: Reporter) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        handle._tell(progress)
        shown.update(progress)

    return tell
