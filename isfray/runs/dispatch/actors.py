"""The two kinds of actor: one simulates trials, one writes their tables. Neither keeps anything that cannot be rebuilt.

An error inside an actor comes back as data, so that an exception from Ray always means that a process, a node or an
object was lost.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias, cast

import pyarrow as pa
import ray

from isfray.activity import TrialSpec
from isfray.catalog import Catalog
from isfray.catalog.inspection import commit_sound
from isfray.errors import InputError
from isfray.model.soundness import UnsoundTrialError

log = logging.getLogger(__name__)

Packed: TypeAlias = dict[str, pa.Buffer]
"""Tables by name as Arrow streams: a tenth of the time that pickling the tables takes, and not copied when read."""

PackedRef: TypeAlias = "ray.ObjectRef[Packed]"


class Result(Protocol):
    """What a runner returns for one trial."""

    @property
    def tables(self) -> Mapping[str, pa.Table]:
        """Tables of the trial by name."""
        ...


class Runner(Protocol):
    """What simulates: `isfray.engine.Simulator`, or anything that runs trials like it."""

    def trials(self, trials: Sequence[TrialSpec], t_stop: float | None = None) -> Iterator[Result | UnsoundTrialError]:
        """Simulate a group of trials, in order; an error in place of a trial that is wrong."""
        ...


RunnerFactory = Callable[[], Runner]
"""Builds a runner in the actor's process; must pickle."""


@dataclass(frozen=True)
class Trouble:
    """An exception, as data.

    Attributes
    ----------
    error : str
        Type and message in one line.
    trace : str
        Traceback text.
    machine : bool
        Whether the machine, not the trial, is the likely cause: another one may do better.
    mistake : InputError, optional
        The exception itself if it is the user's to mend.
    """

    error: str
    trace: str
    machine: bool
    mistake: InputError | None

    @property
    def lasting(self) -> bool:
        """Whether trying again is of no use: somebody has to change something."""
        return self.mistake is not None and not self.mistake.passing

    @classmethod
    def of(cls, error: Exception) -> Trouble:
        """Describe an exception."""
        mistake = error if isinstance(error, InputError) else None
        said = "; ".join(error.wrong.values()) if isinstance(error, UnsoundTrialError) else error
        line = " ".join(f"{type(error).__name__}: {said}".split())
        trace = "".join(traceback.format_exception(error))
        return cls(line, trace, isinstance(error, MemoryError | OSError), mistake)


@dataclass(frozen=True)
class Place:
    """Where an actor lives; `trouble` if its runner could not be built there."""

    pid: int
    node: str
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Outcome:
    """How one trial went: wall-clock seconds, bytes of its tables, bytes of memory the actor has to itself."""

    trial: int
    seconds: float
    nbytes: int
    memory: int
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Written:
    """How writing one batch went: trials whose tables no node has any more, those that are wrong, and bytes stored."""

    lost: tuple[int, ...]
    wrong: Mapping[int, str]
    nbytes: int
    seconds: float
    trouble: Trouble | None = None


class SimulationActor:
    """One CPU; holds one runner until it is built anew and takes trials one after the other."""

    def __init__(self) -> None:
        self._runner: Runner | None = None
        self._trouble: Trouble | None = None

    def build(self, factory: RunnerFactory) -> Place:
        """Build the runner; the one before, if any, is gone by then."""
        self._runner = self._trouble = None
        try:
            self._runner = factory()
        except Exception as error:
            self._trouble = Trouble.of(error)
        return Place(os.getpid(), ray.get_runtime_context().get_node_id(), self._trouble)

    def run(self, trials: Sequence[TrialSpec], t_stop: float | None) -> tuple[Packed | list[Outcome] | None, ...]:
        """Simulate a group of trials; their tables stay in this node's object store, their outcomes go to the caller.

        Returns
        -------
        tuple
            The tables of each trial, None where there are none, and last the outcomes of all.
        """
        done = [self._done(trial, *found) for trial, found in zip(trials, self._each(trials, t_stop), strict=True)]
        return *(tables for tables, _ in done), [outcome for _, outcome in done]

    def _each(
        self, trials: Sequence[TrialSpec], t_stop: float | None
    ) -> Iterator[tuple[Result | Exception | None, float]]:
        """What came of each trial, and how long it took, s."""
        if self._runner is None:
            yield from ((None, 0.0) for _ in trials)
            return
        n = 0
        if len(trials) > 1:
            begun = time.perf_counter()
            try:
                for result in self._runner.trials(trials, t_stop):
                    yield result, time.perf_counter() - begun
                    n, begun = n + 1, time.perf_counter()
            except Exception as error:
                log.info("a group of %d trials broke after %d (%s); the rest go alone", len(trials), n, error)
        for trial in trials[n:]:  # so that only the one that cannot be simulated fails
            begun = time.perf_counter()
            try:
                (found,) = self._runner.trials([trial], t_stop)
            except Exception as error:
                yield error, time.perf_counter() - begun
            else:
                yield found, time.perf_counter() - begun

    def _done(
        self, trial: TrialSpec, found: Result | Exception | None, seconds: float
    ) -> tuple[Packed | None, Outcome]:
        if found is None or isinstance(found, Exception):
            trouble = self._trouble if found is None else Trouble.of(found)
            return None, Outcome(trial.number, seconds, 0, private_memory(), trouble)
        tables = pack(found.tables)
        nbytes = sum(stream.size for stream in tables.values())
        return tables, Outcome(trial.number, seconds, nbytes, private_memory())


class CatalogActor:
    """Owns the writes of a call. Whatever it has not committed, its caller still has."""

    def __init__(self, uri: str, storage_options: Mapping[str, Any] | None) -> None:
        self._open = partial(Catalog, uri, storage_options)
        self._catalog: Catalog | None = None

    def write(self, run: str, trials: Sequence[int], tables: Sequence[PackedRef]) -> Written:
        """Commit one batch of a run, without those trials whose tables are lost or wrong."""
        begun = time.perf_counter()
        found = dict(zip(trials, _fetch(tables), strict=True))
        lost = tuple(trial for trial, held in found.items() if held is None)
        nbytes, wrong, trouble = 0, dict[int, str](), None
        try:
            self._catalog = self._catalog or self._open()
            if len(lost) < len(found):
                there = {trial: unpack(held) for trial, held in found.items() if held is not None}
                nbytes, wrong = commit_sound(partial(self._catalog.commit, run), there)
        except Exception as error:
            trouble = Trouble.of(error)
        return Written(lost, wrong, nbytes, time.perf_counter() - begun, trouble)


def _fetch(refs: Sequence[PackedRef]) -> list[Packed | None]:
    try:
        return list(ray.get(list(refs)))
    except ray.exceptions.RayError:
        return [_fetch_one(ref) for ref in refs]


def _fetch_one(ref: PackedRef) -> Packed | None:
    try:
        return cast(Packed, ray.get(ref))
    except ray.exceptions.RayError:
        return None


def pack(tables: Mapping[str, pa.Table]) -> Packed:
    """Tables as Arrow streams."""
    packed = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        packed[name] = sink.getvalue()
    return packed


def unpack(packed: Packed) -> dict[str, pa.Table]:
    """Tables that were packed, without copying them."""
    return {name: pa.ipc.open_stream(stream).read_all() for name, stream in packed.items()}


def private_memory() -> int:
    """Bytes of memory this process has to itself, without the object store it maps."""
    try:
        with open("/proc/self/statm") as statm:
            _, resident, shared, *_ = statm.read().split()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return (int(resident) - int(shared)) * resource.getpagesize()
