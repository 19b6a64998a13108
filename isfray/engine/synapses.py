"""Synapses on the live cell: point processes, the connections into them, and the events of one trial.

A synapse's receptor is a point process; what arrives at it comes as an event of a connection (NetCon) with the
population's weight. Depression and facilitation live in the connection, so synapses of one segment whose receptors have
the same kinetics share one point process: conductances add linearly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from isfray.engine.active import ActiveSynapses
from isfray.engine.live_cell import LiveCell
from isfray.engine.nmodl import known_mechanisms
from isfray.model.embedding import Placement
from isfray.model.network import NetworkModel, Receptor

PostEvents = Callable[[], None]


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
        self._shared: dict[tuple[int, Any], Any] = {}
        self._connections: dict[tuple[int, int], Any] = {}
        self._alive: list[Any] = []
        if share:
            self._place_all(placement)

    def _place_all(self, placement: Placement) -> None:
        # All of them, in one order, whatever trials come: sums are then the same to the last bit in every actor.
        connected = np.sort(self.network.connections.synapse)
        population = self.network.synapses.population[connected]
        flat = placement.flat_segment(self.cell.model.geometry)[connected]
        pairs = np.unique(np.column_stack([population, flat]), axis=0, return_index=True)[1]
        for i in connected[pairs].tolist():
            for receptor in self.network.populations[self.network.synapses.population[i]].receptors:
                self._point_process(int(placement.section_id[i]), float(placement.x[i]), receptor)

    def bind(self, active: ActiveSynapses) -> PostEvents:
        """Make the trial's connections ready; return what posts its events, to be called after `finitialize`."""
        if not self.share:
            self._alive = []
        targets: list[tuple[Any, np.ndarray[Any, Any]]] = []
        rank = np.zeros(len(self.network.populations), np.int64)
        releases = np.split(active.times, active.offsets[1:-1]) if len(active) else []
        for i, (p, times) in enumerate(zip(active.population.tolist(), releases, strict=True)):
            for r, receptor in enumerate(self.network.populations[p].receptors):
                connection = self._connection(active, i, r, receptor)
                drawn = active.weights.get((p, r))
                weights = receptor.weight if drawn is None else drawn[rank[p]]
                for k, weight in enumerate(weights):
                    connection.weight[k] = weight
                targets.append((connection, times + receptor.delay))
            rank[p] += 1

        def post() -> None:
            for connection, times in targets:
                for t in times.tolist():
                    connection.event(t)

        return post

    def _connection(self, active: ActiveSynapses, i: int, r: int, receptor: Receptor) -> Any:
        index = int(active.index[i])
        if self.share and (index, r) in self._connections:
            return self._connections[index, r]
        process = self._point_process(int(active.placement.section_id[i]), float(active.placement.x[i]), receptor)
        # Events are posted with their delay; CoreNEURON ends the process if a connection's own is shorter than a step.
        connection = self.cell.h.NetCon(None, process, receptor.threshold, 1.0, 0.0)
        if self.share and index >= 0:
            self._connections[index, r] = connection
        else:
            self._alive += [process, connection]
        return connection

    def _point_process(self, section: int, x: float, receptor: Receptor) -> Any:
        kinetics = (receptor.mechanism, tuple(sorted(receptor.parameters.items())))
        place = (
            int(self.cell.model.geometry.offsets[section]) + self.cell.model.geometry.segment_index(section, x),
            kinetics,
        )
        if self.share and place in self._shared:
            return self._shared[place]
        process = getattr(self.cell.h, receptor.mechanism)(self.cell.sections[section](x))
        ranged = known_mechanisms()[receptor.mechanism].parameters
        for name, value in receptor.parameters.items():
            if name in ranged:  # others are NEURON globals
                setattr(process, name, value)
        if self.share:
            self._shared[place] = process
        return process
