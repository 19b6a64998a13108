"""From the outbox to the catalog: batches go to the catalog actor, again if it dies or storage fails for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import ray

from isfray.cluster.actors import Written
from isfray.cluster.events import Events
from isfray.cluster.failures import RunError
from isfray.cluster.ledger import Ledger
from isfray.cluster.limits import Limits
from isfray.cluster.outbox import Batch, Outbox
from isfray.cluster.workers import death

log = logging.getLogger(__name__)

IN_FLIGHT = 2  # batches with the catalog actor: one is written, one is queued behind it


class Post:
    """Writes batches, a bounded number at a time.

    Parameters
    ----------
    ledger, outbox, events
        Where each trial stands, what waits to be written, and where answers arrive.
    hire : callable
        Starts a catalog actor.
    committed : callable
        Told the trials of each batch once they are in the catalog.
    """

    def __init__(
        self,
        ledger: Ledger,
        outbox: Outbox,
        events: Events,
        limits: Limits,
        *,
        hire: Callable[[], Any],
        committed: Callable[[Sequence[int]], None],
        clock: Callable[[], float],
    ) -> None:
        self._ledger, self._outbox, self._events, self._limits = ledger, outbox, events, limits
        self._hire, self._committed, self._clock = hire, committed, clock
        self._writer: Any = None
        self._writing = self._failed = 0
        self._after = 0.0
        self.bytes_written = 0

    def send(self, *, flush: bool = False) -> None:
        """Hand batches that are ready (with `flush`, whatever waits) to the catalog actor."""
        now = self._clock()
        while self._writing < IN_FLIGHT and now >= self._after:
            batch = self._outbox.take(now, flush=flush)
            if batch is None:
                return
            self._writer = self._writer or self._hire()
            written = self._writer.write.remote([p.trial for p in batch], [p.tables for p in batch])
            self._writing += 1
            self._events.watch(written, partial(self._returned, self._writer, batch))

    def due(self) -> float | None:
        """Seconds until `send` may have something to do without a further answer; None if there is no such time."""
        now = self._clock()
        waiting = self._outbox.due(now) if self._writing < IN_FLIGHT else None
        return None if waiting is None else max(waiting, self._after - now)

    def end(self) -> None:
        """End the catalog actor."""
        if self._writer is not None:
            ray.kill(self._writer)
            self._writer = None

    def _returned(self, writer: Any, batch: Batch, future: Future[Written]) -> None:
        self._writing -= 1
        try:
            written = future.result()
        except Exception as error:
            if writer is self._writer:
                self.end()
                self._not_written(f"the catalog actor died: {death(error)}")
            self._outbox.put_back(batch)
            return
        if written.trouble is not None:
            self._outbox.put_back(batch)
            self._not_written(written.trouble.error)
            return
        self._failed = 0
        self.bytes_written += written.nbytes
        for parcel in batch:
            self._outbox.settle(parcel)
        for trial in written.lost:
            log.info("the tables of trial %d were lost before they were written; simulating it again", trial)
            self._ledger.drop(trial)
        done = [parcel.trial for parcel in batch if parcel.trial not in written.lost]
        self._ledger.commit(done)
        self._committed(done)

    def _not_written(self, line: str) -> None:
        log.info("a batch could not be written: %s", line)
        if self._failed >= len(self._limits.pauses):
            raise RunError(line)
        self._after = self._clock() + self._limits.pauses[self._failed]
        self._failed += 1
