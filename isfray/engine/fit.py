"""Whether cell, network and mechanisms fit each other: everything that can be told before NEURON is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.check import nearest, number
from isfray.errors import InputError, Key
from isfray.model.cell import CellModel
from isfray.model.inputs import Origin
from isfray.model.mechanisms import Mechanism, MechanismSet
from isfray.model.membrane import Membrane, RangeMechanism, densities
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement, place
from isfray.model.population import Population, Receptor
from isfray.model.ranges import too_alike


@dataclass(frozen=True)
class Fit:
    """A network on a cell.

    Attributes
    ----------
    placement : Placement or None
        Where the network's synapses sit; None without a network.
    neuron_globals : dict
        NEURON globals that cell and network set, by their full name `<param>_<mechanism>`.
    """

    placement: Placement | None
    neuron_globals: dict[str, float]


def check_models(cell: Any, network: Any) -> None:
    """Raise InputError for what is no cell model, or neither a network model nor None."""
    if not isinstance(cell, CellModel):
        raise InputError("is not a cell model", key="cell", value=cell, expected="what isfray.load_cell returns")
    if network is not None and not isinstance(network, NetworkModel):
        expected = "what isfray.load_network returns, or None"
        raise InputError("is not a network model", key="network", value=network, expected=expected)


def fit(cell: CellModel, network: NetworkModel | None = None) -> Fit:
    """Check that the cell can be built and the network put on it.

    Raises
    ------
    InputError
        For a mechanism, parameter or global that does not exist or is out of range, a synapse on a section that the
        cell does not have, or receptors that ask for different values of one global.
    """
    check_models(cell, network)
    for membrane in cell.membranes:
        _check_membrane(membrane, cell)
    neuron_globals = _check_globals(cell)
    if network is None:
        return Fit(None, neuron_globals)
    for population in network.populations:
        for receptor in population.receptors:
            neuron_globals |= _check_receptor(population, receptor, network, cell.mechanisms, neuron_globals)
    return Fit(_place(network, cell), neuron_globals)


def _check_membrane(membrane: Membrane, cell: CellModel) -> None:
    channels = {name: m for name, m in cell.mechanisms.items() if m.kind == "density"}
    for mechanism in membrane.mechanisms:
        path = ("neuron", membrane.label, "mechanisms", "range", mechanism.name)
        known = channels.get(mechanism.name)
        if known is None:
            raise cell.origin.error(path, "is not a mechanism", expected=nearest(mechanism.name, channels))
        for name in mechanism.parameters:
            if name not in known.parameters:
                raise cell.origin.error(
                    (*path, name), f"is not a parameter of {known.name}", expected=nearest(name, known.parameters)
                )
        steered = mechanism.steering.get("param_name", None)
        if steered is not None and steered not in known.parameters:
            raise cell.origin.error(
                (*path, "param_name"),
                f"is not a parameter of {known.name}",
                expected=nearest(steered, known.parameters),
            )
        _check_values(mechanism, known, membrane, cell)
    ions = {f"e{ion}" for ion in ("na", "k", "ca")} | {f"{ion}{side}" for ion in ("na", "k", "ca") for side in "io"}
    for name in membrane.ions:
        if name not in ions:
            at = ("neuron", membrane.label, "properties", "ions", name)
            raise cell.origin.error(at, "is not a property of an ion", expected=nearest(name, ions))


def _check_values(mechanism: RangeMechanism, known: Mechanism, membrane: Membrane, cell: CellModel) -> None:
    """Refuse parameters out of range, as they are written and as their distribution spreads them over the cell."""
    path = ("neuron", membrane.label, "mechanisms", "range", mechanism.name)
    for name, value in mechanism.parameters.items():
        _in_range(known, name, value, cell.origin, (*path, name))
    for name, values in densities(mechanism, membrane.label, cell.geometry).items():
        worst = (
            values[~np.isfinite(values)]
            if not np.isfinite(values).all()
            else values[[values.argmin(), values.argmax()]]
        )
        for value in worst.tolist():
            try:
                number(name, value, **known.range_of(name))
            except InputError as error:
                problem = f"gives {name} = {value:g} to a segment, which {error.problem}"
                raise cell.origin.error((*path, "spatial"), problem, expected=error.expected) from None


def _in_range(known: Mechanism, name: str, value: float, origin: Origin, path: Key) -> None:
    try:
        number(name, value, **known.range_of(name))
    except InputError as error:
        raise origin.placed(error, path[:-1]) from None


def _check_globals(cell: CellModel) -> dict[str, float]:
    known = {f"{name}_{m.name}": (name, m) for m in cell.mechanisms.values() for name in m.global_parameters}
    for full, value in cell.mechanism_globals.items():
        if full not in known:
            raise cell.origin.error(
                ("mech_globals",), f"sets {full}, which is no NEURON global", expected=nearest(full, known)
            )
        name, mechanism = known[full]
        _in_range(mechanism, name, value, cell.origin, ("mech_globals", mechanism.name, name))
    return dict(cell.mechanism_globals)


def _check_receptor(
    population: Population,
    receptor: Receptor,
    network: NetworkModel,
    mechanisms: MechanismSet,
    set_before: dict[str, float],
) -> dict[str, float]:
    at = ("network", population.name, "synapses", "receptors", receptor.mechanism)
    processes: dict[str, Mechanism] = {name: m for name, m in mechanisms.items() if m.weights}
    known = processes.get(receptor.mechanism)
    if known is None:
        raise network.origin.error(at, "is not a synapse mechanism", expected=nearest(receptor.mechanism, processes))
    if len(receptor.weight) != len(known.weights):
        expected = f"{len(known.weights)} ({', '.join(known.weights)})"
        raise network.origin.error((*at, "weight"), f"has not the weights of {known.name}", expected=expected)
    if population.release_probability == "dynamic":
        raise network.origin.error(
            ("network", population.name, "synapses", "releaseProb"),
            f"needs a mechanism that draws releases itself, which {known.name} is not",
            expected="a probability from 0 to 1",
        )
    found: dict[str, float] = {}
    for name, value in receptor.parameters.items():
        if name in known.parameters:
            _in_range(known, name, value, network.origin, (*at, "parameter", name))
            continue
        if name not in known.global_parameters:
            everything = [*known.parameters, *known.global_parameters]
            raise network.origin.error(
                (*at, "parameter", name), f"is not a parameter of {known.name}", expected=nearest(name, everything)
            )
        _in_range(known, name, value, network.origin, (*at, "parameter", name))
        full = f"{name}_{known.name}"
        if set_before.get(full, value) != value:
            problem = f"differs from {set_before[full]} set before, but all {known.name} share one value"
            raise network.origin.error((*at, "parameter", name), problem, expected="one value")
        found[full] = value
    values = {**known.parameters, **receptor.parameters}
    for rise, decay in known.rise_and_decay:
        if too_alike(values[rise], values[decay]):
            problem = f"has {rise} = {values[rise]:g} and {decay} = {values[decay]:g} ms, whose difference has no peak"
            raise network.origin.error((*at, "parameter"), problem, expected="two different times")
    return found


def _place(network: NetworkModel, cell: CellModel) -> Placement:
    section = network.synapses.section_id
    beyond = (section >= len(cell.morphology)).nonzero()[0]
    if len(beyond):
        file, line = network.where(int(beyond[0]))
        raise InputError(
            "is not a section of the cell",
            file=file,
            line=line,
            key="section id",
            value=int(section[beyond[0]]),
            expected=f"0 to {len(cell.morphology) - 1}, as {cell.name} has them",
        )
    return place(section, network.synapses.x, cell.geometry)
