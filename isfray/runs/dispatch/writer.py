"""From the outbox to the catalog: batches go to the catalog actor, again if it dies or storage fails for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import ray

from isfray.runs.dispatch.actors import Written
from isfray.runs.dispatch.events import Events
from isfray.runs.dispatch.failures import RunError
from isfray.runs.dispatch.limits import Limits
from isfray.runs.dispatch.outbox import Batch
from isfray.runs.dispatch.queue import Queue, Work
from isfray.runs.dispatch.workers import death

log = logging.getLogger(__name__)

IN_FLIGHT = 2  # batches with the catalog actor: one is written, one is queued behind it


class Writer:
    """Writes batches, a bounded number at a time.

    Parameters
    ----------
    queue, events
        What waits to be written, and where answers arrive.
    hire : callable
        Starts a catalog actor.
    """

    def __init__(
        self,
        queue: Queue,
        events: Events,
        limits: Limits,
        *,
        hire: Callable[[], Any],
        clock: Callable[[], float],
    ) -> None:
        self._queue, self._events, self._limits = queue, events, limits
        self._hire, self._clock = hire, clock
        self._actor: Any = None
        self._writing = self._failed = 0
        self._after = 0.0

    @property
    def full(self) -> bool:
        """Whether writing has fallen so far behind that simulation must wait."""
        outboxes, limits = [work.outbox for work in self._queue.works], self._limits
        return (
            sum(outbox.unwritten_bytes for outbox in outboxes) >= limits.unwritten_bytes
            or sum(outbox.unwritten_trials for outbox in outboxes) >= limits.unwritten_trials
        )

    def send(self, *, flush: bool = False) -> None:
        """Hand batches that are ready (with `flush`, whatever waits) to the catalog actor."""
        now, flush = self._clock(), flush or self.full
        for work in self._queue.works:
            last = not (work.ledger.waiting or work.ledger.leased)
            while self._writing < IN_FLIGHT and now >= self._after:
                batch = work.outbox.take(now, flush=flush or last)
                if batch is None:
                    break
                self._actor = self._actor or self._hire()
                write = self._actor.write.options(name=f"CatalogActor.write {work.run}")
                written = write.remote(work.run, [p.trial for p in batch], [p.tables for p in batch])
                self._writing += 1
                self._events.watch(written, partial(self._returned, self._actor, work, batch))

    def due(self) -> float | None:
        """Seconds until `send` may have something to do without a further answer; None if there is no such time."""
        now = self._clock()
        if self._writing == IN_FLIGHT:
            return None
        waiting = [due for work in self._queue.works if (due := work.outbox.due(now)) is not None]
        return max(min(waiting), self._after - now) if waiting else None

    def end(self) -> None:
        """End the catalog actor."""
        if self._actor is not None:
            ray.kill(self._actor)
            self._actor = None

    def _returned(self, writer: Any, work: Work, batch: Batch, future: Future[Written]) -> None:
        self._writing -= 1
        try:
            written = future.result()
        except Exception as error:
            if writer is self._actor:
                self.end()
                self._not_written(f"the catalog actor died: {death(error)}")
            work.outbox.put_back(batch)
            return
        if written.trouble is not None:
            work.outbox.put_back(batch)
            if written.trouble.lasting:
                raise RunError(written.trouble.error)
            self._not_written(written.trouble.error)
            return
        self._failed = 0
        work.bytes_written += written.nbytes
        for one in batch:
            work.outbox.settle(one)
        for trial in written.lost:
            log.info("the tables of trial %d were lost before they were written; simulating it again", trial)
            work.ledger.drop(trial)
        for trial, fault in written.wrong.items():
            work.ledger.fail(trial, fault)
        left_out = {*written.lost, *written.wrong}
        done = [one.trial for one in batch if one.trial not in left_out]
        work.ledger.commit(done)
        work.committed(done)

    def _not_written(self, line: str) -> None:
        log.info("a batch could not be written: %s", line)
        if self._failed >= len(self._limits.pauses):
            raise RunError(line)
        self._after = self._clock() + self._limits.pauses[self._failed]
        self._failed += 1
