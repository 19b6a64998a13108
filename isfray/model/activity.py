"""What presynaptic cells do: the kinds of activity, how each is drawn, scaled and moved (docs/formats.md, Activity).

Times are in ms, rates in Hz. The laws of the draws are ISF's; their order is not, for ISF draws cell by cell from one
global stream: here all cells of a population are drawn at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from isfray.arrays import F64
from isfray.errors import InputError
from isfray.model.checked import Checked
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

Drawn: TypeAlias = tuple[NDArray[np.intp], F64]
"""Cell id and time of each spike, in no order."""


def _ordered(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] < interval[1]:
        raise InputError("does not end after it begins", expected="(begin, end) with begin < end, in ms")
    return interval


Rate = Annotated[Number, Field(ge=0, le=HIGHEST_RATE)]
Interval: TypeAlias = Annotated[tuple[Time, Time], AfterValidator(_ordered)]


class _Kind(Checked):
    kind: ClassVar[Literal["spiketrain", "pointcell"]]
    source: ClassVar[str]
    strength: ClassVar[tuple[str, ...]]
    """What `scaled` changes."""

    @property
    def stimulus(self) -> float | None:
        """When the stimulus is that this is a response to, ms; None if that is not told."""
        return None

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """Draw the spikes of cells 0 to n_cells - 1; times may lie outside of the trial.

        Parameters
        ----------
        n_cells : int
            Number of cells.
        t_stop : float
            End of the trial, ms; later spikes need not be drawn.
        rng : Generator
            Stream to draw from.

        Returns
        -------
        cell, time : intp[k], float64[k]
            Cell and time (ms) of each spike, in no order.
        """
        raise NotImplementedError

    def scaled(self, factor: float) -> Self:
        """Return the same with `factor` times as many spikes, >= 0."""
        return self.changed(**{name: self._times(name, factor) for name in self.strength})

    def _times(self, name: str, factor: float) -> Any:
        value = getattr(self, name)
        return tuple(factor * v for v in value) if isinstance(value, tuple) else factor * value


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

    kind = "spiketrain"
    source = "poissontrain"
    strength = ("interval",)
    interval: Number = Field(ge=SHORTEST_INTERVAL, le=1e12, description="a mean interval > 0 ms, from 0.001 to 1e12")
    noise: Number = Field(default=1.0, ge=0, le=1, description="a number from 0 (regular) to 1 (Poisson)")
    start: Time = Field(default=0.0, description="a time in ms")
    nspikes: Count | None = Field(default=None, description="a whole number of spikes >= 0")

    def scaled(self, factor: float) -> Self:
        """Return the same with `factor` times the rate, > 0."""
        return self.changed(interval=self.interval / factor)

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`."""
        regular, random = (1 - self.noise) * self.interval, self.noise * self.interval
        limit = math.inf if self.nspikes is None else self.nspikes
        mean = max(t_stop - self.start, 0.0) / self.interval
        width = math.ceil(min(mean + 3 * math.sqrt(mean) + 3, max(limit, 1)))  # nearly always enough for every cell
        waits = random * rng.standard_exponential((n_cells, width))
        waits[:, 1:] += regular
        waits[:, 0] = np.maximum(self.start + waits[:, 0], 0.0)
        time = np.cumsum(waits, axis=1)
        while time.shape[1] < limit and time[:, -1].min() <= t_stop:
            waits = random * rng.standard_exponential((n_cells, width))
            waits += regular
            waits[:, 0] += time[:, -1]
            time = np.hstack([time, np.cumsum(waits, axis=1)])
        cell, nth = np.nonzero(time[:, : self.nspikes] <= t_stop)
        return cell, time[cell, nth]


class _PointCell(_Kind):
    kind = "pointcell"
    distribution: ClassVar[str]
    absolute: ClassVar[bool] = False
    """Whether times are those of the trial, and not counted from the offset."""
    offset: Time = Field(default=10.0, description="a time in ms")

    @property
    def stimulus(self) -> float | None:
        """See `_Kind.stimulus`: what times are counted from."""
        return None if self.absolute else self.offset

    def moved(self, offset: float) -> Self:
        """Return the same for a stimulus at `offset` ms; InputError if its times are absolute."""
        if self.absolute:
            problem = f"is {self.distribution}, whose times are absolute"
            raise InputError(problem, key="distribution", expected="other populations")
        return self.changed(offset=offset)


