"""Presynaptic spikes: every activity kind drawn for all cells of a population at once (docs/formats.md, Activity).

The laws are ISF's; the order of draws is not, which draws cell by cell from one global stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from isfray.activity.seeds import Key, Stage, streams
from isfray.arrays import F64
from isfray.model.activity import (
    PSTH,
    SPIKE_SOURCES,
    LogNormal,
    ModulatedPoisson,
    Normal,
    PSTHAbsoluteNumber,
    PSTHPoissonTrain,
    PSTHPoissonTrainV2,
    SpikeTrain,
    Uniform,
)
from isfray.model.network import NetworkModel
from isfray.model.population import Population

Drawn = tuple[NDArray[np.intp], F64]
"""Cell id and time of each spike, in no order."""


@dataclass(frozen=True)
class Spikes:
    """Presynaptic spikes of one trial, sorted by population, cell and time.

    Attributes
    ----------
    population : int32[k]
        Index into the network's populations.
    cell_id : int32[k]
        Cell within its population.
    time : float64[k]
        ms, 0 <= time <= t_stop.
    source : int8[k]
        What made it spike: index into `isfray.model.activity.SPIKE_SOURCES`.
    """

    population: NDArray[np.int32]
    cell_id: NDArray[np.int32]
    time: F64
    source: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.time)


def draw_spikes(network: NetworkModel, seed: int, t_stop: float) -> Spikes:
    """Draw the spikes of every cell, connected or not.

    Spikes before 0 or after `t_stop` cannot act within the trial and are dropped; one at `t_stop` is kept.
    """
    cells: list[NDArray[np.intp]] = []
    times: list[F64] = []
    sources: list[int] = []
    rngs = streams(seed, tuple(key for population in network.populations for key in _keys(population)))
    for population, first_cell in zip(network.populations, network.cell_offsets.tolist(), strict=False):
        for component in population.activity:
            cell, time = draw(component, population.n_cells, t_stop, next(rngs))
            cells.append(cell + first_cell)
            times.append(time)
            sources.append(SPIKE_SOURCES.index(component.source))
    cell, time = np.concatenate(cells), np.concatenate(times)
    source = np.repeat(np.array(sources, np.int8), [len(part) for part in times])
    order = np.lexsort((time, cell))
    order = order[(time[order] >= 0) & (time[order] <= t_stop)]
    cell = cell[order]
    index = np.searchsorted(network.cell_offsets, cell, side="right") - 1
    return Spikes(
        index.astype(np.int32), (cell - network.cell_offsets[index]).astype(np.int32), time[order], source[order]
    )


def _keys(population: Population) -> Iterator[Key]:
    counts = dict.fromkeys(Stage, 0)
    for component in population.activity:
        stage = Stage.SPIKETRAIN if isinstance(component, SpikeTrain) else Stage.POINTCELL
        yield population.name, stage, counts[stage]
        counts[stage] += 1


@singledispatch
def draw(activity: object, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    """Draw one activity for cells 0 to n_cells - 1; times may lie outside of the trial.

    Parameters
    ----------
    activity : Activity
        What the cells do.
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
    raise TypeError(f"no rule to draw {type(activity).__name__}")


