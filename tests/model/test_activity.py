"""Each activity kind is drawn by its law (docs/formats.md, Activity).

Seeds are fixed. Bounds are five standard errors, or Chernoff's at one in a million, so that a right law passes for
nearly every seed and a wrong one for none.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.model.activity import (
    DISTRIBUTIONS,
    PSTH,
    Activity,
    LogNormal,
    ModulatedPoisson,
    Normal,
    PointCell,
    PSTHAbsoluteNumber,
    PSTHPoissonTrain,
    PSTHPoissonTrainV2,
    SpikeTrain,
    Uniform,
)

times_ms = st.floats(0.5, 50)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def poisson_agrees(counts: np.ndarray, means: np.ndarray, alpha: float = 1e-6) -> bool:
    """Whether Poisson counts with these means may be so far off (Chernoff's bound, corrected for their number)."""
    ratio = np.where(counts > 0, counts / means, 1.0)
    divergence = np.where(counts > 0, counts * np.log(ratio), 0.0) - counts + means
    return bool((divergence < np.log(2 * counts.size / alpha)).all())


@given(times_ms, st.floats(-5, 60), st.floats(10, 200), st.integers(1, 5))
def test_a_train_without_noise_is_regular_from_start_on(interval: float, start: float, t_stop: float, n: int):
    cell, time = SpikeTrain(interval=interval, noise=0.0, start=start).draw(n, t_stop, rng())
    for i in range(n):
        expected = max(start, 0.0) + interval * np.arange(1000)
        inside = expected < t_stop - 1e-6  # rounding decides on the last one
        assert np.allclose(time[cell == i][: inside.sum()], expected[inside])
        assert len(time[cell == i]) <= (expected <= t_stop + 1e-6).sum()


@given(times_ms, st.floats(0, 1), st.floats(0, 60), st.none() | st.integers(0, 12), st.integers(0, 2**32))
def test_a_train_ascends_within_start_and_t_stop(
    interval: float, noise: float, start: float, nspikes: int | None, seed: int
):
    train = SpikeTrain(interval=interval, noise=noise, start=start, nspikes=nspikes)
    cell, time = train.draw(7, 200.0, rng(seed))
    assert ((time >= start) & (time <= 200.0)).all()
    for i in range(7):
        assert (np.diff(time[cell == i]) >= (1 - noise) * interval - 1e-9).all()
        assert nspikes is None or (cell == i).sum() <= nspikes


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.7, 1.0])
def test_noise_is_the_coefficient_of_variation_and_interval_the_mean(noise: float):
    train = SpikeTrain(interval=10.0, noise=noise, start=3.0, nspikes=101)
    cell, time = train.draw(400, 1e6, rng())
    assert (np.bincount(cell) == 101).all()
    time = time.reshape(400, 101)
    isi = np.diff(time, axis=1).ravel()
    assert isi.mean() == pytest.approx(10.0, abs=5 * noise * 10 / 200 + 1e-9)
    assert isi.std() / isi.mean() == pytest.approx(noise, abs=5 * noise / 100 + 1e-9)  # kurtosis 9: se 2/sqrt(n)
    # The first spike comes after the random part of an interval alone.
    assert time[:, 0].mean() == pytest.approx(3.0 + noise * 10, abs=5 * noise * 10 / 20 + 1e-9)


def test_a_spike_at_t_stop_is_kept():
    _, time = SpikeTrain(interval=25.0, noise=0.0).draw(1, 100.0, rng())
    assert time.tolist() == [0, 25, 50, 75, 100]


def test_no_spike_is_missing_however_many_a_cell_fires():
    """Trains are drawn in blocks that nearly always suffice: of 200 000 cells some need a second."""
    n, mean = 200_000, 2.0
    cell, time = SpikeTrain(interval=150.0).draw(n, 300.0, rng())
    counts = np.bincount(cell, minlength=n)
    assert counts.max() > np.ceil(mean + 3 * np.sqrt(mean) + 3)  # beyond one block
    k = np.arange(counts.max() + 1)
    factorial = np.cumprod(np.maximum(k, 1))
    assert poisson_agrees(np.bincount(counts), n * np.exp(-mean) * mean**k / factorial)
    assert poisson_agrees(np.histogram(time, 30, (0, 300))[0], np.full(30, n * mean / 30))


