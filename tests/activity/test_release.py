"""Release: one chance for each synapse and spike of its cell, then weights and silencing.

(docs/formats.md, Release, Weights, Network modify functions)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isfray.activity import TrialInput, draw_trial
from isfray.errors import InputError
from isfray.formats.isf.network import load_network
from isfray.model.activity import SPIKE_SOURCES
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement

Write = Callable[..., Path]
SEEDS = range(40)


def distances(soma_distance: np.ndarray) -> Placement:
    """A placement of which the distances from the soma matter."""
    nowhere = np.zeros(len(soma_distance), np.int32)
    return Placement(nowhere, nowhere, nowhere, np.zeros(len(soma_distance)), soma_distance)


@pytest.fixture
def load(small_network: dict[str, Any], write_network: Write) -> Callable[..., NetworkModel]:
    """Load the small network with some of an entry's `synapses` keys replaced."""

    def loaded(name: str = "INH", **synapses: Any) -> NetworkModel:
        small_network["network"][name]["synapses"].update(synapses)
        return load_network(write_network(small_network))

    return loaded


def chances(network: NetworkModel, trial: TrialInput) -> dict[int, list[float]]:
    """Spike times of the cell of each synapse, found connection by connection."""
    trains: dict[tuple[int, int], list[float]] = {}
    spikes = trial.spikes
    for p, cell, time in zip(spikes.population.tolist(), spikes.cell_id.tolist(), spikes.time.tolist(), strict=True):
        trains.setdefault((p, cell), []).append(time)
    rows = zip(
        network.connections.population.tolist(),
        network.connections.cell_id.tolist(),
        network.connections.synapse.tolist(),
        strict=True,
    )
    return {synapse: trains.get((p, cell), []) for p, cell, synapse in rows}


def releases(trial: TrialInput) -> dict[int, list[float]]:
    r = trial.releases
    return {int(s): r.times[a:b].tolist() for s, a, b in zip(r.synapse, r.offsets, r.offsets[1:], strict=False)}


@pytest.mark.parametrize("seed", range(5))
def test_releases_are_a_subset_of_their_cells_spikes(seed: int, load: Callable[..., NetworkModel]):
    network = load()
    trial = draw_trial(network, seed, 300.0)
    possible = chances(network, trial)
    for synapse, times in releases(trial).items():
        assert times
        assert times == sorted(times)
        assert set(times) <= set(possible[synapse])
    assert (np.diff(trial.releases.synapse) > 0).all()
    assert trial.releases.offsets[-1] == len(trial.releases.times)


@pytest.mark.parametrize("certain", [1.0, None, "dynamic"])
def test_certain_and_dynamic_release_delivers_every_spike(certain: Any, load: Callable[..., NetworkModel]):
    network = load(releaseProb=certain)
    trial = draw_trial(network, 3, 300.0)
    inh = network.synapses.offsets[1]
    delivered = {s: times for s, times in releases(trial).items() if s >= inh}
    assert delivered == {s: times for s, times in chances(network, trial).items() if s >= inh and times}


def test_the_fraction_released_is_the_release_probability(load: Callable[..., NetworkModel]):
    network = load(releaseProb=0.25)
    taken, offered = np.zeros(2), np.zeros(2)
    for seed in SEEDS:
        trial = draw_trial(network, seed, 300.0)
        for synapse, times in chances(network, trial).items():
            offered[network.synapses.population[synapse]] += len(times)
        np.add.at(
            taken, np.repeat(network.synapses.population[trial.releases.synapse], np.diff(trial.releases.offsets)), 1
        )
    p = np.array([0.6, 0.25])
    assert (np.abs(taken / offered - p) < 5 * np.sqrt(p * (1 - p) / offered)).all()


def test_synapses_of_one_cell_fail_independently(load: Callable[..., NetworkModel]):
    network = load(releaseProb=0.5)
    first, second = [], []
    for seed in SEEDS:
        trial = draw_trial(network, seed, 300.0)
        released, spikes = releases(trial), chances(network, trial)
        for a in range(network.synapses.offsets[1], network.synapses.offsets[2], 2):  # one cell drives a and a + 1
            first += [t in released.get(a, []) for t in spikes[a]]
            second += [t in released.get(a + 1, []) for t in spikes[a]]
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(first))


def test_a_higher_probability_keeps_every_release_and_every_spike(load: Callable[..., NetworkModel]):
    trials = [draw_trial(load(releaseProb=p), 11, 300.0) for p in (0.0, 0.3, 0.7)]
    assert all(np.array_equal(t.spikes.time, trials[0].spikes.time) for t in trials)
    none, some, more = (releases(t) for t in trials)
    assert all(set(times) <= set(more[s]) for s, times in some.items())
    none, some, more = (sum(map(len, r.values())) for r in (none, some, more))
    assert none < some < more


