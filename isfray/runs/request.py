"""What is asked for, checked before anything is started: one run, or the variants of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from isfray.catalog import RunSpec, provenance
from isfray.catalog.runs import MECHANISMS, MOST_TRIALS
from isfray.check import bound, lift, number, whole, words
from isfray.engine import Simulator
from isfray.engine.fit import check_models, fit
from isfray.engine.neuron.build import build_facts
from isfray.engine.neuron.integration import chosen_engine
from isfray.engine.recording import check_size, read_recording
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.clamp import Clamps, CurrentClamp, read_clamps
from isfray.model.mechanisms import MechanismSet
from isfray.model.network import NetworkModel
from isfray.runs.run import Asked

MAX_TRIALS = 10_000_000
"""More trials than this are asked for by mistake; ISFRAY_MAX_TRIALS sets another bound."""
MAX_SEED = 2**128 - 1


@dataclass(frozen=True)
class SimulatorFactory:
    """Builds the simulator of a run in the process that will use it."""

    cell: CellModel
    network: NetworkModel | None
    engine: str
    clamp: tuple[CurrentClamp, ...]
    record: str | tuple[str, ...]

    def __call__(self) -> Simulator:
        """Build it."""
        return Simulator(self.cell, self.network, engine=self.engine, clamp=self.clamp, record=self.record)


class Variant(TypedDict, total=False):
    """What a variant of a sweep may have of its own; the rest is as for all."""

    cell: CellModel
    network: NetworkModel | None
    trials: int
    t_stop: float | None
    engine: str | None
    clamp: Clamps
    record: str | Iterable[str]


class Asking:
    """Checks what is asked for; what two runs have in common is built once.

    Attributes
    ----------
    builds : set of (str, MechanismSet)
        Engines that will be used, with the mechanisms of their cells.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._factories: dict[tuple[Any, ...], SimulatorFactory] = {}
        self.builds: set[tuple[str, MechanismSet]] = set()

    def __call__(self, run: str, wanted: Mapping[str, Any]) -> Asked:
        """Return one run as it is to be done; InputError if it cannot be."""
        cell, network, t_stop = wanted["cell"], wanted["network"], wanted["t_stop"]
        trials = check_trials(wanted["trials"])
        check_models(cell, network)
        t_stop = number("t_stop", cell.defaults.t_stop if t_stop is None else t_stop, above=0.0, unit="ms")
        factory = self._factory(cell, network, wanted)
        check_size(read_recording(cell, factory.record), t_stop, cell.defaults.dt)
        inputs = {"cell": cell.inputs, MECHANISMS: cell.mechanisms.inputs} | (
            {} if network is None else {"network": network.inputs}
        )
        settings = {
            "t_stop": t_stop,
            "dt": cell.defaults.dt,
            "engine": factory.engine,
            "record": factory.record,
            "clamp": [asdict(one) for one in factory.clamp],
        }
        spec = RunSpec(
            name=run,
            seed=self._seed,
            settings=settings,
            inputs=inputs,
            trials=trials,
            provenance=provenance(build_facts(factory.engine, cell.mechanisms)),
        )
        return Asked(spec, factory, t_stop)

    def _factory(self, cell: CellModel, network: NetworkModel | None, wanted: Mapping[str, Any]) -> SimulatorFactory:
        engine = chosen_engine(wanted["engine"])
        self.builds.add((engine, cell.mechanisms))
        if len({mechanisms for _, mechanisms in self.builds}) > 1:
            expected = "those of the other variants, which share its processes, or a run of its own"
            raise InputError("has other mechanisms", key="cell", value=cell.name, expected=expected)
        clamps = read_clamps(wanted["clamp"], cell.morphology.labels)
        record = wanted["record"]
        record = record if isinstance(record, str) else words("record", record, "names of places")
        key = (id(cell), id(network), engine, clamps, record)
        if key not in self._factories:
            read_recording(cell, record)
            fit(cell, network)
            self._factories[key] = SimulatorFactory(cell, network, engine, clamps, record)
        return self._factories[key]


def ask_variants(ask: Asking, run: str, common: Variant, variants: Mapping[str, Variant]) -> dict[str, Asked]:
    """Return the runs of a sweep by variant, each as all are but for what it has of its own."""
    if not isinstance(variants, Mapping) or not variants:
        raise InputError("holds no variants", key="variants", value=variants, expected="{name: {setting: value}}")
    asked = {}
    for name, own in variants.items():
        if not isinstance(own, Mapping):
            raise InputError("is no variant", key=f"variants.{name}", value=own, expected="{setting: value}")
        if unknown := sorted(set(own) - Variant.__annotations__.keys()):
            expected = "one of " + ", ".join(Variant.__annotations__)
            raise InputError("is no setting of a variant", key=f"variants.{name}.{unknown[0]}", expected=expected)
        try:
            asked[name] = ask(f"{run}.{name}", {**common, **own})
        except InputError as error:
            raise _of_variant(name, error) from None
    return asked


def _of_variant(name: str, error: InputError) -> InputError:
    """Tell of which variant a mistake is."""
    if error.file is not None:
        return InputError(f"variants.{name}: {error}")
    value = {} if error.value is None else {"value": error.value}
    return InputError(error.problem, key=f"variants.{name}.{error.key}", expected=error.expected, **value)


def check_trials(trials: Any) -> int:
    """Return how many trials a run is to have; InputError for more than its tables can number, or anyone means."""
    n = whole("trials", trials, 1)
    if n > (most := most_trials()):
        raise InputError("is more than a run may have", key="trials", value=n, expected=lift("ISFRAY_MAX_TRIALS", most))
    return n


def most_trials() -> int:
    """Return how many trials a run may have, unless another bound is set."""
    return min(bound("ISFRAY_MAX_TRIALS", MAX_TRIALS), MOST_TRIALS)
