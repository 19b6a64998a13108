"""A simulation actor as the driver sees it: one handle is one process life.

Ray could restart a dead actor behind its handle; here the driver replaces it instead. Then a death is final at once (no
limbo in which calls hang or answer late), its cause is known, and an actor that dies while it is built cannot loop
unseen. One that no node has room for stays asked for, which is the demand an autoscaler sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ray

from isfray.cluster.actors import Outcome, PackedRef, SimulationActor


@dataclass
class Call:
    """One trial an actor has: where its tables will be, and how the actor was lost under it, if it was."""

    trial: int
    tables: PackedRef
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
    node : str
        Node it runs on, once `ready`.
    ready : bool
        Whether its runner is built.
    retiring : bool
        Whether it is to get no more trials.
    calls : dict
        Trials it has, by number, oldest first: the first is running, the others are queued behind it.
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
    node: str = ""
    ready: bool = False
    retiring: bool = False
    calls: dict[int, Call] = field(default_factory=dict)
    idle_since: float = 0.0
    memory: int = 0
    ending: str = ""
    blame: bool = True

    def send(self, trial: int, seed: int, t_stop: float | None, now: float) -> ray.ObjectRef[Outcome]:
        """Queue a trial; returns where its outcome will be."""
        tables, outcome = self.handle.run.options(num_returns=2).remote(trial, seed, t_stop)
        if not self.calls:
            self.idle_since = now
        self.calls[trial] = Call(trial, tables)
        return outcome

    def finish(self, trial: int, now: float) -> Call:
        """Take a trial off that came back."""
        self.idle_since = now
        return self.calls.pop(trial)

    def end(self, why: str = "", *, blame: bool = True) -> None:
        """Kill the process, unless it is ending already; every trial it has comes back as an error."""
        if not self.ending:
            errors = [call.error for call in self.calls.values() if call.error is not None]
            self.ending = why or (f"its process died: {death(errors[0])}" if errors else "its process died")
            self.blame = blame
            ray.kill(self.handle)

    @property
    def all_lost(self) -> bool:
        """Whether every trial it has came back as an error."""
        return all(call.error is not None for call in self.calls.values())

    def preempted(self) -> bool:
        """Whether its node was taken away, as announced or as found: no trial is to blame for that."""
        if any(getattr(call.error, "preempted", False) for call in self.calls.values()):
            return True
        return any(node["NodeID"] == self.node and not node["Alive"] for node in ray.nodes())


def hire(factory: Any, name: str) -> Worker:
    """Ask for one more simulation actor; `factory` refers to the runner factory in the object store."""
    actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(SimulationActor)
    return Worker(actor.options(name=name).remote(factory), name)


def death(error: Exception) -> str:
    """Tell what is known about the end of an actor, in one line."""
    text = " ".join(str(error).split())
    _, _, detail = text.partition("Worker exit type: ")
    return (detail or text)[:300]
