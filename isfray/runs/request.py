"""What is asked for, checked before anything is started: one run, or the variants of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from isfray.activity import Drawn, InputSource
from isfray.catalog import RunSpec, provenance
from isfray.catalog.intervals import count
from isfray.catalog.log import Ranges, ranges, up_to
from isfray.catalog.runs import MECHANISMS
from isfray.check import bound, items, lift, number, whole, words
from isfray.engine import Engine, Simulator, Task
from isfray.engine.fit import check_models, fit
from isfray.engine.kinds import engine_kind
from isfray.engine.recording import check_size, read_recording
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.clamp import Clamps, CurrentClamp, read_clamps
from isfray.model.embedding import Embedding
from isfray.model.mechanisms import MechanismSet
from isfray.model.network import NetworkModel
from isfray.model.settings import Settings
from isfray.runs.dispatch.actors import RunnerFactory
from isfray.tables import LAST_TRIAL

MAX_TRIALS = 10_000_000
"""More trials than this are asked for by mistake; ISFRAY_MAX_TRIALS sets another bound."""
MAX_SEED = 2**128 - 1


@dataclass(frozen=True)
class Request:
    """One run as it is asked for.

    Attributes
    ----------
    spec : RunSpec
        The run, and its trials.
    factory : callable
        Builds, in an actor, what simulates. Runs with the same object share actors as they are.
    t_stop : float, optional
        Simulated time, ms.
    source : InputSource
        Where the input of its trials comes from.
    resources : mapping
        What an actor needs, as Ray's `options` take it.
    group : int
        How many trials an actor takes at once at most.
    """

    spec: RunSpec
    factory: RunnerFactory
    t_stop: float | None
    source: InputSource = field(default_factory=Drawn)
    resources: Mapping[str, float] = field(default_factory=lambda: {"num_cpus": 1})
    group: int = 1


@dataclass(frozen=True)
class SimulatorFactory:
    """Builds the simulator of a run in the process that will use it."""

    cell: CellModel
    network: NetworkModel | None
    engine: type[Engine]
    clamp: tuple[CurrentClamp, ...]
    record: str | tuple[str, ...]

    def __call__(self) -> Simulator:
        """Build it."""
        return Simulator(self.cell, self.network, engine=self.engine, clamp=self.clamp, record=self.record)


class Variant(TypedDict, total=False):
    """What a variant of a sweep may have of its own; the rest is as for all."""

    cell: CellModel
    network: NetworkModel | None
    trials: int | Iterable[int]
    t_stop: float | None
    engine: str | type[Engine] | None
    clamp: Clamps
    record: str | Iterable[str]
    inputs: InputSource | None


class Requests:
    """Checks what is asked for; what two runs have in common is built once.

    Attributes
    ----------
    builds : set of (Engine class, MechanismSet)
        Engines that will be used, with the mechanisms of their cells.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._told: dict[tuple[type[Engine], MechanismSet], dict[str, Any]] = {}
        self._factories: dict[tuple[Any, ...], SimulatorFactory] = {}
        self.builds: set[tuple[type[Engine], MechanismSet]] = set()

    def __call__(self, run: str, wanted: Mapping[str, Any]) -> Request:
        """Return one run as it is to be done; InputError if it cannot be."""
        cell, network, t_stop = wanted["cell"], wanted["network"], wanted["t_stop"]
        trials, source = check_trials(wanted["trials"]), _source(wanted.get("inputs"))
        check_models(cell, network)
        t_stop = number("t_stop", cell.defaults.t_stop if t_stop is None else t_stop, above=0.0, unit="ms")
        factory = self._factory(cell, network, wanted)
        check_size(read_recording(cell, factory.record), t_stop, cell.defaults.dt)
        inputs = {"cell": cell.inputs, MECHANISMS: cell.mechanisms.inputs}
        inputs |= {} if network is None else {"network": network.inputs}
        settings = Settings(
            t_stop=t_stop,
            dt=cell.defaults.dt,
            engine=factory.engine.name,
            record=factory.record,
            clamp=factory.clamp,
            source=source.identity,
        )
        spec = RunSpec(
            name=run,
            seed=self._seed,
            settings=settings,
            inputs=inputs,
            trials=trials,
            provenance=self._provenance(factory.engine, cell.mechanisms),
        )
        return Request(spec, factory, t_stop, source, factory.engine.resources, factory.engine.group)

    def _provenance(self, engine: type[Engine], mechanisms: MechanismSet) -> dict[str, Any]:
        if (engine, mechanisms) not in self._told:
            self._told[engine, mechanisms] = provenance(engine.facts(mechanisms))
        return self._told[engine, mechanisms]

    def _factory(self, cell: CellModel, network: NetworkModel | None, wanted: Mapping[str, Any]) -> SimulatorFactory:
        engine = engine_kind(wanted["engine"])
        self.builds.add((engine, cell.mechanisms))
        if len({mechanisms for _, mechanisms in self.builds}) > 1:
            expected = "those of the other variants, which share its processes, or a run of its own"
            raise InputError("has other mechanisms", key="cell", value=cell.name, expected=expected)
        clamps = read_clamps(wanted["clamp"], cell.morphology.labels)
        record = wanted["record"]
        record = record if isinstance(record, str) else words("record", record, "names of places")
        key = (id(cell), id(network), engine, clamps, record)
        if key not in self._factories:
            recording, fitted = read_recording(cell, record), fit(cell, network)
            embedding = Embedding(cell, network, fitted.placement)
            engine.check(Task(embedding, fitted.neuron_globals, clamps, recording, cell.defaults.dt))
            self._factories[key] = SimulatorFactory(cell, network, engine, clamps, record)
        return self._factories[key]