@draw.register
def _(activity: SpikeTrain, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    regular, random = (1 - activity.noise) * activity.interval, activity.noise * activity.interval
    limit = math.inf if activity.nspikes is None else activity.nspikes
    mean = max(t_stop - activity.start, 0.0) / activity.interval
    width = math.ceil(min(mean + 3 * math.sqrt(mean) + 3, max(limit, 1)))  # nearly always enough for every cell
    waits = random * rng.standard_exponential((n_cells, width))
    waits[:, 1:] += regular
    waits[:, 0] = np.maximum(activity.start + waits[:, 0], 0.0)
    time = np.cumsum(waits, axis=1)
    while time.shape[1] < limit and time[:, -1].min() <= t_stop:
        waits = random * rng.standard_exponential((n_cells, width))
        waits += regular
        waits[:, 0] += time[:, -1]
        time = np.hstack([time, np.cumsum(waits, axis=1)])
    cell, nth = np.nonzero(time[:, : activity.nspikes] <= t_stop)
    return cell, time[cell, nth]


@draw.register
def _(activity: Normal, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    cell = np.flatnonzero(rng.random(n_cells) < activity.active_frac)
    return _floored(cell, activity.offset + activity.spike_t + activity.spike_width * rng.standard_normal(len(cell)))


@draw.register
def _(activity: Uniform, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    cell = np.flatnonzero(rng.random(n_cells) < activity.active_frac)
    return _floored(cell, activity.offset + activity.window * rng.random(len(cell)))


@draw.register
def _(activity: LogNormal, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    cell = np.flatnonzero(rng.random(n_cells) < activity.active_frac)
    return _floored(cell, activity.offset + rng.lognormal(activity.mu, activity.sigma, len(cell)))


def _floored(cell: NDArray[np.intp], time: F64) -> Drawn:
    return cell, np.maximum(time, 0.1)


@draw.register
def _(activity: PSTH, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    fires = rng.random((len(activity.intervals), n_cells)) < np.array(activity.probabilities)[:, None]
    bins, cell = np.nonzero(fires)
    return cell, activity.offset + _within(activity.intervals, bins, rng)


@draw.register
def _(activity: PSTHAbsoluteNumber, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    numbers = activity.number_active_synapses
    cell = np.concatenate(
        [np.zeros(0, np.intp), *(rng.choice(n_cells, size=k, replace=k > n_cells) for k in numbers)], dtype=np.intp
    )
    return cell, activity.offset + _within(activity.intervals, np.repeat(np.arange(len(numbers)), numbers), rng)


def _within(intervals: tuple[tuple[float, float], ...], bins: NDArray[np.intp], rng: np.random.Generator) -> F64:
    """One uniform time in each of the bins named."""
    begin, end = np.array(intervals, np.float64).reshape(-1, 2).T
    return begin[bins] + (end - begin)[bins] * rng.random(len(bins))


@draw.register
def _(activity: PSTHPoissonTrain, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    begin, end = np.array(activity.intervals, np.float64).reshape(-1, 2).T
    return _piecewise_poisson(begin, end, np.array(activity.rates), n_cells, rng)


@draw.register
def _(activity: PSTHPoissonTrainV2, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    bins = np.array(activity.bins)
    return _piecewise_poisson(bins[:-1], bins[1:], np.array(activity.rates), n_cells, rng)


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


@draw.register
def _(activity: ModulatedPoisson, n_cells: int, t_stop: float, rng: np.random.Generator) -> Drawn:
    """Draw by thinning: candidates at the highest rate, each kept with its bin's rate over that (never below 0)."""
    duration = max(t_stop - activity.offset, 0.0)
    n_bins = max(math.ceil(duration / activity.bin_size), 1)
    inner = activity.offset + activity.bin_size * np.arange(1, n_bins)
    angle = np.linspace(0, 2 * math.pi * duration * activity.modulation_frequency / 1000, n_bins)
    phase = _phases(activity, n_cells, rng)
    highest = max(activity.rate_before_t_offset, activity.mean_rate * (1 + activity.max_modulation))
    cell = np.repeat(np.arange(n_cells), rng.poisson(highest * t_stop / 1000, n_cells))
    time = t_stop * rng.random(len(cell))
    bins = np.searchsorted(inner, time, side="right")  # the first bin runs from 0, the last to t_stop
    rate = activity.mean_rate * (1 + activity.max_modulation * np.sin(angle[bins] + phase[cell]))
    rate[bins == 0] = activity.rate_before_t_offset
    kept = rng.random(len(cell)) * highest < rate
    return cell[kept], time[kept]


def _phases(activity: ModulatedPoisson, n_cells: int, rng: np.random.Generator) -> F64:
    if activity.phase_distribution == "uniform":
        return 2 * math.pi * rng.random(n_cells)
    if activity.mean_phase is not None and activity.std_phase is not None and activity.phase_distribution == "normal":
        return rng.normal(activity.mean_phase, activity.std_phase, n_cells)
    return np.zeros(n_cells)
