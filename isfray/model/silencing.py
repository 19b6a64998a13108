"""The network's modify functions: populations silenced by distance from the soma.

(docs/formats.md, Network modify functions)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from isfray.check import nearest
from isfray.errors import InputError
from isfray.model.activity import SPIKE_SOURCES
from isfray.model.checked import Checked
from isfray.model.ranges import Number


def _range(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise InputError("ends before it begins", expected="(min, max) with min <= max, in um")
    return limits


def _source(tag: str) -> str:
    if tag not in SPIKE_SOURCES:
        raise InputError("is not a spike source", expected=nearest(tag, SPIKE_SOURCES))
    return tag


class SilenceBySomaDistance(Checked):
    """Disconnects the synapses of each named population with min <= soma distance < max.

    Attributes
    ----------
    soma_dist_ranges : mapping of str to (float, float)
        Population name to (min, max), um.
    """

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
