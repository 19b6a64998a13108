"""Which populations of a network an edit is about, and the network with their entries changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from isfray.check import items, nearest
from isfray.errors import InputError
from isfray.formats.isf.network import network_from_data
from isfray.formats.isf.origin import param_of
from isfray.formats.isf.population import ENTRY_KEYS
from isfray.model.inputs import InputFile
from isfray.model.network import NetworkModel
from isfray.model.population import Population

Populations: TypeAlias = str | Iterable[str] | Callable[[Population], bool] | None
"""All (None), those of a name, cell type or column, those of several, or those a function says yes to."""

Entry: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Any], Entry]
"""Takes an activity; returns the keys that change, with their new values."""


def select(network: NetworkModel, populations: Populations) -> tuple[Population, ...]:
    """Return the populations that are meant, in network order; see `Populations`.

    Parameters
    ----------
    network : NetworkModel
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    tuple of Population

    Raises
    ------
    InputError
        For a word that is no name, cell type or column of the network, or if none is selected.

    Examples
    --------
    >>> [population.name for population in edits.select(network, ["VPM_C2", "VPM_D2"])]
    ['VPM_C2', 'VPM_D2']
    >>> len(edits.select(network, lambda population: population.is_inhibitory))
    99
    """
    everyone = network_of(network).populations
    if populations is None:
        return everyone
    if callable(populations):
        meant = tuple(p for p in everyone if populations(p))
    else:
        words = {populations} if isinstance(populations, str) else _words(populations)
        known = {word for p in everyone for word in (p.name, p.celltype, p.column) if word}
        for word in words:
            if word not in known:
                raise InputError(
                    "is no population, cell type or column of the network",
                    key="populations",
                    value=word,
                    expected=nearest(word, known),
                )
        meant = tuple(p for p in everyone if words & {p.name, p.celltype, p.column})
    if not meant:
        raise InputError("selects nothing", key="populations", expected="at least one population")
    return meant


def network_of(value: Any, key: str = "network") -> NetworkModel:
    """Return a network model; InputError if it is something else."""
    if not isinstance(value, NetworkModel):
        raise InputError("is not a network", key=key, value=value, expected="a NetworkModel, as load_network gives")
    return value


def _words(populations: Any) -> set[str]:
    expected = "a name, a list of names, or a function that is asked"
    words = items("populations", populations, expected)
    for word in words:
        if not isinstance(word, str):
            raise InputError("is no name", key="populations", value=word, expected=expected)
    return set(words)


def entries_of(network: NetworkModel) -> Entry:
    """Return the content of `network` in the network file: the entries by name, not to be changed, nulls left out."""
    return said(param_of(network_of(network)).data["network"])


def said(value: Entry) -> Entry:
    """Return a mapping, and those in it, without the keys whose value is null: they say nothing."""
    return {k: said(v) if isinstance(v, dict) else v for k, v in value.items() if v is not None}


def rebuilt(
    network: NetworkModel, entries: Mapping[str, Any], references: Mapping[str, InputFile] | None = None
) -> NetworkModel:
    """Return the network with other entries (and more referenced files); itself if they are the same."""
    if entries == entries_of(network):
        return network
    data = {**param_of(network).data, "network": dict(entries)}
    files = {**network.inputs.references, **(references or {})}
    return network_from_data(data, network.inputs.main.name, files, made="edited")


def edit_activity(network: NetworkModel, populations: Populations, kind: str, change: Change) -> NetworkModel:
    """Return the network with the `spiketrain` or `pointcell` keys of the selected populations changed.

    Populations without this kind of activity stay as they are; InputError if all are.
    """
    entries = dict(entries_of(network))
    found = False
    for p in select(network, populations):
        for activity in p.activity:
            if activity.kind != kind:
                continue
            found, keys = True, component(entries[p.name], kind) or {}
            try:
                new = change(activity)
            except InputError as error:
                raise error.at(file=param_of(network).file, under=(p.name,)) from None
            entries[p.name] = with_component(entries[p.name], kind, keys | new)
    if not found:
        raise InputError(f"have no {kind} activity", key="populations", expected="some that have")
    return rebuilt(network, entries)


def component(entry: Entry, kind: str) -> Entry | None:
    """Return the keys of one kind of activity; None if the entry has none of it."""
    celltype = entry["celltype"]
    if isinstance(celltype, dict):
        keys: Entry | None = celltype.get(kind)
        return keys
    if celltype != kind:
        return None
    return {key: value for key, value in entry.items() if key not in ENTRY_KEYS}


def with_component(entry: Entry, kind: str, keys: Entry) -> Entry:
    """Return the entry with the keys of one kind of activity replaced or, before what it does already, added."""
    celltype = entry["celltype"]
    if celltype == kind:
        return entry | keys
    rest = {key: entry[key] for key in entry if key in ENTRY_KEYS}
    own = celltype if isinstance(celltype, dict) else {celltype: component(entry, celltype)}
    return rest | {"celltype": own | {kind: keys} if kind in own else {kind: keys, **own}}
