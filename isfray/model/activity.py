"""What presynaptic cells do: the activity kinds of a network file, validated (docs/formats.md, Activity).

Times are in ms, rates in Hz. How each is drawn is told in `isfray.activity.spikes`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from isfray.model.ranges import HIGHEST_RATE, MOST_CELLS, SHORTEST_INTERVAL, Count, Number, Time

SPIKE_SOURCES = (
    "poissontrain",
    "pointcell_normal",
    "pointcell_uniform",
    "pointcell_lognormal",
    "pointcell_PSTH",
    "pointcell_PSTH_absolute_number",
    "pointcell_PSTH_poissontrain",
    "PSTH_poissontrain_v2",
    "poissontrain_modulated",
)
"""Source tags of spikes (docs/formats.md, Activity); a spike's source is an index into this."""


def _ordered(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] < interval[1]:
        raise ValueError("does not end after it begins; expected (begin, end) with begin < end, in ms")
    return interval


Rate = Annotated[Number, Field(ge=0, le=HIGHEST_RATE)]
Interval: TypeAlias = Annotated[tuple[Time, Time], AfterValidator(_ordered)]


class _Kind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    source: ClassVar[str]


class SpikeTrain(_Kind):
    """Ongoing activity: a renewal process between regular (noise 0) and Poisson (noise 1), one per cell.

    An interval is `(1 - noise) * interval` plus an exponential of mean `noise * interval`; the first spike comes at
    `start` plus the exponential part alone. ISF drops both `noise` and `start` if only `start` is given; here each
    counts whether or not the other is given.

    Attributes
    ----------
    interval : float
        Mean interval in ms.
    noise : float
        0 (regular) to 1 (Poisson).
    start : float
        Earliest time of the first spike, ms.
    nspikes : int or None
        Number of spikes of each cell; None: as many as fit.
    """

    source = "poissontrain"
    interval: Number = Field(ge=SHORTEST_INTERVAL, le=1e12, description="a mean interval > 0 ms, from 0.001 to 1e12")
    noise: Number = Field(default=1.0, ge=0, le=1, description="a number from 0 (regular) to 1 (Poisson)")
    start: Time = Field(default=0.0, description="a time in ms")
    nspikes: Count | None = Field(default=None, description="a whole number of spikes >= 0")


class _PointCell(_Kind):
    distribution: ClassVar[str]
    offset: Time = Field(default=10.0, description="a time in ms")


class _Once(_PointCell):
    active_frac: Number = Field(
        alias="activeFrac", ge=0, le=1, description="the fraction of cells that spike, from 0 to 1"
    )


class Normal(_Once):
    """A fraction of the cells spikes once, at `offset` + normal(spike_t, spike_width)."""

    source = "pointcell_normal"
    distribution = "normal"
    spike_t: Time = Field(alias="spikeT", description="a mean spike time in ms")
    spike_width: Number = Field(alias="spikeWidth", ge=0, le=1e9, description="a standard deviation >= 0 ms")


class Uniform(_Once):
    """A fraction of the cells spikes once, uniformly within `window` ms from `offset`."""

    source = "pointcell_uniform"
    distribution = "uniform"
    window: Number = Field(ge=0, le=1e9, description="a duration >= 0 ms")


class LogNormal(_Once):
    """A fraction of the cells spikes once, at `offset` + lognormal(mu, sigma)."""

    source = "pointcell_lognormal"
    distribution = "lognormal"
    mu: Number = Field(description="a number, the mean of log(time in ms)")
    sigma: Number = Field(ge=0, description="a number >= 0, the standard deviation of log(time in ms)")


