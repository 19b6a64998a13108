"""The dispatcher: keeps every actor busy, and every trial accounted for, until all runs are in the catalog.

It runs in the driver and sees only small outcomes; tables go from the object store of the node that simulated them to
the catalog actor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from isfray.runs.dispatch.crew import Crew
from isfray.runs.dispatch.events import Events
from isfray.runs.dispatch.failures import RunError
from isfray.runs.dispatch.limits import Limits
from isfray.runs.dispatch.queue import Queue, Work
from isfray.runs.dispatch.writer import Writer
from isfray.runs.progress import Progress

TICK = 0.5  # s between two looks at the clock


class Dispatcher:
    """Does the work of one call.

    Parameters
    ----------
    name : str
        Of the run or sweep.
    works : sequence of Work
        Its runs.
    writer : callable
        Starts a catalog actor.
    wanted : callable
        How many simulation actors are wanted now.
    progress : callable
        Told how far all runs together are, twice a second.
    limits : Limits
        Bounds.
    """

    def __init__(
        self,
        name: str,
        works: Sequence[Work],
        *,
        writer: Callable[[], Any],
        wanted: Callable[[], int],
        progress: Callable[[Progress], None],
        limits: Limits,
    ) -> None:
        self.name, self.limits = name, limits
        self._tell, self._queue, self._events = progress, Queue(works), Events()
        clock = time.monotonic
        self._clock, self._begun = clock, clock()
        self._writer = Writer(self._queue, self._events, limits, hire=writer, clock=clock)
        self._crew = Crew(name, self._queue, self._events, limits, wanted=wanted, clock=clock)
        self._stopped = False

    def stop(self) -> None:
        """End early: begin nothing more, write what is simulated. From any thread."""
        self._events.put(self._stop)

    def run(self) -> None:
        """Return when every trial is committed or failed, or the work was stopped.

        Raises
        ------
        RunError
            If no actor can be started, or the catalog cannot be written.
        InputError
            If the runner refuses its models or settings.
        """
        queue, tick = self._queue, 0.0
        try:
            while not (queue.finished or self._stopped):
                if self._clock() >= tick:
                    tick = self._clock() + TICK
                    self._crew.tend()
                    self._report()
                if not self._writer.full:
                    self._crew.feed()
                self._writer.send()
                self._events.handle(self._sleep())
            if self._stopped:
                self._write_last()
        except RunError as error:
            raise RunError(
                f"run {self.name} stopped with {queue.committed} of {queue.total} trials in the catalog: {error}"
            ) from None
        finally:
            self._crew.end("the run is over")
            self._writer.end()
            self._report()

    def _report(self) -> None:
        seconds, each = self._clock() - self._begun, []
        for work in self._queue.works:
            each.append(work.progress(self._crew.ready, seconds))
            work.tell(each[-1])
        self._tell(Progress.of_all(self.name, each))

    def _stop(self) -> None:
        self._stopped = True

    def _sleep(self) -> float:
        due = self._writer.due()
        return TICK if due is None else min(TICK, due)

    def _write_last(self) -> None:
        self._crew.end("the run was stopped")
        deadline = self._clock() + self.limits.farewell
        while self._queue.held and self._clock() < deadline:
            self._writer.send(flush=True)
            self._events.handle(self._sleep())
