"""One entry of a network file: a population and what it takes from its embedding (docs/formats.md, Network files)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from isfray.arrays import F64
from isfray.errors import InputError, Key
from isfray.formats.isf.activity import read_activity
from isfray.formats.isf.embedding import Embedded, parse_connections, parse_synapses
from isfray.formats.isf.entry import Entry
from isfray.formats.isf.weight_file import weights_of
from isfray.model.checked import Checked
from isfray.model.connect import Convergence
from isfray.model.inputs import InputFile
from isfray.model.population import Population, Receptor, ReleaseProbability, split_name
from isfray.model.ranges import DURATION, MOST_CELLS, WEIGHT, Count, Number

Fetch = Callable[[str, Key], InputFile]
"""Returns the file that a reference leads to, given where in the network file it stands."""


def _weights(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _probability(value: Any) -> ReleaseProbability:
    if value is None:
        return None
    if value == "dynamic":
        return "dynamic"
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError("is not a release probability")
    return float(value)


def _suffix(extension: str) -> Callable[[str], str]:
    def check(reference: str) -> str:
        if not reference.lower().endswith(extension):
            raise InputError("has the wrong extension", expected=f"a file name ending in {extension}")
        return reference

    return check


Weight = Annotated[Number, Field(ge=WEIGHT["least"], le=WEIGHT["most"])]


class _ReceptorEntry(Checked):
    threshold: Number = Field(default=0.0, description="a number")
    delay: Number = Field(ge=0, le=DURATION["most"], description="a delay >= 0 ms")
    weight: Annotated[tuple[Weight, ...], BeforeValidator(_weights)] = Field(
        min_length=1, description=f"a number or a list of numbers from 0 to {WEIGHT['most']:g}, in {WEIGHT['unit']}"
    )
    weight_distribution: Literal["lognormal"] | None = Field(
        default=None, alias="weightDistribution", description="'lognormal', or no such key"
    )
    parameter: dict[str, Number] = Field(default={}, description="a mapping of parameter names to numbers")


class _Release(Checked):
    release_probability: Annotated[Any, AfterValidator(_probability)] = Field(
        default=None, alias="releaseProb", description="a number from 0 to 1, 'dynamic', or no such key"
    )
    receptors: dict[str, Any] = Field(min_length=1, description="a mapping of point process names to their settings")


class _Synapses(_Release):
    synapse_file: Annotated[str, AfterValidator(_suffix(".syn"))] = Field(
        alias="distributionFile", description="the name of a .syn file"
    )
    connection_file: Annotated[str, AfterValidator(_suffix(".con"))] | None = Field(
        default=None, alias="connectionFile", description="the name of a .con file"
    )

    weight_file: str | None = Field(default=None, alias="weightFile", description="the name of a weight file")


class _Connecting(Checked):
    convergence: Annotated[Number, Field(ge=0, le=1)] | None = Field(default=None, description="a number from 0 to 1")
    connectivity_seed: Count = Field(default=0, description="a whole number >= 0")


class _Template(_Connecting):
    synapses: dict[str, Any] = Field(description="a mapping with receptors and releaseProb")


class _Entry(_Connecting):
    n_cells: Annotated[Count, Field(ge=1, le=MOST_CELLS)] = Field(
        alias="cellNr", description=f"a whole number of cells >= 1, at most {MOST_CELLS:,}"
    )
    synapses: dict[str, Any] = Field(description="a mapping with receptors, distributionFile and connectionFile")


ENTRY_KEYS = ("celltype", *_Entry.keys())
"""Keys of an entry that are not activity."""

OwnWeights = dict[int, F64]
"""By receptor, the weights of each synapse; only for receptors that a weight file tells of."""


def read_population(name: str, entry: Entry, fetch: Fetch) -> tuple[Population, Embedded, OwnWeights]:
    """Return the population that an entry of `network` describes, and what it takes from its embedding.

    Raises
    ------
    InputError
        For anything wrong in the entry or its files.
    """
    activity = read_activity(entry, ENTRY_KEYS)
    checked = entry.read(_Entry, entry)
    at = entry.child("synapses")
    synapses = at.read(_Synapses)
    receptors = _receptors(at)
    population = Population(name, *split_name(name), checked.n_cells, activity, synapses.release_probability, receptors)
    rows = parse_synapses(fetch(synapses.synapse_file, (*at.path, "distributionFile")))
    own: OwnWeights = {}
    if synapses.weight_file is not None:
        file = fetch(synapses.weight_file, (*at.path, "weightFile"))
        section = rows.first[rows.of(name)]
        for i, receptor in enumerate(receptors):
            weights = weights_of(file, name, receptor.mechanism, len(receptor.weight), section)
            if weights is not None:
                own[i] = weights
    if synapses.connection_file is not None:
        connections = parse_connections(fetch(synapses.connection_file, (*at.path, "connectionFile")))
        return population, Embedded(name, checked.n_cells, rows, connections), own
    if not checked.convergence:
        raise at.missing("connectionFile", "the name of a .con file, or a convergence > 0 in the entry")
    convergence = Convergence(checked.convergence, checked.connectivity_seed)
    return population, Embedded(name, checked.n_cells, rows, convergence), own


def check_template(entry: Entry) -> None:
    """Refuse an entry of an ongoing template that a population could not be made from.

    (docs/formats.md, Templates and counts)
    """
    read_activity(entry, ("celltype", *_Template.keys()))
    entry.read(_Template, entry)
    at = entry.child("synapses")
    at.read(_Release)
    _receptors(at)


def _receptors(synapses: Entry) -> tuple[Receptor, ...]:
    entries = synapses.child("receptors")
    return tuple(_receptor(mechanism, entries.child(mechanism)) for mechanism in entries)


def _receptor(mechanism: str, entry: Entry) -> Receptor:
    read = entry.read(_ReceptorEntry)
    if read.weight_distribution == "lognormal" and min(read.weight) <= 0:
        raise entry.error("weight", "has no lognormal distribution", expected="means > 0")
    return Receptor(mechanism, read.threshold, read.delay, read.weight, read.weight_distribution, dict(read.parameter))
