"""The trial ledger: where each asked trial stands, as plain bookkeeping without Ray.

A trial is *waiting*, *leased* to an actor, *held* (simulated, its tables not yet in the catalog), *committed*, or
*failed* for good; always exactly one of them. It counts as done only when committed, because only then does it outlive
every process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """A trial that was given up.

    Attributes
    ----------
    trial : int
        Its number.
    tries : int
        How often it was begun.
    error : str
        What went wrong, in one line.
    trace : str
        Traceback text, where there is one.
    """

    trial: int
    tries: int
    error: str
    trace: str = ""


class Ledger:
    """Accounts of the trials of one run.

    Parameters
    ----------
    missing : sequence of int
        Trials to simulate, each once, in the order they are to be leased.
    committed : int
        Trials that are in the catalog already; only counted.
    max_retries : int
        How often a trial is begun again after its actor died under it.
    """

    def __init__(self, missing: Sequence[int], committed: int = 0, max_retries: int = 3) -> None:
        self._missing, self._next = missing, 0
        self._again: deque[int] = deque()
        self._deaths: dict[int, int] = {}
        self._leased: set[int] = set()
        self._held: set[int] = set()
        self.max_retries = max_retries
        self.committed = committed
        self.retried = 0
        self.failures: dict[int, Failure] = {}

    @property
    def total(self) -> int:
        """Trials asked for."""
        return self.waiting + self.leased + self.held + self.committed + len(self.failures)

    @property
    def waiting(self) -> int:
        """Trials no actor has."""
        return len(self._missing) - self._next + len(self._again)

    @property
    def leased(self) -> int:
        """Trials an actor has."""
        return len(self._leased)

    @property
    def held(self) -> int:
        """Trials that are simulated and not yet committed."""
        return len(self._held)

    @property
    def suspects(self) -> int:
        """Trials under which an actor has died, perhaps, and which are not in the catalog yet."""
        return len(self._deaths)

    @property
    def finished(self) -> bool:
        """Whether every trial is committed or failed."""
        return not (self.waiting or self._leased or self._held)

    def lease(self) -> int | None:
        """Next trial for an actor; None if none is waiting. Those that came back go first."""
        if self._again:
            trial = self._again.popleft()
        elif self._next < len(self._missing):
            trial = self._missing[self._next]
            self._next += 1
        else:
            return None
        self._leased.add(trial)
        return trial

    def lease_group(self, most: int) -> tuple[int, ...]:
        """Next trials for an actor, at most so many; one under which an actor has died goes alone."""
        first = self.lease() if most else None
        if first is None:
            return ()
        group = [first]
        while len(group) < most and not self._deaths.keys() & {group[0], self._following()} and self.waiting:
            group += [trial for trial in (self.lease(),) if trial is not None]
        return tuple(group)

    def _following(self) -> int | None:
        """The trial that `lease` gives next."""
        if self._again:
            return self._again[0]
        return self._missing[self._next] if self._next < len(self._missing) else None

    def suspect(self, trial: int) -> None:
        """Take back a leased trial that may have been the one of its group under which an actor died."""
        self._deaths.setdefault(trial, 0)
        self.release(trial, begun=True)

    def release(self, trial: int, *, begun: bool = False) -> None:
        """Take back a leased trial that is not to blame: it was queued only, or (`begun`) its whole node went away."""
        self._leased.remove(trial)
        self._again.append(trial)
        self.retried += begun

    def blame(self, trial: int, error: str, trace: str = "") -> bool:
        """Record that the actor died under a leased trial; False if it was given up for that."""
        deaths = self._deaths.get(trial, 0) + 1
        if deaths > self.max_retries:
            self.fail(trial, error, trace)
            return False
        self._deaths[trial] = deaths
        self.release(trial, begun=True)
        return True

    def fail(self, trial: int, error: str, trace: str = "") -> None:
        """Give a leased or held trial up: it failed for a reason of its own."""
        (self._held if trial in self._held else self._leased).remove(trial)
        self.failures[trial] = Failure(trial, self._deaths.pop(trial, 0) + 1, error, trace)

    def hold(self, trial: int) -> None:
        """Record that a leased trial has been simulated."""
        self._leased.remove(trial)
        self._held.add(trial)

    def drop(self, trial: int) -> None:
        """Record that the tables of a held trial were lost before they were written."""
        self._held.remove(trial)
        self._again.append(trial)
        self.retried += 1

    def commit(self, trials: Iterable[int]) -> None:
        """Record that held trials are in the catalog."""
        for trial in trials:
            self._held.remove(trial)
            self._deaths.pop(trial, None)
            self.committed += 1
