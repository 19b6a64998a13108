"""The network model: populations of presynaptic cells, what they do, and their synapses on the cell (FORMATS 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from isfray.model.activity import Activity, read_activity
from isfray.model.inputs import FolderSource, InputFile, ModelInputs, Source, StoredSource, read_file
from isfray.model.param import Key, ParamFile, parse_param
from isfray.model.silencing import SilenceBySomaDistance, read_modify_functions
from isfray.model.synapses import (
    I64,
    Connections,
    Embedded,
    Synapses,
    TypedRows,
    embed,
    parse_connections,
    parse_synapses,
)
from isfray.model.validation import Count, Number, validate

ReleaseProbability = float | Literal["dynamic"] | None
_COLUMN = re.compile(r"(?P<celltype>.+)_(?P<column>[A-Z]\d|Alpha|Beta|Gamma|Delta)")


@dataclass(frozen=True)
class Receptor:
    """One point process that each synapse of a population has.

    Attributes
    ----------
    mechanism : str
        Point process, such as `glutamate_syn`.
    threshold : float
        Threshold of the connection.
    delay : float
        From presynaptic spike to postsynaptic event, ms.
    weight : tuple of float
        Weights of one event, nS; with `weight_distribution` their means.
    weight_distribution : None or "lognormal"
        How each synapse's weights are drawn, once a trial.
    parameters : dict
        Parameters of the point process.
    """

    mechanism: str
    threshold: float
    delay: float
    weight: tuple[float, ...]
    weight_distribution: Literal["lognormal"] | None = None
    parameters: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Population:
    """Presynaptic cells of one type in one column.

    Attributes
    ----------
    name : str
        Key in the network file.
    celltype, column : str
        The two halves of the name, split at its last `_` if what follows is a barrel column (a capital letter and a
        digit, or Alpha, Beta, Gamma, Delta); otherwise the whole name and the empty string.
    n_cells : int
        Number of cells; ids count from 0.
    activity : tuple of Activity
        What the cells do; the spikes of all entries add up.
    release_probability : float, None or "dynamic"
        Probability that one spike releases at one synapse. None: it always does. "dynamic": it is always delivered and
        the point process decides, which takes a mechanism that can (not `glutamate_syn`, `gaba_syn`; FORMATS 15.4).
    receptors : tuple of Receptor
        Point processes of each synapse.
    """

    name: str
    celltype: str
    column: str
    n_cells: int
    activity: tuple[Activity, ...]
    release_probability: ReleaseProbability
    receptors: tuple[Receptor, ...]


@dataclass(frozen=True, eq=False)
class NetworkModel:
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
    inputs : ModelInputs
        The files it was read from.
    """

    populations: tuple[Population, ...]
    synapses: Synapses
    connections: Connections
    modify_functions: tuple[SilenceBySomaDistance, ...]
    inputs: ModelInputs = field(repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the populations, in order."""
        return tuple(p.name for p in self.populations)

    @cached_property
    def cell_offsets(self) -> I64:
        """Running number of each population's first cell, int64[P + 1]; the last entry is the number of cells."""
        return np.concatenate([[0], np.cumsum([p.n_cells for p in self.populations])]).astype(np.int64)

    @cached_property
    def param(self) -> ParamFile:
        """The network file, parsed."""
        return parse_param(self.inputs.main.text, self.inputs.main.path or self.inputs.main.name)

    def where(self, synapse: int) -> tuple[str, int]:
        """Return the file and line that a synapse was read from; for messages."""
        population = int(self.synapses.population[synapse])
        name = self.names[population]
        reference = self.param.data["network"][name]["synapses"]["distributionFile"]
        rows = parse_synapses(self.inputs.references[reference])
        return rows.file, int(rows.line[rows.of(name)[synapse - self.synapses.offsets[population]]])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NetworkModel):
            return NotImplemented
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("populations", "synapses", "connections", "modify_functions")
        )

    __hash__ = None  # type: ignore[assignment]


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
    """
    main = read_file(path)
    return _build(main, FolderSource(Path(path).parent, search_paths))


def network_from_inputs(inputs: ModelInputs) -> NetworkModel:
    """Return the network model that the stored files describe; see `load_network`."""
    return _build(inputs.main, StoredSource(inputs.references))


def split_name(name: str) -> tuple[str, str]:
    """Return (celltype, column) of a population's name; the rule is told at `Population`.

    Examples
    --------
    >>> split_name("L4ss_C2"), split_name("L6cc_Delta"), split_name("INH")
    (('L4ss', 'C2'), ('L6cc', 'Delta'), ('INH', ''))
    """
    match = _COLUMN.fullmatch(name)
    return (match["celltype"], match["column"]) if match else (name, "")


def _weights(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _probability(value: Any) -> ReleaseProbability:
    if value is None:
        return None
    if value == "dynamic":
        return "dynamic"
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("is not a release probability")
    return float(value)


def _suffix(extension: str) -> Callable[[str], str]:
    def check(reference: str) -> str:
        if not reference.lower().endswith(extension):
            raise ValueError(f"has the wrong extension; expected a file name ending in {extension}")
        return reference

    return check


class _ReceptorEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    threshold: Number = Field(default=0.0, description="a number")
    delay: Number = Field(ge=0, description="a delay >= 0 ms")
    weight: Annotated[tuple[Number, ...], BeforeValidator(_weights)] = Field(
        min_length=1, description="a number or a list of numbers, in nS"
    )
    weight_distribution: Literal["lognormal"] | None = Field(
        default=None, alias="weightDistribution", description="'lognormal', or no such key"
    )
    parameter: dict[str, Number] = Field(default={}, description="a mapping of parameter names to numbers")


class _SynapsesEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    release_probability: Annotated[Any, AfterValidator(_probability)] = Field(
        default=None, alias="releaseProb", description="a number from 0 to 1, 'dynamic', or no such key"
    )
    synapse_file: Annotated[str, AfterValidator(_suffix(".syn"))] = Field(
        alias="distributionFile", description="the name of a .syn file"
    )
    connection_file: Annotated[str, AfterValidator(_suffix(".con"))] = Field(
        alias="connectionFile", description="the name of a .con file"
    )
    receptors: dict[str, Any] = Field(min_length=1, description="a mapping of point process names to their settings")


class _Entry(BaseModel):
    n_cells: Annotated[Count, Field(ge=1)] = Field(alias="cellNr", description="a whole number of cells >= 1")
    synapses: dict[str, Any] = Field(description="a mapping with receptors, distributionFile and connectionFile")
    convergence: Annotated[Number, Field(ge=0, le=1)] | None = Field(default=None, description="a number from 0 to 1")
    celltype: Any = None  # read by read_activity


_ENTRY_KEYS = ("cellNr", "celltype", "synapses", "convergence")


class _Files:
    """The referenced files, each read and parsed once."""

    def __init__(self, source: Source, param: ParamFile) -> None:
        self.source, self.param = source, param
        self.read: dict[str, InputFile] = {}
        self.parsed: dict[tuple[str, str], TypedRows] = {}

    def rows(self, reference: str, path: Key, parse: Callable[[InputFile], TypedRows]) -> TypedRows:
        key = (reference, parse.__name__)
        if key not in self.parsed:
            self.read[reference] = self.source.read(
                reference, file=self.param.file, key=".".join(str(step) for step in path)
            )
            self.parsed[key] = parse(self.read[reference])
        return self.parsed[key]


def _build(main: InputFile, source: Source) -> NetworkModel:
    param = parse_param(main.text, main.path or main.name)
    entries = param.data.get("network")
    if entries is None:
        raise param.error(("network",), "is missing", expected="a mapping of population names to their entries")
    if not isinstance(entries, dict):
        raise param.error(("network",), "is not a mapping", expected="population names to their entries")
    names = [name for name in entries if name != "network_modify_functions"]
    if not names:
        raise param.error(("network",), "holds no population", expected="at least one population")
    files = _Files(source, param)
    populations, embedded = zip(*(_population(name, entries[name], param, files) for name in names), strict=True)
    modify = read_modify_functions(
        entries.get("network_modify_functions", {}), names, param, ("network", "network_modify_functions")
    )
    synapses, connections = embed(embedded)
    return NetworkModel(populations, synapses, connections, modify, ModelInputs(main, files.read))


def _population(name: str, entry: Any, param: ParamFile, files: _Files) -> tuple[Population, Embedded]:
    path: Key = ("network", name)
    if not isinstance(entry, dict):
        raise param.error(path, "is not a mapping", expected="cellNr, celltype and synapses")
    activity = read_activity(entry, param, path, _ENTRY_KEYS)
    checked = validate(_Entry, {key: entry[key] for key in entry if key in _ENTRY_KEYS}, param, path)
    synapses = validate(_SynapsesEntry, checked.synapses, param, (*path, "synapses"))
    at = (*path, "synapses", "receptors")
    receptors = tuple(_receptor(mech, data, param, (*at, mech)) for mech, data in synapses.receptors.items())
    population = Population(name, *split_name(name), checked.n_cells, activity, synapses.release_probability, receptors)
    return population, Embedded(
        name,
        checked.n_cells,
        files.rows(synapses.synapse_file, (*path, "synapses", "distributionFile"), parse_synapses),
        files.rows(synapses.connection_file, (*path, "synapses", "connectionFile"), parse_connections),
    )


def _receptor(mechanism: str, data: Any, param: ParamFile, path: Key) -> Receptor:
    entry = validate(_ReceptorEntry, data, param, path)
    if entry.weight_distribution == "lognormal" and min(entry.weight) <= 0:
        raise param.error((*path, "weight"), "has no lognormal distribution", expected="means > 0")
    return Receptor(
        mechanism, entry.threshold, entry.delay, entry.weight, entry.weight_distribution, dict(entry.parameter)
    )