@pytest.mark.parametrize(
    ("activity", "mean", "std"),
    [
        (Normal(active_frac=0.3, spike_t=20.0, spike_width=2.0, offset=30.0), 50.0, 2.0),
        (Uniform(active_frac=0.3, window=12.0, offset=30.0), 36.0, 12 / np.sqrt(12)),
        (
            LogNormal(active_frac=0.3, mu=1.0, sigma=0.5, offset=30.0),
            30 + np.exp(1 + 0.125),
            np.exp(1 + 0.125) * np.sqrt(np.expm1(0.25)),
        ),
    ],
)
def test_a_fraction_of_the_cells_spikes_once(activity, mean: float, std: float):
    n = 100_000
    cell, time = activity.draw(n, 300.0, rng())
    assert len(np.unique(cell)) == len(cell)
    assert len(cell) / n == pytest.approx(0.3, abs=5 * np.sqrt(0.3 * 0.7 / n))
    assert time.mean() == pytest.approx(mean, abs=5 * std / np.sqrt(len(time)))
    assert time.std() == pytest.approx(std, rel=0.05)


@pytest.mark.parametrize("kind", ["normal", "uniform", "lognormal"])
def test_no_single_spike_comes_before_a_tenth_of_a_ms(kind: str):
    activity = {
        "normal": Normal(active_frac=1, spike_t=0.0, spike_width=5.0, offset=0.0),
        "uniform": Uniform(active_frac=1, window=50.0, offset=-10.0),
        "lognormal": LogNormal(active_frac=1, mu=0.0, sigma=1.0, offset=-1.0),
    }[kind]
    _, time = activity.draw(1000, 300.0, rng())
    assert time.min() == 0.1
    assert (time > 0.1).any()


@given(
    st.lists(st.tuples(st.floats(0, 100), times_ms, st.floats(-0.5, 1.5)), max_size=6),
    st.floats(0, 300),
    st.integers(1, 50),
    st.integers(0, 2**32),
)
def test_psth_spikes_lie_in_their_bins_one_at_most_for_each_cell(bins: list, offset: float, n: int, seed: int):
    intervals = tuple((a, a + width) for a, width, _ in bins)
    cell, time = PSTH(intervals=intervals, probabilities=tuple(p for *_, p in bins), offset=offset).draw(
        n, 500.0, rng(seed)
    )
    allowed = np.zeros((n, len(time)), int)  # how many bins could hold each spike
    for a, b in [interval for interval, (*_, p) in zip(intervals, bins, strict=True) if p > 0]:
        allowed += (time >= offset + a - 1e-9) & (time <= offset + b + 1e-9)
    assert (allowed > 0).all()
    assert np.bincount(cell, minlength=n).max() <= sum(p > 0 for *_, p in bins)
    certain = sum(p >= 1 for *_, p in bins)
    assert np.bincount(cell, minlength=n).min() >= certain