def lognormal(load: Callable[..., NetworkModel], **synapses: Any) -> NetworkModel:
    glutamate = {"delay": 0.0, "weight": [1.5, 0.4], "weightDistribution": "lognormal"}
    return load("VPM_C2", receptors={"first": {"delay": 0.0, "weight": 1.0}, "second": glutamate}, **synapses)


def test_lognormal_weights_have_mean_m_and_standard_deviation_m_squared(load: Callable[..., NetworkModel]):
    network = lognormal(load)
    drawn = np.vstack([draw_trial(network, seed, 300.0).releases.weights[0, 1] for seed in range(200)])
    mean = np.array([1.5, 0.4])
    # In logarithms, where the tail does not spoil the estimate.
    sigma = np.sqrt(np.log1p(mean**2))
    logs = np.log(drawn)
    assert np.abs(logs.mean(0) - (np.log(mean) - sigma**2 / 2)).max() < 5 * sigma.max() / np.sqrt(len(logs))
    assert np.allclose(logs.std(0), sigma, rtol=5 / np.sqrt(2 * len(logs)))
    assert drawn.mean(0) == pytest.approx(mean, rel=0.1)
    assert drawn[:, 1].std() == pytest.approx(0.4**2, rel=0.1)
    assert abs(np.corrcoef(logs.T)[0, 1]) < 5 / np.sqrt(len(logs))


def test_weights_are_those_of_the_active_synapses_and_of_lognormal_receptors_only(
    load: Callable[..., NetworkModel],
):
    certain = draw_trial(lognormal(load, releaseProb=1.0), 5, 300.0).releases
    drawn = draw_trial(lognormal(load, releaseProb=0.2), 5, 300.0).releases
    assert set(drawn.weights) == {(0, 1)}
    vpm = drawn.synapse[drawn.synapse < 80]
    assert drawn.weights[0, 1].shape == (len(vpm), 2)
    assert len(vpm) < (certain.synapse < 80).sum()
    by_synapse = dict(zip(certain.synapse.tolist(), certain.weights[0, 1].tolist(), strict=False))
    assert [by_synapse[s] for s in vpm.tolist()] == drawn.weights[0, 1].tolist()


def silenced(small_network: dict[str, Any], write_network: Write, functions: dict[str, Any]) -> NetworkModel:
    small_network["network"]["network_modify_functions"] = functions
    return load_network(write_network(small_network))


def test_silencing_removes_the_releases_of_its_range_and_no_other(small_network: dict[str, Any], write_network: Write):
    plain = load_network(write_network(small_network))
    functions = {
        "silence_synapses_by_somadist": {"soma_dist_ranges": {"INH": [10, 50]}},
        "silence_synapses_by_somadist_and_spike_source": {
            "soma_dist_ranges": {"VPM_C2": [0, 40]},
            "spike_sources": ["pointcell_PSTH"],
        },
    }
    network = silenced(small_network, write_network, functions)
    distance = np.arange(140) % 80.0  # 0 to 79 for VPM_C2, 0 to 59 for INH
    before = draw_trial(plain, 9, 300.0)
    after = draw_trial(network, 9, 300.0, distances(distance))
    assert np.array_equal(before.spikes.time, after.spikes.time)
    source = dict(zip(before.spikes.time.tolist(), before.spikes.source.tolist(), strict=True))
    evoked = SPIKE_SOURCES.index("pointcell_PSTH")
    expected = {}
    for synapse, times in releases(before).items():
        if synapse >= 80:
            kept = [] if 10 <= distance[synapse] < 50 else times
        else:
            kept = [t for t in times if distance[synapse] >= 40 or source[t] == evoked]
        if kept:
            expected[synapse] = kept
    assert releases(after) == expected
    assert 0 < len(after.releases.times) < len(before.releases.times)


@pytest.mark.parametrize("placement", [None, distances(np.zeros(3))])
def test_silencing_by_distance_needs_the_cell(
    placement: Placement | None, small_network: dict[str, Any], write_network: Write
):
    functions = {"silence_synapses_by_somadist": {"soma_dist_ranges": {"INH": [10, 50]}}}
    network = silenced(small_network, write_network, functions)
    with pytest.raises(InputError, match=r"network_modify_functions .* expected a placement"):
        draw_trial(network, 9, 300.0, placement)
