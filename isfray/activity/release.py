"""Synaptic release: which spikes of a presynaptic cell release at which of its synapses.

(docs/formats.md, Release, Weights, Network modify functions)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isfray.activity.seeds import Stage, stream, streams
from isfray.activity.spikes import Spikes
from isfray.arrays import F64, I32, I64
from isfray.errors import InputError
from isfray.model.activity import SPIKE_SOURCES
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement
from isfray.model.silencing import SilenceBySomaDistanceAndSource


@dataclass(frozen=True)
class Releases:
    """Releases of one trial, drawn or stored, by synapse: only synapses with at least one; arrays of shape (n,).

    Attributes
    ----------
    population : ndarray of int32
        Index of each synapse's population in the network, ascending.
    synapse_id : ndarray of int32
        Id within the population.
    synapse : ndarray of int64
        Index into the network's synapses; -1 for a stored one that is not among them.
    offsets : ndarray of int64, shape (n + 1,)
        Releases of synapse i are `times[offsets[i]:offsets[i + 1]]`.
    times : ndarray of float64
        Release times in ms; ascending within a synapse where they were drawn.
    weights : mapping of (int, int) to ndarray of float64, shape (synapses of the population here, components)
        By population index and receptor index, in the order of the synapses: only for receptors whose synapses differ
        in weight. All others have `Receptor.weight`.
    placement : Placement, optional
        Where the synapses sit on the cell; None where no cell was given.
    """

    population: I32
    synapse_id: I32
    synapse: I64
    offsets: I64
    times: F64
    weights: Mapping[tuple[int, int], F64] = field(default_factory=dict)
    placement: Placement | None = None

    def __len__(self) -> int:
        return len(self.synapse)


def draw_releases(network: NetworkModel, spikes: Spikes, seed: int, placement: Placement | None = None) -> Releases:
    """Draw the releases that the spikes cause: one chance for each synapse and spike of its cell.

    Parameters
    ----------
    network : NetworkModel
        Its connections say which cell drives which synapse.
    spikes : Spikes
        As drawn from the same network.
    seed : int
        Seed of the trial.
    placement : optional
        Where the synapses lie on the cell; needed if the network has modify functions.

    Raises
    ------
    InputError
        If the network has modify functions and there is no placement, or one of other synapses.
    """
    connections = network.connections
    n_spikes = np.bincount(network.cell_offsets[spikes.population] + spikes.cell_id, minlength=network.cell_offsets[-1])
    first_spike = np.cumsum(n_spikes) - n_spikes
    cell = network.cell_offsets[connections.population] + connections.cell_id
    # One entry for each connection and spike of its cell, in connection order.
    chances = n_spikes[cell]
    row = np.repeat(np.arange(len(connections)), chances)
    begin = np.concatenate([[0], np.cumsum(chances)])
    spike = np.arange(len(row)) - begin[row] + first_spike[cell[row]]
    released = _bernoulli(network, begin[connections.offsets], seed)
    synapse = connections.synapse[row]
    if network.modify_functions:
        released &= ~_silenced(network, synapse, spikes.source[spike], placement)
    synapse, times = synapse[released], spikes.time[spike[released]]
    order = np.argsort(synapse, kind="stable")  # a synapse has one row, whose spikes ascend
    synapse, times = synapse[order], times[order]
    starts = np.flatnonzero(np.diff(synapse, prepend=-1))
    active = synapse[starts]
    population = network.synapses.population[active]
    return Releases(
        population,
        (active - network.synapses.offsets[population]).astype(np.int32),
        active,
        np.append(starts, len(times)),
        times,
        _draw_weights(network, active, seed),
        None if placement is None else placement.take(active),
    )


def _bernoulli(network: NetworkModel, bounds: I64, seed: int) -> NDArray[np.bool_]:
    """Whether each chance is taken; population p holds the chances from bounds[p] to bounds[p + 1]."""
    released = np.ones(bounds[-1], np.bool_)
    rngs = streams(seed, tuple((population.name, Stage.RELEASE, 0) for population in network.populations))
    edges = bounds.tolist()
    for population, lo, hi, rng in zip(network.populations, edges, edges[1:], rngs, strict=False):
        if lo < hi and isinstance(population.release_probability, float):
            released[lo:hi] = rng.random(hi - lo) < population.release_probability
    return released


def _silenced(
    network: NetworkModel, synapse: I64, source: NDArray[np.int8], placement: Placement | None
) -> NDArray[np.bool_]:
    if placement is None or len(placement.soma_distance) != len(network.synapses):
        raise InputError(
            "silences synapses by their distance from the soma",
            key="network.network_modify_functions",
            expected="a placement of this network's synapses on a cell",
        )
    population, distance = network.synapses.population[synapse], placement.soma_distance[synapse]
    silenced = np.zeros(len(synapse), np.bool_)
    for function in network.modify_functions:
        kept: list[int] = []
        if isinstance(function, SilenceBySomaDistanceAndSource):
            kept = [SPIKE_SOURCES.index(tag) for tag in function.spike_sources]
        affected = ~np.isin(source, kept)
        for name, (low, high) in function.soma_dist_ranges.items():
            here = (population == network.names.index(name)) & (low <= distance) & (distance < high)
            silenced |= affected & here
    return silenced


def _draw_weights(network: NetworkModel, active: I64, seed: int) -> dict[tuple[int, int], F64]:
    weights: dict[tuple[int, int], F64] = {}
    for p, population in enumerate(network.populations):
        lo, hi = network.synapses.offsets[p : p + 2]
        for r in range(len(population.receptors)):
            if network.weights_differ(p, r):
                weights[p, r] = draw_weights(network, p, r, seed)[
                    active[slice(*np.searchsorted(active, (lo, hi)))] - lo
                ]
    return weights


def draw_weights(network: NetworkModel, population: int, receptor: int, seed: int) -> F64:
    """Draw lognormal weights of mean m and standard deviation m**2; those of a weight file are as given.

    (docs/formats.md, Weights)

    Drawn for every synapse, active or not, so that which synapses are active changes no weight.

    Returns
    -------
    float64[synapses of the population, components]
        In nS, by synapse id.
    """
    if (population, receptor) in network.synapse_weights:
        return network.synapse_weights[population, receptor]
    lo, hi = network.synapses.offsets[population : population + 2]
    drawn = network.populations[population]
    mean = np.array(drawn.receptors[receptor].weight)
    sigma = np.sqrt(np.log1p(mean**2))
    rng = stream(seed, drawn.name, Stage.WEIGHT, receptor)
    return rng.lognormal(np.log(mean) - sigma**2 / 2, sigma, (hi - lo, len(mean)))
