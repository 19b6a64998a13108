"""A simulation actor as the driver sees it: one handle is one process life.

Ray could restart a dead actor behind its handle; here the driver replaces it instead. Then a death is final at once (no
limbo in which calls hang or answer late), its cause is known, and an actor that dies while it is built cannot loop
unseen. One that no node has room for stays asked for, which is the demand an autoscaler sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ray

from isfray.runs.dispatch.actors import Outcome, PackedRef, Place, SimulationActor
from isfray.runs.dispatch.queue import Setup, Work


@dataclass(eq=False)
class Call:
    """Trials an actor has: of which run, where their tables will be, and how the actor was lost under them, if so."""

    work: Work
    trials: tuple[int, ...]
    tables: tuple[PackedRef, ...]
    error: Exception | None = None


@dataclass(eq=False)
class Worker:
    """One simulation actor.

    Attributes
    ----------
    handle
        Ray's handle of it.
    name : str
        As on Ray's dashboard.
    setup : Setup
        What it is built with.
    node : str
        Node it runs on, once `ready`.
    ready : bool
        Whether its runner is built.
    retiring : bool
        Whether it is to get no more trials.
    calls : dict
        Groups of trials it has, oldest first: the first is running, the others are queued behind it.
    idle_since : float
        When it last ended a trial (and so began the first of `calls`), s.
    memory : int
        Bytes it had to itself after its first trial.
    ending : str
        Why the driver ended it, if it did.
    blame : bool
        Whether the trial that runs when it ends may be the reason.
    """

    handle: Any
    name: str
    setup: Setup
    node: str = ""
    ready: bool = False
    retiring: bool = False
    calls: dict[Call, None] = field(default_factory=dict)
    idle_since: float = 0.0
    memory: int = 0
    ending: str = ""
    blame: bool = True

    def build(self) -> ray.ObjectRef[Place]:
        """Queue the building of its runner; returns where it will tell how that went."""
        return self.handle.build.options(name="SimulationActor.build").remote(self.setup.ref)

    def send(self, work: Work, trials: tuple[int, ...], now: float) -> tuple[Call, ray.ObjectRef[list[Outcome]]]:
        """Queue trials, after building anew if they need another setup; returns where their outcomes will be."""
        if work.setup is not self.setup:
            self.setup = work.setup
            self.build()
        # Without the trial's number: Ray keeps counts for every name there ever was, and a metric of each.
        run = self.handle.run.options(num_returns=len(trials) + 1, name=f"SimulationActor.run {work.run}")
        *tables, outcomes = run.remote([work.trial(number) for number in trials], work.t_stop)
        if not self.calls:
            self.idle_since = now
        call = Call(work, trials, tuple(tables))
        self.calls[call] = None
        return call, outcomes

    def finish(self, call: Call, now: float) -> None:
        """Take trials off that came back."""
        self.idle_since = now
        del self.calls[call]

    def end(self, why: str = "", *, blame: bool = True) -> None:
        """Kill the process, unless it is ending already; every trial it has comes back as an error."""
        if not self.ending:
            errors = [call.error for call in self.calls if call.error is not None]
            self.ending = why or (f"its process died: {death(errors[0])}" if errors else "its process died")
            self.blame = blame
            ray.kill(self.handle)

    @property
    def all_lost(self) -> bool:
        """Whether every trial it has came back as an error."""
        return all(call.error is not None for call in self.calls)

    def preempted(self) -> bool:
        """Whether its node was taken away, as announced or as found: no trial is to blame for that."""
        if any(getattr(call.error, "preempted", False) for call in self.calls):
            return True
        return any(node["NodeID"] == self.node and not node["Alive"] for node in ray.nodes())


# Made once: Ray keeps a copy of every actor class for as long as the cluster lives.
_ACTOR = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(SimulationActor)


def hire(setup: Setup, name: str) -> Worker:
    """Ask for one more simulation actor."""
    return Worker(_ACTOR.options(name=name, **setup.resources).remote(), name, setup)


def death(error: Exception) -> str:
    """Tell what is known about the end of an actor, in one line."""
    text = " ".join(str(error).split())
    _, _, detail = text.partition("Worker exit type: ")
    return (detail or text)[:300]
