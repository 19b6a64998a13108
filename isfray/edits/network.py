"""Edits of populations: their rates, their connections, and which of them are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from isfray.check import items, number, whole
from isfray.edits.selection import (
    Populations,
    edit_activity,
    entries_of,
    rebuilt,
    select,
)
from isfray.errors import InputError
from isfray.formats.isf.network import MODIFY
from isfray.model.network import NetworkModel


def scale_ongoing_rates(network: NetworkModel, factor: float, populations: Populations = None) -> NetworkModel:
    """Multiply the rates of ongoing activity (`spiketrain`): mean intervals are divided by `factor`, > 0.

    Parameters
    ----------
    network : NetworkModel
    factor : float
        Above 0.
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If the factor is none, or nothing is selected that has ongoing activity.

    Examples
    --------
    >>> busy = edits.scale_ongoing_rates(network, 2.0, "VPM")
    >>> [edits.select(n, "VPM_C2")[0].activity[0].interval for n in (network, busy)]
    [4761.9, 2380.95]
    """
    by = number("factor", factor, above=0.0)
    return edit_activity(network, populations, "spiketrain", lambda a: a.scaled(by).written(*a.strength))


def silence_populations(network: NetworkModel, populations: Populations) -> NetworkModel:
    """Take populations out of the network: cells, synapses and all. The input of the others is drawn as before.

    Parameters
    ----------
    network : NetworkModel
    populations : str, list of str, or callable
        Whose. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If nothing is selected, or everything.

    Examples
    --------
    >>> edits.silence_populations(network, ["VPM", "L4ss"])
    <NetworkModel network: 180 populations, 9,525 cells, 14,957 synapses>
    """
    gone = {p.name for p in select(network, populations)}
    if len(gone) == len(network.populations):
        raise InputError("leaves no population", key="populations", expected="fewer of them")
    entries = {name: entry for name, entry in entries_of(network).items() if name not in gone}
    functions = {}
    for name, keys in entries.get(MODIFY, {}).items():
        ranges = {p: limits for p, limits in keys["soma_dist_ranges"].items() if p not in gone}
        if ranges:
            functions[name] = keys | {"soma_dist_ranges": ranges}
    return rebuilt(network, entries | {MODIFY: functions} if MODIFY in entries else entries)


def silence_by_soma_distance(
    network: NetworkModel,
    nearest_um: float,
    farthest_um: float,
    populations: Populations = None,
    keep_sources: Sequence[str] | None = None,
) -> NetworkModel:
    """Disconnect synapses with `nearest_um` <= soma distance < `farthest_um` (a network modify function).

    Parameters
    ----------
    network : NetworkModel
    nearest_um, farthest_um : float
        Range of path lengths from the soma's surface, um.
    populations
        Whose synapses; see `isfray.edits`.
    keep_sources : sequence of str, optional
        Releases caused by spikes of these sources stay (`isfray.model.activity.SPIKE_SOURCES`).

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If the range is none, or a population has another range, or the network other sources, already.

    Examples
    --------
    >>> no_tuft = edits.silence_by_soma_distance(network, 800.0, 2000.0)
    >>> len(no_tuft.modify_functions)
    1
    """
    lowest = number("nearest_um", nearest_um, unit="um")
    highest = number("farthest_um", farthest_um, least=lowest, unit="um")
    name = "silence_synapses_by_somadist" + ("" if keep_sources is None else "_and_spike_source")
    entries = dict(entries_of(network))
    functions = dict(entries.get(MODIFY, {}))
    function = dict(functions.get(name, {"soma_dist_ranges": {}}))
    if keep_sources is not None:
        sources = _sources(keep_sources)
        if function.get("spike_sources", sources) != sources:
            there = str(function["spike_sources"])
            raise InputError("differs from the network's", key="keep_sources", value=sources, expected=there)
        function["spike_sources"] = sources
    ranges = dict(function["soma_dist_ranges"])
    for p in select(network, populations):
        low, high = ranges.get(p.name, (lowest, highest))
        if lowest > high or low > highest:
            problem = "is apart from the range that is silenced already"
            raise InputError(problem, key=p.name, value=(lowest, highest), expected=f"one that meets {(low, high)}")
        ranges[p.name] = [min(low, lowest), max(high, highest)]
    functions[name] = function | {"soma_dist_ranges": ranges}
    return rebuilt(network, entries | {MODIFY: functions})


def redraw_connections(network: NetworkModel, seed: int, populations: Populations = None) -> NetworkModel:
    """Draw other connections for the populations that have a convergence instead of a `.con` file.

    (docs/networks.md, Connections without a .con)

    Parameters
    ----------
    network : NetworkModel
    seed : int
        At least 0.
    populations : str, list of str, or callable, optional
        Whose; all by default. A name, a cell type or a column, several of them, or a function that is asked.

    Returns
    -------
    NetworkModel
        Another one; `network` stays as it is.

    Raises
    ------
    InputError
        If all that is selected has a `.con` file.

    Examples
    --------
    >>> _ = isfray.write_example("my_model")
    >>> synapses = {"receptors": {"glutamate_syn": {"threshold": 0.0, "delay": 0.0, "weight": 1.78}}}
    >>> vpm = {"celltype": "spiketrain", "interval": 4761.9, "convergence": 0.4, "synapses": synapses}
    >>> drawn = isfray.build_network({"network": {"VPM": vpm}}, [], {("C2", "VPM"): 128}, "my_model/synthetic_L5tt.syn")
    >>> other = edits.redraw_connections(drawn, seed=1)
    >>> other.connections == drawn.connections, other.synapses == drawn.synapses
    (False, True)
    """
    entries = dict(entries_of(network))
    drawn_from = whole("seed", seed, 0, 2**53)
    drawn = [p.name for p in select(network, populations) if not entries[p.name]["synapses"].get("connectionFile")]
    if not drawn:
        raise InputError("have .con files", key="populations", expected="some whose connections are drawn")
    entries |= {name: entries[name] | {"connectivity_seed": drawn_from} for name in drawn}
    return rebuilt(network, entries)


def _sources(value: Any) -> list[str]:
    expected = "a list of spike sources, such as poissontrain"
    names = [value] if isinstance(value, str) else items("keep_sources", value, expected)
    if not all(isinstance(name, str) for name in names):
        raise InputError("is not a list of names", key="keep_sources", value=value, expected=expected)
    return names
