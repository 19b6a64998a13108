"""The embedding: where synapses lie and which presynaptic cells drive them, as arrays.

(docs/formats.md, Synapses and connections)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from isfray.arrays import F64, I32, I64, ArrayEquality, frozen

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Synapses(ArrayEquality):
    """Every synapse of a network, grouped by population in network order, in a file's order within.

    A synapse's id within its population (as ISF counts) is its index minus `offsets[population]`.

    Attributes
    ----------
    section_id : int32[n]
        Section of the cell it lies on.
    x : float64[n]
        Position along that section, 0 to 1.
    offsets : int64[P + 1]
        Population p holds the synapses `offsets[p]` to `offsets[p + 1] - 1`.
    """

    section_id: I32
    x: F64
    offsets: I64

    def __len__(self) -> int:
        return len(self.section_id)

    @cached_property
    def population(self) -> I32:
        """Population of each synapse, int32[n]."""
        return frozen(np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets)))


@dataclass(frozen=True, eq=False)
class Connections(ArrayEquality):
    """Which presynaptic cell drives which synapse, grouped by population, in a file's order within.

    Attributes
    ----------
    cell_id : int32[m]
        Cell, counted within its population.
    synapse : int64[m]
        Index into `Synapses`; each synapse occurs at most once.
    offsets : int64[P + 1]
        Population p holds the rows `offsets[p]` to `offsets[p + 1] - 1`.
    """

    cell_id: I32
    synapse: I64
    offsets: I64

    def __len__(self) -> int:
        return len(self.cell_id)

    @cached_property
    def population(self) -> I32:
        """Population of each row, int32[m]."""
        return frozen(np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets)))
