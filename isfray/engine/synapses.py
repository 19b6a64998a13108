"""Synapses on the live cell: point processes, the connections into them, and the events of one trial.

A synapse's receptor is a point process; what arrives at it comes as an event of a connection (NetCon) with the
population's weight. Depression and facilitation live in the connection, so synapses of one segment whose receptors have
the same kinetics share one point process: conductances add linearly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

import numpy as np

from isfray.engine.active import ActiveSynapses
from isfray.engine.live_cell import LiveCell
from isfray.engine.nmodl import known_mechanisms
from isfray.model.embedding import Placement
from isfray.model.network import NetworkModel, Receptor

PostEvents = Callable[[], int]
Kinetics = tuple[str, tuple[tuple[str, float], ...]]


@dataclass(eq=False)
class Connection:
    """A NetCon, and the weights it has: NEURON is told where they change only, for that is slow."""

    netcon: Any
    weights: tuple[float, ...] = ()

    def weigh(self, weights: tuple[float, ...]) -> None:
        """Give it these peak conductances, nS."""
        if weights != self.weights:
            for k, weight in enumerate(weights):
                self.netcon.weight[k] = weight
            self.weights = weights


class Synapses:
    """The network's receptors on one live cell.

    Parameters
    ----------
    cell : LiveCell
    network : NetworkModel
    placement : Placement
        Where the network's synapses sit on this cell.
    share : bool
        One point process per segment and kinetics (the default); else one per active synapse and receptor, as ISF does,
        rebuilt for every trial.
    """

    def __init__(self, cell: LiveCell, network: NetworkModel, placement: Placement, *, share: bool = True) -> None:
        self.cell, self.network, self.share = cell, network, share
        self._processes: dict[tuple[int, Kinetics], Any] = {}
        self._connections: dict[tuple[int, int, int], Connection] = {}
        self._of_this_trial: list[Any] = []
        self._receptors = [[(r, _kinetics(r)) for r in p.receptors] for p in network.populations]
        if share:
            self._place_all(placement)

    def _place_all(self, placement: Placement) -> None:
        # All of them, in one order, whatever trials come: sums are then the same to the last bit in every actor.
        connected = np.sort(self.network.connections.synapse)
        population = self.network.synapses.population[connected]
        segment = placement.flat_segment(self.cell.model.geometry)[connected]
        for p, flat in np.unique(np.column_stack([population, segment]), axis=0).tolist():
            for receptor, kinetics in self._receptors[p]:
                self._process(flat, receptor, kinetics)
        # Made as synapses first release, connections would let memory grow over some hundred trials.
        for index, p, flat in zip(connected.tolist(), population.tolist(), segment.tolist(), strict=True):
            for r, (receptor, kinetics) in enumerate(self._receptors[p]):
                self._connection(index, r, flat, receptor, kinetics)

    def bind(self, active: ActiveSynapses) -> PostEvents:
        """Make the trial's connections ready; return what posts and counts its events, for after `finitialize`."""
        self._of_this_trial = []
        targets: list[tuple[Any, list[float]]] = []
        segments = active.placement.flat_segment(self.cell.model.geometry)
        # synapses are sorted by population
        bounds = np.searchsorted(active.population, np.arange(len(self._receptors) + 1)).tolist()
        for p, (first, last) in enumerate(pairwise(bounds)):
            if first == last:
                continue
            offsets = active.offsets[first : last + 1]
            times, within = active.times[offsets[0] : offsets[-1]], (offsets - offsets[0]).tolist()
            places = active.index[first:last].tolist(), segments[first:last].tolist()
            for r, (receptor, kinetics) in enumerate(self._receptors[p]):
                drawn = active.weights.get((p, r))
                weights = repeat(receptor.weight) if drawn is None else map(tuple, drawn.tolist())
                arrivals = (times + receptor.delay).tolist()
                for index, segment, weight, lo, hi in zip(*places, weights, within, within[1:], strict=False):
                    connection = self._connection(index, r, segment, receptor, kinetics)
                    connection.weigh(weight)
                    targets.append((connection.netcon, arrivals[lo:hi]))

        def post() -> int:
            for netcon, arrivals in targets:
                for t in arrivals:
                    netcon.event(t)
            return sum(len(arrivals) for _, arrivals in targets)

        return post

    def _connection(self, index: int, r: int, segment: int, receptor: Receptor, kinetics: Kinetics) -> Connection:
        # A stored trial may have a known synapse (index >= 0) at another place.
        key = (index, r, segment)
        if key in self._connections:
            return self._connections[key]
        process = self._process(segment, receptor, kinetics)
        # Events are posted with their delay; CoreNEURON ends the process if a connection's own is shorter than a step.
        connection = Connection(self.cell.h.NetCon(None, process, receptor.threshold, 1.0, 0.0))
        if self.share and index >= 0:
            self._connections[key] = connection
        else:
            self._of_this_trial += [process, connection]
        return connection

    def _process(self, segment: int, receptor: Receptor, kinetics: Kinetics) -> Any:
        if self.share and (segment, kinetics) in self._processes:
            return self._processes[segment, kinetics]
        process = getattr(self.cell.h, receptor.mechanism)(self.cell.segments[segment])
        for name, value in kinetics[1]:
            setattr(process, name, value)
        if self.share:
            self._processes[segment, kinetics] = process
        return process


def _kinetics(receptor: Receptor) -> Kinetics:
    """What receptors must have in common to share a point process: NEURON's globals are common to all."""
    ranged = known_mechanisms()[receptor.mechanism].parameters
    return receptor.mechanism, tuple(sorted((k, v) for k, v in receptor.parameters.items() if k in ranged))
