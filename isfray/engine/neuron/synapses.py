"""Synapses on the live cell: point processes, the connections into them, and the events of one trial.

A synapse's receptor is a point process; what arrives at it comes as an event of a connection (NetCon) with the
population's weight. Depression and facilitation live in the connection, so synapses of one segment whose receptors have
the same kinetics share one point process: conductances add linearly. Where a receptor has neither, and all synapses of
its population the same weight, they share the connection too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from isfray.activity import Releases
from isfray.engine.neuron.live_cell import LiveCell
from isfray.model.mechanisms import Mechanism
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement
from isfray.model.population import Receptor

PostEvents = Callable[[], int]
Kinetics = tuple[str, tuple[tuple[str, float], ...]]
# What a receptor has that neither depresses nor facilitates: its connections forget what they have carried
_FORGETS = {f"decay{x}": 1.0 for x in ("ampa", "nmda", "gaba")} | {f"facil{x}": 0.0 for x in ("ampa", "nmda", "gaba")}


@dataclass(eq=False)
class Kind:
    """A receptor of a population.

    Attributes
    ----------
    receptor : Receptor
    kinetics : Kinetics
        What receptors must have in common to share a point process.
    pooled : bool
        Whether all its synapses of one segment may share a connection.
    pool : dict of int to NetCon
        These connections by segment.
    """

    receptor: Receptor
    kinetics: Kinetics
    pooled: bool
    pool: dict[int, Any] = field(default_factory=dict)


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
        self._connections: dict[tuple[Any, ...], Connection] = {}
        # What a stored trial has at other places goes again after it: else later trials would depend on it.
        self._of_this_trial: list[Any] = []
        self._shared_in_this_trial: dict[tuple[int, Kinetics], Any] = {}
        self._kinds = [
            [
                Kind(x, _kinetics(x, known), share and _forgets(x, known) and not network.weights_differ(p, r))
                for r, x in enumerate(population.receptors)
                for known in [cell.model.mechanisms[x.mechanism]]
            ]
            for p, population in enumerate(network.populations)
        ]
        if share:
            self._place_all(placement)

    def _place_all(self, placement: Placement) -> None:
        # All of them, in one order, whatever trials come: sums are then the same to the last bit in every actor.
        connected = np.sort(self.network.connections.synapse)
        population = self.network.synapses.population[connected]
        segment = placement.flat_segment(self.cell.model.geometry)[connected]
        for p, flat in np.unique(np.column_stack([population, segment]), axis=0).tolist():
            for kind in self._kinds[p]:
                if (flat, kind.kinetics) not in self._processes:
                    self._processes[flat, kind.kinetics] = self._new_process(flat, kind)
                if kind.pooled:
                    kind.pool[flat] = self._pooled(flat, kind, self._connections)
        # Made as synapses first release, connections would let memory grow over some hundred trials.
        for index, p, flat in zip(connected.tolist(), population.tolist(), segment.tolist(), strict=True):
            for r, kind in enumerate(self._kinds[p]):
                if not kind.pooled:
                    self._connections[index, r, flat] = self._connect(flat, kind)

    def bind(self, releases: Releases) -> PostEvents:
        """Make the trial's connections ready; return what posts and counts its events, for after `finitialize`."""
        self._of_this_trial = []
        self._shared_in_this_trial = {}
        targets: list[Any] = []
        times: list[float] = []
        assert releases.placement is not None
        segments = releases.placement.flat_segment(self.cell.model.geometry)
        # synapses are sorted by population
        bounds = np.searchsorted(releases.population, np.arange(len(self._kinds) + 1)).tolist()
        for p, (first, last) in enumerate(pairwise(bounds)):
            if first == last:
                continue
            offsets = releases.offsets[first : last + 1]
            index, segment = releases.synapse[first:last].tolist(), segments[first:last].tolist()
            of_release = np.repeat(np.arange(last - first), np.diff(offsets)).tolist()
            for r, kind in enumerate(self._kinds[p]):
                if kind.pooled:
                    pool, elsewhere = kind.pool, sorted(set(segment) - kind.pool.keys())
                    if elsewhere:  # of a stored trial
                        made: dict[tuple[Any, ...], Connection] = {}
                        pool = pool | {flat: self._pooled(flat, kind, made) for flat in elsewhere}
                        self._of_this_trial += made.values()
                    netcons = [pool[flat] for flat in segment]
                else:
                    drawn = releases.weights.get((p, r))
                    weights = [kind.receptor.weight] * len(index) if drawn is None else map(tuple, drawn.tolist())
                    netcons = self._weighed(index, r, segment, weights, kind)
                targets += [netcons[i] for i in of_release]
                times += (releases.times[offsets[0] : offsets[-1]] + kind.receptor.delay).tolist()

        def post() -> int:
            for netcon, t in zip(targets, times, strict=True):
                netcon.event(t)
            return len(times)

        return post

    def _pooled(self, segment: int, kind: Kind, among: dict[tuple[Any, ...], Connection]) -> Any:
        key = segment, kind.kinetics, kind.receptor.weight
        if key not in among:
            among[key] = self._connect(segment, kind)
            among[key].weigh(kind.receptor.weight)
        return among[key].netcon

    def _weighed(
        self, index: list[int], r: int, segment: list[int], weights: Iterable[tuple[float, ...]], kind: Kind
    ) -> list[Any]:
        connections = [self._own(i, r, flat, kind) for i, flat in zip(index, segment, strict=True)]
        for connection, weight in zip(connections, weights, strict=True):
            connection.weigh(weight)
        return [connection.netcon for connection in connections]

    def _own(self, index: int, r: int, segment: int, kind: Kind) -> Connection:
        if found := self._connections.get((index, r, segment)):
            return found
        connection = self._connect(
            segment, kind
        )  # not shared, or of a stored trial, which may have it at another place
        self._of_this_trial.append(connection)
        return connection

    def _connect(self, segment: int, kind: Kind) -> Connection:
        # Events are posted with their delay; CoreNEURON ends the process if a connection's own is below two steps.
        delay = max(1.0, 4 * self.cell.h.dt)
        return Connection(self.cell.h.NetCon(None, self._process(segment, kind), kind.receptor.threshold, delay, 0.0))

    def _process(self, segment: int, kind: Kind) -> Any:
        key = segment, kind.kinetics
        if key in self._processes:
            return self._processes[key]
        if not self.share or key not in self._shared_in_this_trial:
            process = self._new_process(segment, kind)
            self._of_this_trial.append(process)
            self._shared_in_this_trial[key] = process
        return self._shared_in_this_trial[key]

    def _new_process(self, segment: int, kind: Kind) -> Any:
        process = getattr(self.cell.h, kind.receptor.mechanism)(self.cell.segments[segment])
        for name, value in kind.kinetics[1]:
            setattr(process, name, value)
        return process


def _kinetics(receptor: Receptor, mechanism: Mechanism) -> Kinetics:
    """What receptors must have in common to share a point process: NEURON's globals are common to all."""
    ranged = ((k, v) for k, v in receptor.parameters.items() if k in mechanism.parameters)
    return receptor.mechanism, tuple(sorted(ranged))


def _forgets(receptor: Receptor, mechanism: Mechanism) -> bool:
    """Whether it neither depresses nor facilitates."""
    parameters = {**mechanism.parameters, **receptor.parameters}
    return all(parameters[name] == value for name, value in _FORGETS.items() if name in parameters)
