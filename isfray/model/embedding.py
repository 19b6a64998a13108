"""A network on a cell: what the input of a trial is made for."""

from __future__ import annotations

from dataclasses import dataclass

from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement


@dataclass(frozen=True)
class Embedding:
    """A cell, the network around it, and where the network's synapses land; without a network the last two are None."""

    cell: CellModel
    network: NetworkModel | None = None
    placement: Placement | None = None