class _Once(_PointCell):
    active_frac: Number = Field(
        alias="activeFrac", ge=0, le=1, description="the fraction of cells that spike, from 0 to 1"
    )
    strength = ("active_frac",)

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`."""
        cell = np.flatnonzero(rng.random(n_cells) < self.active_frac)
        return cell, np.maximum(self._once(len(cell), rng), 0.1)

    def _once(self, n: int, rng: np.random.Generator) -> F64:
        raise NotImplementedError


class Normal(_Once):
    """A fraction of the cells spikes once, at `offset` + normal(spike_t, spike_width)."""

    source = "pointcell_normal"
    distribution = "normal"
    spike_t: Time = Field(alias="spikeT", description="a mean spike time in ms")
    spike_width: Number = Field(alias="spikeWidth", ge=0, le=1e9, description="a standard deviation >= 0 ms")

    def _once(self, n: int, rng: np.random.Generator) -> F64:
        return self.offset + self.spike_t + self.spike_width * rng.standard_normal(n)


class Uniform(_Once):
    """A fraction of the cells spikes once, uniformly within `window` ms from `offset`."""

    source = "pointcell_uniform"
    distribution = "uniform"
    window: Number = Field(ge=0, le=1e9, description="a duration >= 0 ms")

    def _once(self, n: int, rng: np.random.Generator) -> F64:
        return self.offset + self.window * rng.random(n)


class LogNormal(_Once):
    """A fraction of the cells spikes once, at `offset` + lognormal(mu, sigma)."""

    source = "pointcell_lognormal"
    distribution = "lognormal"
    mu: Number = Field(description="a number, the mean of log(time in ms)")
    sigma: Number = Field(ge=0, description="a number >= 0, the standard deviation of log(time in ms)")

    def _once(self, n: int, rng: np.random.Generator) -> F64:
        return self.offset + rng.lognormal(self.mu, self.sigma, n)


def _as_many(values: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
    intervals = info.data.get("intervals")
    if intervals is not None and len(values) != len(intervals):
        raise InputError(f"has {len(values)} entries for {len(intervals)} intervals", expected="one for each interval")
    return values


class _Binned(_PointCell):
    intervals: tuple[Interval, ...] = Field(description="a list of (begin, end) pairs in ms")


class _PerBin(_Binned):
    def repeated(self, interval: float, factors: Sequence[float]) -> Self:
        """Return the response to as many stimuli as there are factors, `interval` ms apart, each scaled by its own."""
        (strength,) = self.strength
        shifts = [i * interval for i in range(len(factors))]
        return self.changed(
            intervals=tuple((a + shift, b + shift) for shift in shifts for a, b in self.intervals),
            **{strength: tuple(value for factor in factors for value in self._times(strength, factor))},
        )

    def _within(self, bins: NDArray[np.intp], rng: np.random.Generator) -> F64:
        """One uniform time in each of the bins named."""
        begin, end = _edges(self.intervals)
        return self.offset + (begin[bins] + (end - begin)[bins] * rng.random(len(bins)))


class PSTH(_PerBin):
    """In each bin every cell spikes at most once, with that bin's probability, uniformly within the bin.

    Probabilities below 0 (measured rate minus ongoing rate) never fire.
    """

    source = "pointcell_PSTH"
    distribution = "PSTH"
    strength = ("probabilities",)
    probabilities: tuple[Number, ...] = Field(description="a list of numbers, one for each interval")

    _check = field_validator("probabilities")(_as_many)

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`."""
        fires = rng.random((len(self.intervals), n_cells)) < np.array(self.probabilities)[:, None]
        bins, cell = np.nonzero(fires)
        return cell, self._within(bins, rng)


class PSTHAbsoluteNumber(_PerBin):
    """In each bin exactly this many cells spike (some of them twice if there are fewer cells)."""

    source = "pointcell_PSTH_absolute_number"
    distribution = "PSTH_absolute_number"
    strength = ("number_active_synapses",)
    number_active_synapses: tuple[Annotated[Count, Field(le=MOST_CELLS)], ...] = Field(
        description="a list of whole numbers >= 0, one for each interval"
    )

    _check = field_validator("number_active_synapses")(_as_many)

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`."""
        numbers = self.number_active_synapses
        cell = np.concatenate(
            [np.zeros(0, np.intp), *(rng.choice(n_cells, size=k, replace=k > n_cells) for k in numbers)], dtype=np.intp
        )
        return cell, self._within(np.repeat(np.arange(len(numbers)), numbers), rng)

    def _times(self, name: str, factor: float) -> Any:
        scaled = super()._times(name, factor)
        if any(n != round(n) for n in scaled):
            problem, expected = "would not be whole", "a factor that keeps them whole"
            raise InputError(problem, key=name, value=list(scaled), expected=expected)
        return tuple(round(n) for n in scaled)


