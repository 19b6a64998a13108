"""What an engine is: it integrates a cell over the input of trials, and knows nothing of tables, catalogs or Ray."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from isfray.activity import TrialInput
from isfray.arrays import F64
from isfray.engine.recording import Recording
from isfray.model.clamp import CurrentClamp
from isfray.model.embedding import Embedding
from isfray.model.mechanisms import MechanismSet

Progress = Callable[[str], None]
"""Takes a line about something that takes a while."""


@dataclass(frozen=True)
class Task:
    """What an engine is built for; it can integrate any number of trials of it.

    Attributes
    ----------
    embedding : Embedding
        The cell, its network and where the synapses are.
    mechanism_globals : mapping
        Values of NEURON's globals by full name, `<parameter>_<mechanism>`.
    electrodes : tuple of CurrentClamp
        Beside those of the cell model.
    recording : Recording
        What to record at every step: voltage at its sites, then its variables in each of their sites.
    dt : float
        Time step, ms.
    share_synapses : bool
        Whether synapses of one segment and the same kinetics may be computed as one.
    """

    embedding: Embedding
    mechanism_globals: Mapping[str, float]
    electrodes: tuple[CurrentClamp, ...]
    recording: Recording
    dt: float
    share_synapses: bool = True


@dataclass(frozen=True)
class Recorded:
    """What an engine recorded in one trial.

    Attributes
    ----------
    time : ndarray of float64, shape (samples,)
        From 0 in steps of `dt` until the end of the trial is reached, ms.
    traces : sequence of ndarray of float64, shape (samples,)
        In the order of `Task.recording`; the first sample is that of the initial voltage.
    engine : str
        Which engine computed it, where another one stood in.
    """

    time: F64
    traces: Sequence[F64]
    engine: str = ""


class Engine(ABC):
    """Integrates the trials of one task. A subclass is a kind of engine, an instance of it lives in one process.

    Attributes
    ----------
    name : str
        As runs store it.
    resources : mapping
        What an actor that holds one needs, as Ray's `options` take it.
    group : int
        How many trials it takes at once at most.
    """

    name: ClassVar[str]
    resources: ClassVar[Mapping[str, float]] = {"num_cpus": 1}
    group: ClassVar[int] = 1

    @abstractmethod
    def __init__(self, task: Task) -> None:
        """Build all that trials have in common."""

    @classmethod  # noqa: B027  # most can do and record all there is
    def check(cls, task: Task) -> None:
        """Raise InputError, before anything is started, for what it cannot integrate or record."""

    @classmethod  # noqa: B027  # most need nothing
    def prepare(cls, mechanisms: MechanismSet, progress: Progress | None = None) -> None:
        """Make what it needs on this machine, such as compiled code, unless that is there."""

    @classmethod
    def facts(cls, mechanisms: MechanismSet) -> Mapping[str, Any]:
        """Return what computes the trials, for their provenance, ready for JSON."""
        return {"name": cls.name}

    @abstractmethod
    def run(self, trials: Sequence[TrialInput], t_stop: float) -> Iterator[Recorded]:
        """Integrate some trials until `t_stop` (ms), and yield what was recorded in each, in their order.

        What is yielded stays valid when the next trial is begun.
        """
