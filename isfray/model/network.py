"""The network model: populations of presynaptic cells, what they do, and their synapses on the cell.

(docs/formats.md, Network files)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from isfray.arrays import F64, I64
from isfray.check import whole
from isfray.errors import InputError
from isfray.model.activity import SpikeTrain
from isfray.model.display import Facts, Shown, listed, plural
from isfray.model.inputs import MadeHere, ModelInputs, Origin
from isfray.model.population import Population
from isfray.model.silencing import SilenceBySomaDistance
from isfray.model.synapses import Connections, Synapses


@dataclass(frozen=True, eq=False, repr=False)
class NetworkModel(Shown):
    """Everything that drives the cell.

    Two models are equal if they hold the same populations, synapses, connections and modify functions, whatever files
    they were read from.

    Attributes
    ----------
    populations : tuple of Population
        In the order that all else counts them.
    synapses : Synapses
        Grouped by population.
    connections : Connections
        Grouped by population.
    modify_functions : tuple
        Silencing applied to the releases of each trial, in order.
    synapse_weights : mapping of (int, int) to float64[synapses of the population, components]
        By population index and receptor index, weights by synapse id, in nS: only for receptors that a weight file
        tells of. All others have `Receptor.weight`.
    origin : Origin
        What it was read from.
    name : str
        What it is called: the stem of its file.
    """

    populations: tuple[Population, ...]
    synapses: Synapses
    connections: Connections
    modify_functions: tuple[SilenceBySomaDistance, ...]
    synapse_weights: Mapping[tuple[int, int], F64]
    origin: Origin = field(default=MadeHere("network"), repr=False)
    name: str = "network"

    def __post_init__(self) -> None:
        """Refuse arrays that tell of other synapses, cells or populations than there are."""
        synapses, connections, n = self.synapses, self.connections, len(self.populations)
        if len(set(self.names)) < n:
            raise InputError("are not of different names", key="populations", expected="each name once")
        for key, rows in (("synapses", synapses), ("connections", connections)):
            offsets = rows.offsets
            if len(offsets) != n + 1 or offsets[0] != 0 or offsets[-1] != len(rows) or (np.diff(offsets) < 0).any():
                expected = f"{n + 1} numbers that ascend from 0 to {len(rows)}"
                raise InputError("do not group the rows by population", key=f"{key}.offsets", expected=expected)
        cells = np.array([p.n_cells for p in self.populations])[connections.population]
        within = synapses.offsets[connections.population], synapses.offsets[connections.population + 1] - 1
        for key, values, least, most in (
            ("synapses.section_id", synapses.section_id, 0, np.inf),
            ("synapses.x", synapses.x, 0.0, 1.0),
            ("connections.cell_id", connections.cell_id, 0, cells - 1),
            ("connections.synapse", connections.synapse, *within),
        ):
            if not (sound := (values >= least) & (values <= most)).all():
                wrong = int(np.argmin(sound))
                low, high = (np.broadcast_to(end, len(values))[wrong] for end in (least, most))
                expected = f"{low:g} to {high:g}"
                raise InputError("is out of range", key=(key, wrong), value=values[wrong].item(), expected=expected)

    @property
    def inputs(self) -> ModelInputs:
        """The files it was read from, byte for byte."""
        return self.origin.inputs

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the populations, in order."""
        return tuple(p.name for p in self.populations)

    @cached_property
    def cell_offsets(self) -> I64:
        """Running number of each population's first cell, int64[P + 1]; the last entry is the number of cells."""
        return np.concatenate([[0], np.cumsum([p.n_cells for p in self.populations])]).astype(np.int64)

    def weights_differ(self, population: int, receptor: int) -> bool:
        """Return whether the synapses of a population differ in a receptor's weights, from a file or drawn.

        Parameters
        ----------
        population, receptor : int
            Indices into `populations` and its `receptors`.

        Returns
        -------
        bool

        Examples
        --------
        >>> network.weights_differ(population=0, receptor=0)
        False
        """
        p = self.populations[whole("population", population, 0, len(self.populations) - 1)]
        drawn = p.receptors[whole("receptor", receptor, 0, len(p.receptors) - 1)].weight_distribution is not None
        return drawn or (population, receptor) in self.synapse_weights

    def where(self, synapse: int) -> tuple[str, int]:
        """Return the file and line that a synapse was read from; for messages.

        Parameters
        ----------
        synapse : int
            Index into `synapses`.

        Returns
        -------
        str, int

        Examples
        --------
        >>> file, line = network.where(0)
        >>> line
        6
        """
        synapse = whole("synapse", synapse, 0, len(self.synapses) - 1)
        population = int(self.synapses.population[synapse])
        return self.origin.row(self.names[population], int(synapse - self.synapses.offsets[population]))

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the network as a `.param` file, and beside it the files it names, byte for byte.

        References become bare file names. Reading the file gives an equal model.

        Parameters
        ----------
        path : path
            The `.param` file; its folder is made if need be.
        force : bool
            Replace files that are there with another content; without it they stay, and nothing is written.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the name does not end in `.param`, or a file there has the name but not the content of one to be
            written: nothing is written then.

        Examples
        --------
        >>> network.save("copy/network.param").name
        'network.param'
        >>> isfray.load_network("copy/network.param") == network
        True
        """
        return self.origin.save(path, force=force)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NetworkModel):
            return NotImplemented
        same = all(
            getattr(self, name) == getattr(other, name)
            for name in ("populations", "synapses", "connections", "modify_functions")
        )
        mine, theirs = self.synapse_weights, other.synapse_weights
        return same and mine.keys() == theirs.keys() and all(np.array_equal(mine[k], theirs[k]) for k in mine)

    __hash__ = None  # type: ignore[assignment]

    def _facts(self) -> Facts:
        types, columns = ({getattr(p, of) for p in self.populations} for of in ("celltype", "column"))
        cells, synapses = int(self.cell_offsets[-1]), len(self.synapses)
        of_each = np.diff(self.synapses.offsets)
        connected = len(np.unique(self.cell_offsets[self.connections.population] + self.connections.cell_id))
        inhibitory = int(sum(n for p, n in zip(self.populations, of_each, strict=True) if p.is_inhibitory))
        ongoing, evoked = (
            sum(any(isinstance(a, SpikeTrain) == kind for a in p.activity) for p in self.populations)
            for kind in (True, False)
        )
        rows = [
            ("cell types", f"{len(types)}: {listed(sorted(types))}"),
            ("columns", f"{len(columns)}: {listed(sorted(columns), 9)}"),
            ("cells", f"{cells:,}, of which {connected:,} have synapses"),
            ("synapses", f"{synapses - inhibitory:,} excitatory, {inhibitory:,} inhibitory"),
            ("activity", f"ongoing in {plural(ongoing, 'population')}, evoked in {evoked:,}"),
        ]
        if self.modify_functions:
            rows.append(("silenced", f"by soma distance, {plural(len(self.modify_functions), 'function')}"))
        gist = f"{plural(len(self.populations), 'population')}, {plural(cells, 'cell')}, {plural(synapses, 'synapse')}"
        return Facts("NetworkModel", self.name, gist, rows)