def test_psth_fires_each_bin_with_its_probability():
    p = np.array([0.02, 0.5, -0.3, 0.0, 1.0, 0.25])
    psth = PSTH(intervals=tuple((10 * i, 10 * i + 5) for i in range(6)), probabilities=tuple(p), offset=20.0)
    n = 50_000
    cell, time = psth.draw(n, 300.0, rng())
    bins = ((time - 20) // 10).astype(int)
    counts, expected = np.bincount(bins, minlength=6), np.clip(p, 0, 1)
    assert (np.abs(counts / n - expected) <= 5 * np.sqrt(expected * (1 - expected) / n)).all()
    within = (time - 20) % 10
    assert poisson_agrees(np.histogram(within, 20, (0, 5))[0], np.full(20, len(time) / 20))
    # Bins are independent: cells that fire in one are neither more nor less likely to fire in another.
    both = np.isin(cell[bins == 1], cell[bins == 5]).sum()
    assert both / n == pytest.approx(0.125, abs=5 * np.sqrt(0.125 * 0.875 / n))


@given(st.lists(st.integers(0, 30), max_size=5), st.integers(1, 20), st.integers(0, 2**32))
def test_an_absolute_number_is_exact(numbers: list[int], n: int, seed: int):
    intervals = tuple((10.0 * i, 10.0 * i + 5) for i in range(len(numbers)))
    activity = PSTHAbsoluteNumber(intervals=intervals, number_active_synapses=tuple(numbers), offset=7.0)
    cell, time = activity.draw(n, 100.0, rng(seed))
    bins = ((time - 7) // 10).astype(int)
    assert np.bincount(bins, minlength=len(numbers)).tolist() == numbers
    for i, k in enumerate(numbers):
        here = cell[bins == i]
        assert k > n or len(set(here.tolist())) == k  # a cell fires twice only where there are too few
        assert ((here >= 0) & (here < n)).all()


RATES = np.array([5.0, 0.0, 80.0, 20.0])
EDGES = np.array([0.0, 100.0, 150.0, 170.0, 300.0])


@pytest.mark.parametrize("offset", [0.0, 245.0])
@pytest.mark.parametrize("kind", ["PSTH_poissontrain", "PSTH_poissontrain_v2"])
def test_poisson_rates_follow_their_bins_and_ignore_the_offset(kind: str, offset: float):
    if kind == "PSTH_poissontrain":
        intervals = tuple(zip(EDGES[:-1].tolist(), EDGES[1:].tolist(), strict=True))
        activity = PSTHPoissonTrain(intervals=intervals, rates=tuple(RATES), offset=offset)
    else:
        activity = PSTHPoissonTrainV2(bins=tuple(EDGES), rates=tuple(RATES), offset=offset)
    n = 20_000
    cell, time = activity.draw(n, 300.0, rng(3))
    fine = np.arange(0, 301, 10.0)
    expected = n * RATES[np.searchsorted(EDGES, fine[:-1], side="right") - 1] * 10 / 1000
    counts = np.histogram(time, fine)[0]
    assert poisson_agrees(counts[expected > 0], expected[expected > 0])
    assert counts[expected == 0].sum() == 0
    per_cell = np.bincount(cell, minlength=n)
    assert per_cell.var() / per_cell.mean() == pytest.approx(1.0, abs=5 * np.sqrt(2 / n))  # Fano factor of Poisson
    early, late = (np.bincount(cell[time < 150], minlength=n), np.bincount(cell[time >= 150], minlength=n))
    assert abs(np.corrcoef(early, late)[0, 1]) < 5 / np.sqrt(n)


@given(st.lists(st.floats(0, 200) | st.just(0.0), max_size=5), st.floats(-50, 50), st.integers(0, 2**32))
def test_poisson_spikes_lie_in_bins_with_a_rate(rates: list[float], first: float, seed: int):
    bins = first + 20.0 * np.arange(len(rates) + 1)
    _, time = PSTHPoissonTrainV2(bins=tuple(bins), rates=tuple(rates)).draw(20, 300.0, rng(seed))
    at = np.clip(np.searchsorted(bins, time, side="right") - 1, 0, max(len(rates) - 1, 0))
    assert ((time >= bins[0]) & (time <= bins[-1])).all()
    assert all(rates[i] > 0 or np.isclose(t, bins[i]) for i, t in zip(at, time, strict=True))


def modulated(**changes) -> ModulatedPoisson:
    keys = {
        "rate_before_t_offset": 4.0,
        "mean_rate": 30.0,
        "max_modulation": 0.8,
        "modulation_frequency": 10.0,
        "bin_size": 5.0,
        "phase_distribution": "none",
        "offset": 100.0,
    }
    return ModulatedPoisson(**(keys | changes))


def modulated_counts(activity: ModulatedPoisson, phase: float, n: int) -> np.ndarray:
    """Expected spikes of n cells in each 5 ms bin of 300 ms, by the formula (docs/formats.md, Activity)."""
    angle = np.linspace(0, 2 * np.pi * 200 * 10 / 1000, 40)
    rates = activity.mean_rate * (1 + activity.max_modulation * np.sin(angle + phase))
    rates[0] = activity.rate_before_t_offset  # that bin begins at 0
    return n * 5 / 1000 * np.concatenate([np.full(20, activity.rate_before_t_offset), np.maximum(rates, 0)])


@pytest.mark.parametrize("changes", [{}, {"max_modulation": 1.5}, {"phase_distribution": "normal"}])
def test_a_modulated_rate_follows_its_sine_from_offset_on(changes: dict):
    phase = 1.2 if changes.get("phase_distribution") == "normal" else 0.0
    activity = modulated(**changes, mean_phase=1.2, std_phase=0.0)
    n = 20_000
    _, time = activity.draw(n, 300.0, rng(5))
    expected = modulated_counts(activity, phase, n)
    counts = np.histogram(time, np.arange(0, 301, 5.0))[0]
    assert poisson_agrees(counts[expected > 0], expected[expected > 0])
    assert counts[expected == 0].sum() == 0


def test_uniform_phases_leave_the_population_rate_flat_but_modulate_each_cell():
    n = 2000
    cell, time = modulated(phase_distribution="uniform", mean_rate=400.0).draw(n, 300.0, rng(6))
    counts = np.histogram2d(cell, time, [np.arange(n + 1), np.arange(105, 301, 5.0)])[0]
    total = counts.sum(0)
    assert (np.abs(total / (n * 2.0) - 1) < 5 * np.sqrt((0.5 + 0.32) / n)).all()  # Poisson and phase variance
    # Half a period (50 ms) apart a cell's rate is mirrored about its mean.
    assert np.corrcoef(counts[:, 10], counts[:, 20])[0, 1] < -0.2


def test_modulation_that_begins_after_the_trial_leaves_the_rate_before():
    n = 20_000
    _, time = modulated(offset=400.0).draw(n, 300.0, rng(7))
    assert poisson_agrees(np.histogram(time, 10, (0, 300))[0], np.full(10, n * 4 * 30 / 1000))


EDGED = {"intervals": ((0.0, 5.0), (5.0, 30.0))}
RESPONSES: list[PointCell] = [
    Normal(active_frac=0.25, spike_t=20.0, spike_width=2.0),
    Uniform(active_frac=0.25, window=30.0),
    LogNormal(active_frac=0.25, mu=2.0, sigma=0.5),
    PSTH(**EDGED, probabilities=(0.25, 0.1)),
    PSTHAbsoluteNumber(**EDGED, number_active_synapses=(600, 0)),
    PSTHPoissonTrain(**EDGED, rates=(20.0, 8.0)),
    PSTHPoissonTrainV2(bins=(0.0, 5.0, 30.0), rates=(20.0, 8.0)),
    modulated(),
]
every_response = pytest.mark.parametrize("activity", RESPONSES, ids=lambda activity: activity.distribution)


def test_every_distribution_is_here():
    assert [type(activity) for activity in RESPONSES] == list(DISTRIBUTIONS.values())


@pytest.mark.parametrize("activity", [*RESPONSES, SpikeTrain(interval=50.0)], ids=lambda activity: activity.source)
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_an_activity_scaled_spikes_so_many_times_as_often(activity: Activity, factor: float):
    n = 20_000
    counts = [len(a.draw(n, 300.0, rng(8))[1]) for a in (activity, activity.scaled(factor))]
    assert abs(counts[1] - factor * counts[0]) <= 5 * np.sqrt(counts[1] + factor**2 * counts[0])
    assert activity.scaled(1.0) == activity


@every_response
def test_a_response_that_is_switched_off_draws_no_spike(activity: PointCell):
    assert len(activity.scaled(0.0).draw(1000, 300.0, rng())[1]) == 0


@every_response
def test_a_response_moves_with_its_stimulus_unless_its_times_are_absolute(activity: PointCell):
    if activity.absolute:
        assert activity.stimulus is None
        with pytest.raises(InputError, match=rf"is {activity.distribution}, whose times are absolute"):
            activity.moved(100.0)
        return
    later = activity.moved(activity.offset + 100.0)
    assert later.stimulus == activity.offset + 100.0
    if isinstance(activity, ModulatedPoisson):
        return  # what it does before the stimulus is not moved with it
    (cell, time), (moved_cell, moved_time) = (a.draw(500, 300.0, rng(9)) for a in (activity, later))
    assert (cell == moved_cell).all()
    assert np.allclose(moved_time, time + 100.0)


@given(st.integers(1, 4), st.floats(30.0, 100.0))
def test_a_repeated_psth_is_one_response_after_the_other(n: int, interval: float):
    psth = PSTH(**EDGED, probabilities=(1.0, 0.0))
    cell, time = psth.repeated(interval, [1.0] * n).draw(3, 300.0, rng())
    nth, after = np.divmod(time - psth.offset, interval)
    assert (np.sort(nth) == np.repeat(np.arange(n), 3)).all()
    assert (after <= 5.0 + 1e-9).all()
    assert (np.bincount(cell) == n).all()
    assert len(psth.repeated(interval, [1.0, 0.0]).draw(3, 300.0, rng())[1]) == 3
