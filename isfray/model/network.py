"""The network model: populations of presynaptic cells, what they do, and their synapses on the cell (FORMATS 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from isfray.check import whole
from isfray.model.activity import SpikeTrain
from isfray.model.display import Facts, Shown, listed, plural
from isfray.model.inputs import FolderSource, InputFile, ModelInputs, Source, StoredSource, files_of, read_file
from isfray.model.param import MOST_BYTES as PARAM_BYTES
from isfray.model.param import Key, ParamFile, dotted, format_param, parse_param, plain
from isfray.model.population import Population, Receptor, read_population, split_name
from isfray.model.silencing import SilenceBySomaDistance, read_modify_functions
from isfray.model.storing import write_inputs
from isfray.model.synapses import F64, I64, Connections, Synapses, embed, parse_synapses

__all__ = [
    "NetworkModel",
    "Population",
    "Receptor",
    "load_network",
    "network_from_data",
    "network_from_inputs",
    "split_name",
]

MODIFY = "network_modify_functions"
_REFERENCES = ("distributionFile", "connectionFile", "weightFile")


@dataclass(frozen=True, eq=False, repr=False)
class NetworkModel(Shown):
    """Everything that drives the cell.

    Two models are equal if they hold the same populations, synapses, connections and modify functions, whatever files
    they were read from.

    Attributes
    ----------
    populations : tuple of Population
        In file order.
    synapses : Synapses
        Grouped by population.
    connections : Connections
        Grouped by population.
    modify_functions : tuple
        Silencing applied to the releases of each trial, in order.
    synapse_weights : mapping of (int, int) to float64[synapses of the population, components]
        By population index and receptor index, weights by synapse id, in nS: only for receptors that a weight file
        tells of. All others have `Receptor.weight`.
    inputs : ModelInputs
        The files it was read from.
    """

    populations: tuple[Population, ...]
    synapses: Synapses
    connections: Connections
    modify_functions: tuple[SilenceBySomaDistance, ...]
    synapse_weights: Mapping[tuple[int, int], F64]
    inputs: ModelInputs = field(repr=False)

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

    @cached_property
    def param(self) -> ParamFile:
        """The network file, parsed."""
        return parse_param(self.inputs.main.text, self.inputs.main.path or self.inputs.main.name)

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
        name = self.names[population]
        reference = self.param.data["network"][name]["synapses"]["distributionFile"]
        rows = parse_synapses(self.inputs.references[reference])
        return rows.file, int(rows.line[rows.of(name)[synapse - self.synapses.offsets[population]]])

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
        return write_inputs(self.inputs, self.param.data, path, _renamed, force=force)

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
        return Facts("NetworkModel", PurePath(self.inputs.main.name).stem, gist, rows)


def load_network(path: str | Path, search_paths: Iterable[str | Path] = ()) -> NetworkModel:
    """Read a network `.param` file and the `.syn` and `.con` files it names.

    Parameters
    ----------
    path : str or Path
        The file.
    search_paths : iterable of path
        Folders in which referenced files are looked for after the file's own folder.

    Returns
    -------
    NetworkModel

    Raises
    ------
    InputError
        For anything wrong in any of the files, naming file, line or key, value and what was expected.

    Examples
    --------
    >>> cell_file, network_file = isfray.write_example("my_model")
    >>> isfray.load_network(network_file)
    <NetworkModel network: 198 populations, 10,592 cells, 16,727 synapses>
    """
    main = read_file(path, most=PARAM_BYTES)
    return _build(main, FolderSource(Path(main.path).parent, search_paths))


def network_from_inputs(inputs: ModelInputs) -> NetworkModel:
    """Return the network model that the stored files describe; see `load_network`."""
    return _build(files_of(inputs).main, StoredSource(inputs.references))


def network_from_data(
    data: Mapping[str, Any], name: str, references: Mapping[str, InputFile], made: str
) -> NetworkModel:
    """Return the network model that the content of a network file describes.

    Parameters
    ----------
    data : mapping
        Content of a network file.
    name : str
        The file's name.
    references : mapping
        The files it names, by reference as written; more than it needs may be given.
    made : str
        How it came about; messages put it before the name.
    """
    where = f"{made} {name}"
    return _build(InputFile(name, format_param(plain(data, where)).encode(), where), StoredSource(references))


def _build(main: InputFile, source: Source) -> NetworkModel:
    param = parse_param(main.text, main.path or main.name)
    entries = param.data.get("network")
    if entries is None:
        raise param.error(("network",), "is missing", expected="a mapping of population names to their entries")
    if not isinstance(entries, dict):
        raise param.error(("network",), "is not a mapping", expected="population names to their entries")
    names = [name for name in entries if name != MODIFY]
    if not names:
        raise param.error(("network",), "holds no population", expected="at least one population")
    read: dict[str, InputFile] = {}

    def fetch(reference: str, path: Key) -> InputFile:
        if reference not in read:
            read[reference] = source.read(reference, file=param.file, key=dotted(path))
        return read[reference]

    populations, embedded, own = zip(
        *(read_population(name, entries[name], param, fetch) for name in names), strict=True
    )
    modify = read_modify_functions(
        {} if entries.get(MODIFY) is None else entries[MODIFY], names, param, ("network", MODIFY)
    )
    weights = {(p, r): values for p, by_receptor in enumerate(own) for r, values in by_receptor.items()}
    network = NetworkModel(populations, *embed(embedded), modify, weights, ModelInputs(main, read))
    network.__dict__["param"] = param  # the cached property: parsed once
    return network


def _renamed(data: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The content of a network file with its references renamed."""

    def entry(value: dict[str, Any]) -> dict[str, Any]:
        synapses = value["synapses"]
        return {
            **value,
            "synapses": {k: names[v] if k in _REFERENCES and v else v for k, v in synapses.items()},
        }

    network = {name: value if name == MODIFY else entry(value) for name, value in data["network"].items()}
    return {**data, "network": network}
