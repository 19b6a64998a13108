"""The dispatcher: keeps every actor busy, and every trial accounted for, until the run is in the catalog.

It runs in the driver and sees only small outcomes; tables go from the object store of the node that simulated them to
the catalog actor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import ray

from isfray.activity import trial_seed
from isfray.cluster.actors import Outcome, RunnerFactory
from isfray.cluster.crew import Crew
from isfray.cluster.events import Events
from isfray.cluster.failures import RunError
from isfray.cluster.ledger import Ledger
from isfray.cluster.limits import Limits
from isfray.cluster.outbox import Outbox, Parcel
from isfray.cluster.post import Post
from isfray.cluster.progress import Progress

TICK = 0.5  # s between two looks at the clock


class Dispatcher:
    """Runs the trials of one ledger.

    Parameters
    ----------
    run : str
        Name of the run.
    ledger : Ledger
        Its trials.
    seed : int
        Run seed; trial k is simulated with `trial_seed(seed, k)`.
    t_stop : float, optional
        Simulated time, ms.
    factory : callable
        Builds a runner in an actor.
    writer : callable
        Starts a catalog actor.
    wanted : callable
        How many simulation actors are wanted now.
    committed : callable
        Told the trials of each batch once they are in the catalog.
    progress : callable
        Told how far the run is, twice a second.
    limits : Limits
        Bounds.
    """

    def __init__(
        self,
        run: str,
        ledger: Ledger,
        *,
        seed: int,
        t_stop: float | None,
        factory: RunnerFactory,
        writer: Callable[[], Any],
        wanted: Callable[[], int],
        committed: Callable[[Sequence[int]], None],
        progress: Callable[[Progress], None],
        limits: Limits,
    ) -> None:
        self.name, self.ledger, self.limits = run, ledger, limits
        self._tell = progress
        self._events = Events()
        self._outbox = Outbox(
            limits.batch_trials,
            limits.batch_bytes,
            limits.batch_seconds,
            limits.unwritten_bytes,
            limits.unwritten_trials,
        )
        clock = time.monotonic
        self._clock, self._begun, self._before = clock, clock(), ledger.committed
        self._post = Post(ledger, self._outbox, self._events, limits, hire=writer, committed=committed, clock=clock)
        self._crew = Crew(
            run,
            ledger,
            self._events,
            limits,
            factory=ray.put(factory),
            call=lambda trial: (trial_seed(seed, trial), t_stop),
            simulated=self._simulated,
            wanted=wanted,
            clock=clock,
        )
        self._stopped = False

    def stop(self) -> None:
        """End early: begin nothing more, write what is simulated. From any thread."""
        self._events.put(self._stop)

    def run(self) -> None:
        """Return when every trial is committed or failed, or the run was stopped.

        Raises
        ------
        RunError
            If no actor can be started, or the catalog cannot be written.
        InputError
            If the runner refuses its models or settings.
        """
        ledger, tick = self.ledger, 0.0
        try:
            while not (ledger.finished or self._stopped):
                if self._clock() >= tick:
                    tick = self._clock() + TICK
                    self._crew.tend()
                    self._tell(self.progress())
                if not self._outbox.full:
                    self._crew.feed()
                self._post.send(flush=not (ledger.waiting or ledger.leased))
                self._events.handle(self._sleep())
            if self._stopped:
                self._write_last()
        except RunError as error:
            raise RunError(
                f"run {self.name} stopped with {ledger.committed} of {ledger.total} trials in the catalog: {error}"
            ) from None
        finally:
            self._crew.end("the run is over")
            self._post.end()
            self._tell(self.progress())

    def progress(self) -> Progress:
        """How far the run is."""
        ledger = self.ledger
        return Progress(
            run=self.name,
            total=ledger.total,
            done=ledger.committed,
            before=self._before,
            running=min(ledger.leased, self._crew.ready),
            unwritten=ledger.held,
            retried=ledger.retried,
            failed=len(ledger.failures),
            workers=self._crew.ready,
            bytes_written=self._post.bytes_written,
            seconds=self._clock() - self._begun,
        )

    def _stop(self) -> None:
        self._stopped = True

    def _simulated(self, outcome: Outcome, tables: Any, now: float) -> None:
        self._outbox.add(Parcel(outcome.trial, tables, outcome.nbytes, now))

    def _sleep(self) -> float:
        due = self._post.due()
        return TICK if due is None else min(TICK, due)

    def _write_last(self) -> None:
        self._crew.end("the run was stopped")
        deadline = self._clock() + self.limits.farewell
        while self.ledger.held and self._clock() < deadline:
            self._post.send(flush=True)
            self._events.handle(self._sleep())