def variant_requests(
    request: Requests, run: str, common: Variant, variants: Mapping[str, Variant]
) -> dict[str, Request]:
    """Return the runs of a sweep by variant, each as all are but for what it has of its own."""
    if not isinstance(variants, Mapping) or not variants:
        raise InputError("holds no variants", key="variants", value=variants, expected="{name: {setting: value}}")
    found = {}
    for name, own in variants.items():
        if not isinstance(own, Mapping):
            raise InputError("is no variant", key=f"variants.{name}", value=own, expected="{setting: value}")
        if unknown := sorted(set(own) - Variant.__annotations__.keys()):
            expected = "one of " + ", ".join(Variant.__annotations__)
            raise InputError("is no setting of a variant", key=f"variants.{name}.{unknown[0]}", expected=expected)
        try:
            found[name] = request(f"{run}.{name}", {**common, **own})
        except InputError as error:
            raise _of_variant(name, error) from None
    return found


def _of_variant(name: str, error: InputError) -> InputError:
    """Tell of which variant a mistake is."""
    if error.file is not None:
        return InputError(f"variants.{name}: {error}")
    return error.at(under=("variants", name))


def check_trials(trials: Any) -> Ranges:
    """Return which trials a run is to have: the first so many, or those that are named.

    Raises
    ------
    InputError
        For more than its tables can number, or anyone means, and for what is no set of trials.
    """
    most = most_trials()
    if isinstance(trials, Iterable) and not isinstance(trials, str | bytes | Mapping):
        asked = _named(trials, most)
        n = count(asked)
    else:
        n = whole("trials", trials, 1)
        asked = up_to(n)
    if n > most:
        raise _too_many(n, most)
    return asked


def _named(trials: Iterable[Any], most: int) -> Ranges:
    """Trials that are named one by one, or as a range, which costs nothing however long it is."""
    if isinstance(trials, range) and trials:
        ends = [whole("trials", one, 0, LAST_TRIAL) for one in (trials[0], trials[-1])]
        if len(trials) > most:
            raise _too_many(len(trials), most)
        return ((min(ends), max(ends)),) if abs(trials.step) == 1 else ranges(trials)
    if isinstance(trials, np.ndarray) and trials.ndim == 1 and trials.dtype.kind in "iu" and len(trials):
        for one in (trials.min(), trials.max()):
            whole("trials", one, 0, LAST_TRIAL)
        return ranges(trials)
    named = items("trials", trials, "a number, or numbers of trials")
    if not named:
        raise InputError("holds no trial", key="trials", expected="at least one")
    return ranges([whole("trials", one, 0, LAST_TRIAL) for one in named])


def _too_many(n: int, most: int) -> InputError:
    return InputError("is more than a run may have", key="trials", value=n, expected=lift("ISFRAY_MAX_TRIALS", most))


def _source(inputs: Any) -> InputSource:
    """Return where input comes from; InputError for what is no source."""
    if inputs is None:
        return Drawn()
    if isinstance(inputs, type) or not isinstance(inputs, InputSource):
        expected = "a source of input, or None to draw it from the network"
        raise InputError("is no source of input", key="inputs", value=inputs, expected=expected)
    return inputs


def most_trials() -> int:
    """Return how many trials a run may have, unless another bound is set."""
    return min(bound("ISFRAY_MAX_TRIALS", MAX_TRIALS), LAST_TRIAL)
