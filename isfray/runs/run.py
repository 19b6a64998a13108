"""From runs that are asked for to runs in progress: what is missing, Ray, the dispatcher's thread, and its end."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from isfray.catalog import Catalog, RunSpec, Session
from isfray.catalog.intervals import committed_ranges, count, missing
from isfray.errors import InputError
from isfray.runs import session
from isfray.runs.dispatch.actors import CatalogActor, RunnerFactory
from isfray.runs.dispatch.dispatcher import Dispatcher
from isfray.runs.dispatch.ledger import Ledger
from isfray.runs.dispatch.limits import Limits
from isfray.runs.dispatch.outbox import Outbox
from isfray.runs.dispatch.queue import Setup, Work
from isfray.runs.handle import RunHandle, SweepHandle
from isfray.runs.mending import mend
from isfray.runs.metrics import Metrics
from isfray.runs.progress import Progress, Reporter, reporter
from isfray.runs.request import Request


def run_trials(
    spec: RunSpec,
    catalog: Catalog | str | os.PathLike[str],
    factory: RunnerFactory,
    *,
    t_stop: float | None,
    **how: Any,
) -> RunHandle:
    """Run what `spec` asks for and the catalog does not have; see `run_sweep` for `how`."""
    return run_sweep(spec.name, {"": Request(spec, factory, t_stop)}, catalog, **how)[""]


def run_sweep(
    name: str,
    requests: Mapping[str, Request],
    catalog: Catalog | str | os.PathLike[str],
    *,
    workers: int | None = None,
    wait: bool = True,
    progress: bool | Literal["json"] = True,
    limits: Limits | None = None,
    prepare: Callable[[], object] | None = None,
) -> SweepHandle:
    """Run what is asked for and the catalog does not have, all runs together.

    Parameters
    ----------
    name : str
        Of the sweep.
    requests : mapping
        The runs by variant.
    catalog : Catalog, str or path
        Where the results go.
    workers, wait, progress
        See `isfray.runs.simulation.simulate`, also for what is returned and raised.
    limits : Limits, optional
        Bounds.
    prepare : callable, optional
        Called once on this machine before a Ray of our own is started on it.
    """
    limits = limits or Limits()
    catalog = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    if catalog.uri.startswith("memory:"):
        raise InputError("is seen by this process only", key="catalog", value=catalog.uri, expected="a folder or s3://")
    opened: dict[str, Session] = {}
    try:
        for one in requests.values():
            opened[one.spec.name] = catalog.open_run(one.spec)
            mend(catalog, one.spec.name, progress)
        works, handles = _prepare(requests, catalog, limits)
    except BaseException:
        _end(catalog, opened, void=True)
        raise
    sweep, shown = SweepHandle(name, catalog, handles), reporter(progress)
    if all(work.ledger.finished for work in works):
        shown.update(sweep.progress())
        shown.close()
        _end(catalog, opened, void=False)
        for handle in sweep.values():
            handle._tell_over((), None)
        return sweep
    try:
        if prepare is not None and session.would_start():
            prepare()
        session.join(min(workers, sum(work.ledger.waiting for work in works)) if workers else None)
    except BaseException:
        _end(catalog, opened, void=True)
        raise
    try:
        dispatcher = Dispatcher(
            name,
            works,
            writer=partial(_catalog_actor, catalog, name),
            wanted=(lambda: workers) if workers else session.cpus,
            progress=_both(shown.update, Metrics(name).update),
            limits=limits,
        )
    except BaseException:
        session.leave()
        _end(catalog, opened, void=True)
        raise
    for handle in sweep.values():
        handle._stop = dispatcher.stop
    thread = threading.Thread(target=_drive, args=(dispatcher, works, sweep, shown, opened), name=f"isfray {name}")
    if wait:
        _wait(sweep, thread, say=progress is True)
    else:
        thread.start()
    return sweep


def _prepare(
    requests: Mapping[str, Request], catalog: Catalog, limits: Limits
) -> tuple[list[Work], dict[str, RunHandle]]:
    """What is left of each run, and a handle for each."""
    works, handles, setups = [], {}, dict[int, Setup]()
    for variant, one in requests.items():
        spec = one.spec
        left = missing(spec.asked, committed_ranges(catalog.snapshot(spec.name).commits[spec.name]))
        ledger = Ledger(left, count(spec.asked) - len(left), limits.max_retries)
        handle = handles[variant] = RunHandle(spec.name, catalog, _at_rest(spec.name, ledger))
        work = Work(
            run=spec.name,
            seed=spec.seed,
            t_stop=one.t_stop,
            setup=setups.setdefault(id(one.factory), Setup(one.factory, one.resources)),
            source=one.source,
            group=one.group,
            ledger=ledger,
            outbox=Outbox(limits.batch_trials, limits.batch_bytes, limits.batch_seconds),
            committed=handle._tell_committed,
            tell=handle._tell,
        )
        works.append(work)
    return works, handles


def _end(catalog: Catalog, opened: Mapping[str, Session], *, void: bool) -> None:
    """Note the ends of sessions; a run that was made in vain goes, so that its name is free for what is mended."""
    for run, its_session in opened.items():
        if void and _is_void(catalog, run):
            catalog.delete(run)
        else:
            catalog.close_run(run, its_session)


def _drive(
    dispatcher: Dispatcher, works: list[Work], sweep: SweepHandle, shown: Reporter, opened: Mapping[str, Session]
) -> None:
    """Run the dispatcher to its end, whatever that is; its own thread."""
    error: BaseException | None = None
    try:
        dispatcher.run()
    except BaseException as raised:
        error = raised
    try:
        shown.close()
        session.leave()
        _end(sweep.catalog, opened, void=isinstance(error, InputError))
    except BaseException as raised:
        error = error or raised
    for work, handle in zip(works, sweep.values(), strict=True):
        handle._tell_over(tuple(work.ledger.failures.values()), error)


def _is_void(catalog: Catalog, run: str) -> bool:
    """Whether the run has no trial and no other call has worked on it."""
    about = catalog.info(run)
    return not about.trials_committed and len(about.sessions) == 1


def _wait(sweep: SweepHandle, thread: threading.Thread, *, say: bool) -> None:
    """Drive to the end; on Ctrl-C or SIGTERM, bring the end about in order."""
    try:
        with session.sigterm_interrupts():
            thread.start()
            sweep.wait()
    except KeyboardInterrupt:
        sweep.cancel()
        if thread.ident is None:
            thread.start()
        sweep.join()
        state = sweep.progress()
        line = (
            f"run {sweep.name} stopped with {state.done} of {state.total} trials in {sweep.catalog.uri}; "
            "the same call goes on from there"
        )
        if say:
            print(line, file=sys.stderr)
        raise KeyboardInterrupt(line) from None


def _catalog_actor(catalog: Catalog, name: str) -> Any:
    # Beside the driver, on whose disk a local catalog is.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0, scheduling_strategy=here)(CatalogActor)
    named = actor.options(name=f"isfray {name} {secrets.token_hex(3)} catalog")
    return named.remote(catalog.uri, catalog.storage.options)


def _both(*told: Callable[[Progress], None]) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        for one in told:
            one(progress)

    return tell


def _at_rest(name: str, ledger: Ledger) -> Progress:
    return Progress(name, ledger.total, ledger.committed, ledger.committed, 0, 0, 0, 0, 0, 0, 0.0)
