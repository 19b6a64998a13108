"""Simulated trials of a run on their way to the catalog: batched by number, bytes and age, without Ray."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrialTables:
    """Tables of one trial: a reference into the object store, their bytes, and when they arrived (s)."""

    trial: int
    tables: Any
    nbytes: int
    arrived: float


Batch = tuple[TrialTables, ...]


GATHER = 8  # times as many trials as wanted go into a batch if so many have gathered while others were written


class Outbox:
    """What is simulated and not yet committed.

    Parameters
    ----------
    batch_trials : int
        A batch closes when it has this many trials; one that had to wait for its turn takes more along, so that writing
        keeps up: `GATHER` times as many at most.
    batch_bytes : int
        A batch closes when it has this many bytes.
    batch_seconds : float
        A trial waits this long for its batch to fill, then the batch goes as it is.
    """

    def __init__(self, batch_trials: int, batch_bytes: int, batch_seconds: float) -> None:
        self.batch_trials, self.batch_bytes, self.batch_seconds = batch_trials, batch_bytes, batch_seconds
        self.unwritten_bytes = self.unwritten_trials = self._waiting_bytes = 0
        self._tables: deque[TrialTables] = deque()
        self._returned: deque[Batch] = deque()

    def add(self, one: TrialTables) -> None:
        """Take in the tables of one more trial."""
        self._tables.append(one)
        self.unwritten_bytes += one.nbytes
        self._waiting_bytes += one.nbytes
        self.unwritten_trials += 1

    def put_back(self, batch: Batch) -> None:
        """Take a batch back whose writer died; it goes out again as it is, so that it is the same commit."""
        self._returned.append(batch)

    def settle(self, one: TrialTables) -> None:
        """Forget a trial whose tables are committed, or lost."""
        self.unwritten_bytes -= one.nbytes
        self.unwritten_trials -= 1

    def due(self, now: float) -> float | None:
        """Seconds until the next batch is ready by age; None if nothing waits."""
        if self._returned:
            return 0.0
        return max(0.0, self._tables[0].arrived + self.batch_seconds - now) if self._tables else None

    def take(self, now: float, *, flush: bool = False) -> Batch | None:
        """Next batch if one is ready (or, with `flush`, if anything waits at all), its trials in ascending order."""
        if self._returned:
            return self._returned.popleft()
        full = len(self._tables) >= self.batch_trials or self._waiting_bytes >= self.batch_bytes
        if not self._tables or not (full or flush or self.due(now) == 0.0):
            return None
        batch, nbytes = list[TrialTables](), 0
        while self._tables and len(batch) < GATHER * self.batch_trials and nbytes < self.batch_bytes:
            batch.append(self._tables.popleft())
            nbytes += batch[-1].nbytes
        self._waiting_bytes -= nbytes
        return tuple(sorted(batch, key=lambda one: one.trial))