def _as_many(values: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
    intervals = info.data.get("intervals")
    if intervals is not None and len(values) != len(intervals):
        raise ValueError(f"has {len(values)} entries for {len(intervals)} intervals; expected one for each interval")
    return values


class _Binned(_PointCell):
    intervals: tuple[Interval, ...] = Field(description="a list of (begin, end) pairs in ms")


class PSTH(_Binned):
    """In each bin every cell spikes at most once, with that bin's probability, uniformly within the bin.

    Probabilities below 0 (measured rate minus ongoing rate) never fire.
    """

    source = "pointcell_PSTH"
    distribution = "PSTH"
    probabilities: tuple[Number, ...] = Field(description="a list of numbers, one for each interval")

    _check = field_validator("probabilities")(_as_many)


class PSTHAbsoluteNumber(_Binned):
    """In each bin exactly this many cells spike (some of them twice if there are fewer cells)."""

    source = "pointcell_PSTH_absolute_number"
    distribution = "PSTH_absolute_number"
    number_active_synapses: tuple[Annotated[Count, Field(le=MOST_CELLS)], ...] = Field(
        description="a list of whole numbers >= 0, one for each interval"
    )

    _check = field_validator("number_active_synapses")(_as_many)


class PSTHPoissonTrain(_Binned):
    """A Poisson process with a rate for each interval. Intervals are absolute times: `offset` is not used."""

    source = "pointcell_PSTH_poissontrain"
    distribution = "PSTH_poissontrain"
    rates: tuple[Rate, ...] = Field(description="a list of rates >= 0 Hz, one for each interval")

    _check = field_validator("rates")(_as_many)


class PSTHPoissonTrainV2(_PointCell):
    """A Poisson process with a rate for each bin. Bins are absolute times: `offset` is not used."""

    source = "PSTH_poissontrain_v2"
    distribution = "PSTH_poissontrain_v2"
    bins: tuple[Time, ...] = Field(min_length=1, description="a list of increasing times in ms")
    rates: tuple[Rate, ...] = Field(description="a list of rates >= 0 Hz, one less than bins")

    @field_validator("bins")
    @classmethod
    def _increase(cls, bins: tuple[float, ...]) -> tuple[float, ...]:
        if any(b <= a for a, b in pairwise(bins)):
            raise ValueError("do not increase")
        return bins

    @field_validator("rates")
    @classmethod
    def _one_less(cls, rates: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        bins = info.data.get("bins")
        if bins is not None and len(rates) != len(bins) - 1:
            raise ValueError(f"has {len(rates)} entries for {len(bins)} bin borders; expected one less than bins")
        return rates


class ModulatedPoisson(_PointCell):
    """A Poisson process whose rate is modulated by a sine from `offset` on, with a phase for each cell."""

    source = "poissontrain_modulated"
    distribution = "poissontrain_modulated"
    rate_before_t_offset: Time = Field(ge=0, description="a rate >= 0 Hz")
    mean_rate: Rate = Field(description="a rate >= 0 Hz")
    max_modulation: Number = Field(ge=0, le=1000, description="a number >= 0, relative to mean_rate")
    modulation_frequency: Number = Field(ge=0, le=HIGHEST_RATE, description="a frequency >= 0 Hz")
    bin_size: Number = Field(ge=SHORTEST_INTERVAL, description="a bin width > 0 ms, at least 0.001")
    phase_distribution: Literal["uniform", "normal", "none"] = Field(
        description="'uniform', 'normal' (with mean_phase and std_phase) or 'none' (phase 0)"
    )
    mean_phase: Number | None = Field(default=None, validate_default=True, description="a phase in rad")
    std_phase: Annotated[Number, Field(ge=0)] | None = Field(
        default=None, validate_default=True, description="a standard deviation >= 0 rad"
    )

    @field_validator("mean_phase", "std_phase")
    @classmethod
    def _given(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None and info.data.get("phase_distribution") == "normal":
            raise ValueError("is missing; expected a number in rad, for phase_distribution 'normal'")
        return value


PointCell: TypeAlias = (
    Normal | Uniform | LogNormal | PSTH | PSTHAbsoluteNumber | PSTHPoissonTrain | PSTHPoissonTrainV2 | ModulatedPoisson
)
Activity: TypeAlias = SpikeTrain | PointCell

DISTRIBUTIONS: dict[str, type[PointCell]] = {
    kind.distribution: kind
    for kind in (
        Normal,
        Uniform,
        LogNormal,
        PSTH,
        PSTHAbsoluteNumber,
        PSTHPoissonTrain,
        PSTHPoissonTrainV2,
        ModulatedPoisson,
    )
}
