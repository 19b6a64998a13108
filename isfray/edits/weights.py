"""Edits of synaptic weights (docs/formats.md, Weights)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, Unpack

import numpy as np

from isfray.check import items, nearest, number
from isfray.edits.selection import Entry, Populations, entries_of, network_of, rebuilt, select
from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.formats.isf.weight_file import parse_weights
from isfray.model.display import listed
from isfray.model.network import NetworkModel
from isfray.model.ranges import WEIGHT, Range

Weight: TypeAlias = float | Sequence[float]
"""One number for all components, or one for each: (AMPA, NMDA) of a `glutamate_syn`."""

_Change: TypeAlias = Callable[[list[float], str], list[float]]
"""Takes the components of a weight and where it stands; returns the new ones."""


def scale_weights(
    network: NetworkModel, factor: Weight, populations: Populations = None, receptor: str | None = None
) -> NetworkModel:
    """Multiply the weights of receptors.

    Parameters
    ----------
    network : NetworkModel
    factor : float or sequence of float
        For all components of a weight, or one for each: (1.0, 0.0) of a `glutamate_syn` blocks NMDA receptors.
    populations
        Whose receptors; see `isfray.edits`.
    receptor : str, optional
        Only receptors of this mechanism.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If the factor is none, or has another number of components than a weight, or there is no such receptor.

    Examples
    --------
    >>> blocked = edits.scale_weights(network, (1.0, 0.0), "VPM", receptor="glutamate_syn")  # no NMDA receptors
    >>> edits.select(blocked, "VPM_C2")[0].receptors[0].weight
    (1.78, 0.0)
    """
    by = _numbers("factor", factor, least=0.0)

    def change(weight: list[float], key: str) -> list[float]:
        return [w * f for w, f in zip(weight, _components(by, len(weight), key), strict=True)]

    return _edit_weights(network, {p.name: change for p in select(network, populations)}, receptor)


def set_weights(network: NetworkModel, weights: Mapping[str, Weight], receptor: str | None = None) -> NetworkModel:
    """Set the weights of receptors, in nS.

    Parameters
    ----------
    network : NetworkModel
    weights : mapping
        By population, cell type or column: one number for all components, or one for each, (AMPA, NMDA). Where
        several mean one population, the last counts.
    receptor : str, optional
        Only receptors of this mechanism.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        As `scale_weights`.

    Examples
    --------
    >>> stronger = edits.set_weights(network, {"VPM": 2.0, "L4ss": (1.2, 0.6)})
    >>> [edits.select(stronger, name)[0].receptors[0].weight for name in ("VPM_C2", "L4ss_C2")]
    [(2.0, 2.0), (1.2, 0.6)]
    """
    network_of(network)
    if not isinstance(weights, Mapping):
        raise InputError("is no mapping", key="weights", value=weights, expected="weights by population: {name: nS}")
    changes: dict[str, _Change] = {}
    for selected, weight in weights.items():
        change = partial(_set, _numbers(f"weights.{selected}", weight, **WEIGHT))
        changes |= {p.name: change for p in select(network, selected)}
    return _edit_weights(network, changes, receptor)


def with_weights_from(network: NetworkModel, file: str | Path) -> NetworkModel:
    r"""Give each synapse its own weights, from a weight file, in place of those of the network file.

    (docs/formats.md, Weights)

    Receptors of a population that the file does not tell of keep theirs.

    Parameters
    ----------
    network : NetworkModel
    file : path
        One line a synapse and receptor.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If the file is malformed, tells of none of the network's populations or of other synapses than the network's, or
        leaves out a synapse.

    Examples
    --------
    >>> from pathlib import Path
    >>> place = network.names.index("VPM_C2")
    >>> sections = network.synapses.section_id[network.synapses.population == place]
    >>> rows = [f"VPM_C2\t{i}\t{section}\t0\tglutamate_syn\t1.5,0.5," for i, section in enumerate(sections)]
    >>> _ = Path("weights.csv").write_text("\n".join(["type, synapse, section, point, receptor, weights", *rows]))
    >>> edits.with_weights_from(network, "weights.csv").weights_differ(place, 0)
    True
    """
    network_of(network)
    read = read_file(file, key="file")
    if network.inputs.references.get(read.name, read).data != read.data:
        raise InputError("is the name of another file of the network", key="file", value=read.name, expected="another")
    told = {population for population, _ in parse_weights(read)}
    entries = dict(entries_of(network))
    for name in network.names:
        if name in told:
            synapses = entries[name]["synapses"] | {"weightFile": read.name}
            entries[name] = entries[name] | {"synapses": synapses}
    if not told & set(network.names):
        raise InputError("tells of no population of the network", file=str(file), expected=listed(network.names, 3))
    return rebuilt(network, entries, {read.name: read})


def _set(to: list[float], weight: list[float], key: str) -> list[float]:
    return _components(to, len(weight), key)


def _edit_weights(network: NetworkModel, changes: Mapping[str, _Change], receptor: str | None) -> NetworkModel:
    if receptor is not None and not isinstance(receptor, str):
        raise InputError("is no name", key="receptor", value=receptor, expected="the name of a mechanism")
    entries = dict(entries_of(network))
    found, known = False, set[str]()
    for population, change in changes.items():
        synapses: Entry = entries[population]["synapses"]
        if "weightFile" in synapses:
            there = synapses["weightFile"]
            raise InputError("has its weights from a file", key=population, value=there, expected="other populations")
        receptors: dict[str, Any] = dict(synapses["receptors"])
        known |= receptors.keys()
        for name, keys in receptors.items():
            if receptor in (None, name):
                found = True
                old = keys["weight"] if isinstance(keys["weight"], list) else [keys["weight"]]
                new = change(old, f"{population}.{name}.weight")
                receptors[name] = keys | {"weight": new if isinstance(keys["weight"], list) else new[0]}
        entries[population] = entries[population] | {"synapses": synapses | {"receptors": receptors}}
    if not found:
        expected = nearest(receptor, known) if receptor and known else "a receptor of the selected populations"
        raise InputError("is not there", key="receptor", value=receptor, expected=expected)
    return rebuilt(network, entries)


def _numbers(key: str, value: Weight, **bounds: Unpack[Range]) -> list[float]:
    several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)
    return [number(key, v, **bounds) for v in (items(key, value, "numbers") if several else [value])]


def _components(values: list[float], n: int, key: str) -> list[float]:
    """One value for each of n components."""
    if len(values) not in (1, n):
        raise InputError(f"has {n} components", key=key, value=values, expected=f"one number, or {n}")
    return values * n if len(values) == 1 else values
