"""The simulation actors of a call: asked for, fed with trials, watched, replaced, let go."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from isfray.runs.dispatch.actors import Outcome, PackedRef, Place
from isfray.runs.dispatch.events import Events
from isfray.runs.dispatch.failures import RunError
from isfray.runs.dispatch.limits import Limits
from isfray.runs.dispatch.outbox import TrialTables
from isfray.runs.dispatch.queue import Queue, Setup, Work
from isfray.runs.dispatch.workers import Call, Worker, death, hire

log = logging.getLogger(__name__)

IN_FLIGHT = 2  # groups of trials per actor: one runs, one is queued behind it
IDLE_SECONDS = 30.0  # an actor that has had no trial for so long goes back to the cluster


class Crew:
    """Simulation actors and the trials they have.

    Parameters
    ----------
    name : str
        Of the run or sweep.
    queue : Queue
        The trials to do.
    events : Events
        Where answers arrive.
    wanted : callable
        How many actors are wanted now.
    """

    def __init__(
        self,
        name: str,
        queue: Queue,
        events: Events,
        limits: Limits,
        *,
        wanted: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._name, self._queue, self._events, self._limits = name, queue, events, limits
        self._wanted, self._clock = wanted, clock
        self._token = uuid.uuid4().hex[:6]
        self._workers: set[Worker] = set()
        self._hungry: dict[Worker, None] = {}
        self._crowd: Counter[Setup] = Counter()
        self._hired = self._stillborn = 0
        self._hire_after = 0.0
        self.ready = 0
        """Actors whose runner is built."""

    def tend(self) -> None:
        """Do what is due by the clock: ask for actors, let idle ones go, end stuck ones."""
        now = self._clock()
        patience = {work: self._limits.patience(work.seconds) for work in self._queue.works}
        waiting, leased = self._queue.waiting, self._queue.leased
        wanted = min(max(1, self._wanted()), waiting + leased)
        while len(self._workers) < wanted and now >= self._hire_after:
            setup = self._queue.neediest(self._crowd)
            assert setup is not None
            worker = hire(setup, f"isfray {self._name} {self._token} simulation {self._hired}")
            self._hired += 1
            self._workers.add(worker)
            self._crowd[setup] += 1
            self._events.watch(worker.build(), partial(self._started, worker))
        for worker in list(self._workers):
            if worker.calls:
                call = next(iter(worker.calls))
                timeout = patience[call.work] * len(call.trials)
                if not worker.ending and now - worker.idle_since > timeout:
                    log.info(
                        "trial %d on %s is stuck for %.0f s; trying it elsewhere", call.trials[0], worker.name, timeout
                    )
                    worker.end(f"no result within {timeout:.0f} s")
            elif not self._queue.has_work(worker.setup) and (
                not worker.ready or not leased or now - worker.idle_since > IDLE_SECONDS
            ):
                self._dismiss(worker)

    def feed(self) -> None:
        """Give waiting trials to actors that have room."""
        now, waiting = self._clock(), self._queue.waiting
        # When few trials are left, queueing one behind another would keep it from an idle actor. When a process dies
        # at once, the answer of the trial before may be lost with it, which would then be blamed again and again.
        depth = IN_FLIGHT if waiting > self.ready and not self._queue.suspects else 1
        for worker in list(self._hungry):
            while waiting > 0 and len(worker.calls) < depth:
                leased = self._queue.lease(worker.setup, self._crowd)
                if leased is None:
                    break
                waiting -= len(leased[1])
                self._crowd[worker.setup] -= 1
                call, outcomes = worker.send(*leased, now)
                self._crowd[worker.setup] += 1
                self._events.watch(outcomes, partial(self._returned, worker, call))
            if worker.calls:  # else it waits for trials that it can do
                del self._hungry[worker]

    def end(self, why: str) -> None:
        """End every actor; what they have comes back to the ledger as their ends are noticed."""
        for worker in self._workers:
            worker.end(why, blame=False)

    def _started(self, worker: Worker, future: Future[Place]) -> None:
        if worker not in self._workers or worker.ending:
            return
        try:
            place = future.result()
        except Exception as error:
            self._not_started(worker, death(error))
            return
        if place.trouble is not None:
            if place.trouble.mistake is not None:
                raise place.trouble.mistake
            self._not_started(worker, place.trouble.error)
            return
        worker.node, worker.ready, worker.idle_since = place.node, True, self._clock()
        self._hungry[worker] = None
        self._stillborn = 0
        self.ready += 1

    def _not_started(self, worker: Worker, line: str) -> None:
        log.info("%s could not start: %s", worker.name, line)
        self._dismiss(worker)
        pauses = self._limits.pauses
        if self._stillborn >= len(pauses) and not self.ready:
            raise RunError(f"no simulation actor could start ({line})")
        self._hire_after = self._clock() + pauses[min(self._stillborn, len(pauses) - 1)]
        self._stillborn += 1

    def _returned(self, worker: Worker, call: Call, future: Future[list[Outcome]]) -> None:
        now = self._clock()
        try:
            outcomes = future.result()
        except Exception as error:
            call.error = error
            self._hungry.pop(worker, None)
            worker.end()
            self._bury_if_dead(worker)
            return
        worker.finish(call, now)
        for outcome, tables in zip(outcomes, call.tables, strict=True):
            self._account(worker, call.work, outcome, tables, now)
        memory = outcomes[-1].memory
        worker.memory = worker.memory or memory
        worker.retiring = worker.retiring or memory > worker.memory + self._limits.memory_growth
        if worker.ending:
            self._bury_if_dead(worker)
        elif not worker.retiring:
            self._hungry[worker] = None
        elif not worker.calls:
            log.info("%s has grown to %.0f MB; replacing it", worker.name, memory / 1e6)
            self._dismiss(worker)

    def _account(self, worker: Worker, work: Work, outcome: Outcome, tables: PackedRef, now: float) -> None:
        """Account for a trial that came back."""
        trial, trouble = outcome.trial, outcome.trouble
        if trouble is None:
            work.seconds.append(outcome.seconds)
            work.ledger.hold(trial)
            work.outbox.add(TrialTables(trial, tables, outcome.nbytes, now))
        elif trouble.machine:
            work.ledger.blame(trial, trouble.error, trouble.trace)
            worker.end(trouble.error, blame=False)
        else:
            work.ledger.fail(trial, trouble.error, trouble.trace)

    def _bury_if_dead(self, worker: Worker) -> None:
        """Account for the trials of a dead actor once all have answered.

        Only those that ran can be to blame, and not if the node was lost; of a group it is not known which.
        """
        if worker not in self._workers or not worker.all_lost:
            return
        self._dismiss(worker)
        preempted = bool(worker.calls) and worker.preempted()
        log.info("%s is gone (%s)", worker.name, "its node was lost" if preempted else worker.ending)
        for position, call in enumerate(worker.calls):
            for trial in call.trials:
                if position or preempted or not worker.blame:
                    call.work.ledger.release(trial, begun=not position)
                elif len(call.trials) > 1:
                    call.work.ledger.suspect(trial)
                else:
                    call.work.ledger.blame(trial, worker.ending)
        worker.calls.clear()

    def _dismiss(self, worker: Worker) -> None:
        if worker in self._workers:
            self._workers.discard(worker)
            self._crowd[worker.setup] -= 1
        self._hungry.pop(worker, None)
        self.ready -= worker.ready
        worker.end("it is not needed any more")
