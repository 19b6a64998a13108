"""What a dispatcher has to do: one or several runs, whose trials are leased to actors that are built for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray

from isfray.activity import Drawn, InputSource, TrialSpec, trial_seed
from isfray.runs.dispatch.actors import RunnerFactory
from isfray.runs.dispatch.ledger import Ledger
from isfray.runs.dispatch.outbox import Outbox
from isfray.runs.progress import Progress


class Setup:
    """What an actor is built with; runs of one setup share actors as they are."""

    def __init__(self, factory: RunnerFactory, resources: Mapping[str, float] | None = None) -> None:
        self._factory = factory
        self.resources = dict(resources or {"num_cpus": 1})
        """What such an actor needs, as Ray's `options` take it."""
        self._ref: Any = None

    @property
    def ref(self) -> Any:
        """Where the runner factory is in the object store."""
        self._ref = self._ref or ray.put(self._factory)
        return self._ref


@dataclass(eq=False)
class Work:
    """One run.

    Attributes
    ----------
    run : str
        Its name.
    seed : int
        Run seed; trial k is simulated with `trial_seed(seed, k)`.
    source : InputSource
        Where the input of its trials comes from.
    group : int
        How many trials an actor takes at once at most.
    t_stop : float, optional
        Simulated time, ms.
    setup : Setup
        What its trials need.
    ledger : Ledger
        Where each of its trials stands.
    outbox : Outbox
        Its trials that are simulated and not yet committed.
    committed : callable
        Told the trials of each batch once they are in the catalog.
    tell : callable
        Told how far the run is, twice a second.
    bytes_written : int
        Bytes stored by this call.
    seconds : deque of float
        How long its last trials took.
    """

    run: str
    seed: int
    t_stop: float | None
    setup: Setup
    ledger: Ledger
    outbox: Outbox
    committed: Callable[[Sequence[int]], None]
    tell: Callable[[Progress], None]
    source: InputSource = field(default_factory=Drawn)
    group: int = 1
    bytes_written: int = 0
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=101))

    def __post_init__(self) -> None:
        self.before = self.ledger.committed

    def trial(self, number: int) -> TrialSpec:
        """Return one of its trials as it is asked for."""
        return TrialSpec(number, trial_seed(self.seed, number), self.source)

    def progress(self, workers: int, seconds: float) -> Progress:
        """How far it is, with so many actors at work, after so many seconds."""
        ledger = self.ledger
        return Progress(
            run=self.run,
            total=ledger.total,
            done=ledger.committed,
            before=self.before,
            running=min(ledger.leased, workers),
            unwritten=ledger.held,
            retried=ledger.retried,
            failed=len(ledger.failures),
            workers=workers,
            bytes_written=self.bytes_written,
            seconds=seconds,
        )


class Queue:
    """All runs of a dispatcher, as one."""

    def __init__(self, works: Sequence[Work]) -> None:
        self.works = tuple(works)
        self._of: dict[Setup, list[Work]] = {}
        for work in works:
            self._of.setdefault(work.setup, []).append(work)

    @property
    def waiting(self) -> int:
        """Trials no actor has."""
        return sum(work.ledger.waiting for work in self.works)

    @property
    def leased(self) -> int:
        """Trials an actor has."""
        return sum(work.ledger.leased for work in self.works)

    @property
    def held(self) -> int:
        """Trials that are simulated and not yet committed."""
        return sum(work.ledger.held for work in self.works)

    @property
    def suspects(self) -> int:
        """Trials under which an actor has died, and which are not in the catalog yet."""
        return sum(work.ledger.suspects for work in self.works)

    @property
    def committed(self) -> int:
        """Trials that are in the catalog."""
        return sum(work.ledger.committed for work in self.works)

    @property
    def total(self) -> int:
        """Trials asked for."""
        return sum(work.ledger.total for work in self.works)

    @property
    def finished(self) -> bool:
        """Whether every trial is committed or failed."""
        return all(work.ledger.finished for work in self.works)

    def lease(self, setup: Setup, crowd: Mapping[Setup, int]) -> tuple[Work, tuple[int, ...]] | None:
        """Next trials for an actor; some that need no other setup if there are any. None if none wait that it can do.

        `crowd` tells how many actors have each setup.
        """
        chosen = setup if self._waiting(setup) else self.neediest(crowd, like=setup)
        for work in self._of[chosen] if chosen is not None else ():
            share = -(-work.ledger.waiting // max(1, crowd.get(work.setup, 0)))  # the last ones are shared out
            if trials := work.ledger.lease_group(min(work.group, share)):
                return work, trials
        return None

    def neediest(self, crowd: Mapping[Setup, int], like: Setup | None = None) -> Setup | None:
        """Setup with the most waiting trials per actor, among those that an actor of one like `like` can have."""
        able = [setup for setup in self._of if like is None or setup.resources == like.resources]
        return max(able, key=lambda setup: self._waiting(setup) / (1 + crowd.get(setup, 0)), default=None)

    def has_work(self, setup: Setup) -> bool:
        """Whether trials wait that an actor of this setup can do."""
        return any(self._waiting(one) for one in self._of if one.resources == setup.resources)

    def _waiting(self, setup: Setup) -> int:
        return sum(work.ledger.waiting for work in self._of[setup])