class PSTHPoissonTrain(_Binned):
    """A Poisson process with a rate for each interval. Intervals are absolute times: `offset` is not used."""

    source = "pointcell_PSTH_poissontrain"
    distribution = "PSTH_poissontrain"
    absolute = True
    strength = ("rates",)
    rates: tuple[Rate, ...] = Field(description="a list of rates >= 0 Hz, one for each interval")

    _check = field_validator("rates")(_as_many)

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`."""
        return _piecewise_poisson(*_edges(self.intervals), np.array(self.rates), n_cells, rng)


class PSTHPoissonTrainV2(_PointCell):
    """A Poisson process with a rate for each bin. Bins are absolute times: `offset` is not used."""

    source = "PSTH_poissontrain_v2"
    distribution = "PSTH_poissontrain_v2"
    absolute = True
    strength = ("rates",)
    bins: tuple[Time, ...] = Field(min_length=1, description="a list of increasing times in ms")
    rates: tuple[Rate, ...] = Field(description="a list of rates >= 0 Hz, one less than bins")

    @field_validator("bins")
    @classmethod
    def _increase(cls, bins: tuple[float, ...]) -> tuple[float, ...]:
        if any(b <= a for a, b in pairwise(bins)):
            raise InputError("do not increase")
        return bins

    @field_validator("rates")
    @classmethod
    def _one_less(cls, rates: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        bins = info.data.get("bins")
        if bins is not None and len(rates) != len(bins) - 1:
            raise InputError(f"has {len(rates)} entries for {len(bins)} bin borders", expected="one less than bins")
        return rates

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`."""
        bins = np.array(self.bins)
        return _piecewise_poisson(bins[:-1], bins[1:], np.array(self.rates), n_cells, rng)


def _edges(intervals: tuple[tuple[float, float], ...]) -> tuple[F64, F64]:
    """Begins and ends."""
    begin, end = np.array(intervals, np.float64).reshape(-1, 2).T
    return begin, end


def _piecewise_poisson(begin: F64, end: F64, rates: F64, n_cells: int, rng: np.random.Generator) -> Drawn:
    """Poisson processes of piecewise constant rate (Hz), by time warping.

    In warped time, the integral of the rate, the process has rate 1: the number of spikes is Poisson and they lie
    uniformly, which takes one draw for each spike instead of ISF's thousand.
    """
    begin, end, rates = begin[rates > 0], end[rates > 0], rates[rates > 0]
    warped = np.concatenate([[0.0], np.cumsum((end - begin) * rates / 1000)])
    cell = np.repeat(np.arange(n_cells), rng.poisson(warped[-1], n_cells))
    u = warped[-1] * rng.random(len(cell))
    bins = np.minimum(np.searchsorted(warped, u, side="right"), len(warped) - 1) - 1
    return cell, np.minimum(begin[bins] + (u - warped[bins]) * 1000 / rates[bins], end[bins])


class ModulatedPoisson(_PointCell):
    """A Poisson process whose rate is modulated by a sine from `offset` on, with a phase for each cell."""

    source = "poissontrain_modulated"
    distribution = "poissontrain_modulated"
    strength = ("rate_before_t_offset", "mean_rate")
    rate_before_t_offset: Time = Field(ge=0, description="a rate >= 0 Hz")
    mean_rate: Rate = Field(description="a rate >= 0 Hz")
    max_modulation: Number = Field(ge=0, le=1000, description="a number >= 0, relative to mean_rate")
    modulation_frequency: Number = Field(ge=0, le=HIGHEST_RATE, description="a frequency >= 0 Hz")
    bin_size: Number = Field(ge=SHORTEST_INTERVAL, description="a bin width > 0 ms, at least 0.001")
    phase_distribution: Literal["uniform", "normal", "none"] = Field(
        description="'uniform', 'normal' (with mean_phase and std_phase) or 'none' (phase 0)"
    )
    mean_phase: Number | None = Field(default=None, description="a phase in rad")
    std_phase: Annotated[Number, Field(ge=0)] | None = Field(default=None, description="a standard deviation >= 0 rad")

    @model_validator(mode="after")
    def _given(self) -> Self:
        for key in ("mean_phase", "std_phase"):
            if self.phase_distribution == "normal" and getattr(self, key) is None:
                expected = "a number in rad, for phase_distribution 'normal'"
                raise InputError("is missing", key=key, expected=expected)
        return self

    def draw(self, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
        """See `_Kind.draw`: thinned, candidates at the highest rate are kept with their bin's rate over it."""
        duration = max(t_stop - self.offset, 0.0)
        n_bins = max(math.ceil(duration / self.bin_size), 1)
        inner = self.offset + self.bin_size * np.arange(1, n_bins)
        angle = np.linspace(0, 2 * math.pi * duration * self.modulation_frequency / 1000, n_bins)
        phase = self._phases(n_cells, rng)
        highest = max(self.rate_before_t_offset, self.mean_rate * (1 + self.max_modulation))
        cell = np.repeat(np.arange(n_cells), rng.poisson(highest * t_stop / 1000, n_cells))
        time = t_stop * rng.random(len(cell))
        bins = np.searchsorted(inner, time, side="right")  # the first bin runs from 0, the last to t_stop
        rate = self.mean_rate * (1 + self.max_modulation * np.sin(angle[bins] + phase[cell]))
        rate[bins == 0] = self.rate_before_t_offset
        kept = rng.random(len(cell)) * highest < rate
        return cell[kept], time[kept]

    def _phases(self, n_cells: int, rng: np.random.Generator) -> F64:
        if self.phase_distribution == "uniform":
            return 2 * math.pi * rng.random(n_cells)
        if self.mean_phase is not None and self.std_phase is not None and self.phase_distribution == "normal":
            return rng.normal(self.mean_phase, self.std_phase, n_cells)
        return np.zeros(n_cells)


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
