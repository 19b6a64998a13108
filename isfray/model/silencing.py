"""The network's modify functions: populations silenced by distance from the soma (FORMATS 3.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from isfray.check import nearest
from isfray.model.activity import SPIKE_SOURCES
from isfray.model.param import Key, ParamFile
from isfray.model.validation import Number, known_keys, validate


def _range(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("ends before it begins; expected (min, max) with min <= max, in um")
    return limits


def _source(tag: str) -> str:
    if tag not in SPIKE_SOURCES:
        raise ValueError("is not a spike source; expected " + nearest(tag, SPIKE_SOURCES))
    return tag


class SilenceBySomaDistance(BaseModel):
    """Disconnects the synapses of each named population with min <= soma distance < max.

    Attributes
    ----------
    soma_dist_ranges : mapping of str to (float, float)
        Population name to (min, max), um.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    soma_dist_ranges: Mapping[str, Annotated[tuple[Number, Number], AfterValidator(_range)]] = Field(
        description="a mapping of population name to (min, max) in um"
    )


class SilenceBySomaDistanceAndSource(SilenceBySomaDistance):
    """In that range, keeps only releases caused by spikes of the listed sources.

    Attributes
    ----------
    spike_sources : tuple of str
        Source tags that are kept, out of `SPIKE_SOURCES`.
    """

    spike_sources: tuple[Annotated[str, AfterValidator(_source)], ...] = Field(
        description="a list of spike sources, such as poissontrain, pointcell_normal"
    )


MODIFY_FUNCTIONS: dict[str, type[SilenceBySomaDistance]] = {
    "silence_synapses_by_somadist": SilenceBySomaDistance,
    "silence_synapses_by_somadist_and_spike_source": SilenceBySomaDistanceAndSource,
}


def read_modify_functions(
    data: Any, populations: Collection[str], param: ParamFile, path: Key
) -> tuple[SilenceBySomaDistance, ...]:
    """Return the modify functions of a network file, in key order.

    Raises
    ------
    InputError
        For a function, population or spike source that is not known, or a range that is none.
    """
    if not isinstance(data, dict):
        raise param.error(path, "is not a mapping", expected="modify functions by name")
    known_keys(data, MODIFY_FUNCTIONS, param, path)
    functions = tuple(validate(MODIFY_FUNCTIONS[name], kwargs, param, (*path, name)) for name, kwargs in data.items())
    for name, function in zip(data, functions, strict=True):
        known_keys(dict(function.soma_dist_ranges), populations, param, (*path, name, "soma_dist_ranges"))
    return functions
