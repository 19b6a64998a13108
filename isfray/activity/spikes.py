"""Presynaptic spikes: what every population does, drawn from streams of its own (docs/formats.md, Activity)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isfray.activity.seeds import Key, Stage, streams
from isfray.arrays import F64
from isfray.model.activity import SPIKE_SOURCES, SpikeTrain
from isfray.model.network import NetworkModel
from isfray.model.population import Population


@dataclass(frozen=True)
class Spikes:
    """Presynaptic spikes of one trial, sorted by population, cell and time.

    Attributes
    ----------
    population : int32[k]
        Index into the network's populations.
    cell_id : int32[k]
        Cell within its population.
    time : float64[k]
        ms, 0 <= time <= t_stop.
    source : int8[k]
        What made it spike: index into `isfray.model.activity.SPIKE_SOURCES`.
    """

    population: NDArray[np.int32]
    cell_id: NDArray[np.int32]
    time: F64
    source: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.time)


def draw_spikes(network: NetworkModel, seed: int, t_stop: float) -> Spikes:
    """Draw the spikes of every cell, connected or not.

    Spikes before 0 or after `t_stop` cannot act within the trial and are dropped; one at `t_stop` is kept.
    """
    cells: list[NDArray[np.intp]] = []
    times: list[F64] = []
    sources: list[int] = []
    rngs = streams(seed, tuple(key for population in network.populations for key in _keys(population)))
    for population, first_cell in zip(network.populations, network.cell_offsets.tolist(), strict=False):
        for component in population.activity:
            cell, time = component.draw(population.n_cells, t_stop, next(rngs))
            cells.append(cell + first_cell)
            times.append(time)
            sources.append(SPIKE_SOURCES.index(component.source))
    cell, time = np.concatenate(cells), np.concatenate(times)
    source = np.repeat(np.array(sources, np.int8), [len(part) for part in times])
    order = np.lexsort((time, cell))
    order = order[(time[order] >= 0) & (time[order] <= t_stop)]
    cell = cell[order]
    index = np.searchsorted(network.cell_offsets, cell, side="right") - 1
    return Spikes(
        index.astype(np.int32), (cell - network.cell_offsets[index]).astype(np.int32), time[order], source[order]
    )


def _keys(population: Population) -> Iterator[Key]:
    counts = dict.fromkeys(Stage, 0)
    for component in population.activity:
        stage = Stage.SPIKETRAIN if isinstance(component, SpikeTrain) else Stage.POINTCELL
        yield population.name, stage, counts[stage]
        counts[stage] += 1
