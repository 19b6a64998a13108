"""Connections drawn where a network gives a convergence instead of a `.con` file.

(docs/networks.md, Connections without a .con)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from isfray.arrays import I64


@dataclass(frozen=True)
class Convergence:
    """How a population is connected.

    Attributes
    ----------
    probability : float
        Probability that a cell of the population connects, > 0.
    seed : int
        `connectivity_seed` of the population's entry: another one gives other connections.
    """

    probability: float
    seed: int = 0


def connect(population: str, n_cells: int, n_synapses: int, convergence: Convergence) -> tuple[I64, I64]:
    """Draw which cell drives which synapse.

    Each cell connects with the given probability, drawn again until at least one does. In random order each connected
    cell gets one synapse, as far as there are synapses; every other synapse gets one of the connected cells, uniformly.

    The connections are part of the model, not of a trial: they depend on the population's name, its numbers of cells
    and synapses and its convergence alone. The stream is that of `SeedSequence(seed, spawn_key=sha256(name) as 8
    little-endian words)`; only its uniform doubles are used.

    Returns
    -------
    cell, synapse : int64[n_synapses]
        Ids within the population, ascending by cell, then synapse.
    """
    words = np.frombuffer(hashlib.sha256(population.encode()).digest(), "<u4").tolist()
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(convergence.seed, spawn_key=words)))
    connected = _connected(n_cells, convergence.probability, rng)
    first = connected[np.argsort(rng.random(len(connected)), kind="stable")][:n_synapses]
    rest = connected[(rng.random(n_synapses - len(first)) * len(connected)).astype(np.int64)]
    synapse = np.argsort(rng.random(n_synapses), kind="stable")
    cell = np.concatenate([first, rest])
    order = np.lexsort((synapse, cell))
    return cell[order], synapse[order]


def _connected(n_cells: int, probability: float, rng: np.random.Generator) -> I64:
    """Ids of the cells that connect, given that at least one does."""
    draws = rng.random(n_cells)
    if probability == 1.0:
        return np.arange(n_cells)
    # The first connected cell is geometric, cut off at n_cells; the cells after it are free. No redrawing, same law.
    miss = np.log1p(-probability)
    first = min(int(np.log1p(draws[0] * np.expm1(n_cells * miss)) / miss), n_cells - 1)
    after = np.flatnonzero(draws[first + 1 :] < probability) + first + 1
    return np.concatenate([[first], after]).astype(np.int64)
