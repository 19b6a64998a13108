import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from isfray.analysis import psth
from isfray.catalog import Catalog
from isfray.errors import InputError
from tests.analysis.recorded import by_hand, golden_cases, trial_tables
from tests.catalog.synthetic import spec

THREE = by_hand({"soma": [1.0, 1.5, 10.0]}, {}, {"soma": [2.0, 1.25]})


def test_a_silent_trial_counts_in_the_denominator():
    rows = psth(THREE, bin_size=1.0, t_max=3.0).collect()
    assert rows["spikes"].to_list() == [0, 3, 1]
    assert rows["per_trial"].to_list() == [0.0, 1.0, pytest.approx(1 / 3)]
    assert rows["rate"].to_list() == pytest.approx([0.0, 1000.0, 1000 / 3])
    assert rows["n_trials"].to_list() == [3, 3, 3]


def test_the_standard_error_is_that_of_the_rates_of_single_trials():
    rates = np.array([[0, 2, 0], [0, 0, 0], [0, 1, 1]]) * 1000.0  # trials by bins
    sem = psth(THREE, t_max=3.0).collect()["sem"].to_numpy()
    assert sem == pytest.approx(rates.std(axis=0, ddof=1) / np.sqrt(3))


def test_the_published_trials_give_the_counts_of_their_published_spikes(reference, golden):
    times = np.concatenate([case["spike_times"] for case in golden_cases(reference)])
    rows = psth(golden, "replays", bin_size=10.0).collect()
    assert rows["spikes"].to_list() == np.histogram(times, np.arange(0, 310, 10))[0].tolist()
    assert rows["spikes"].sum() == len(times) == 6


@settings(deadline=None, max_examples=40)
@example([[0.0, 1e-17]], 0.1)  # closer to each other than a bin can tell
@given(
    st.lists(st.lists(st.floats(0, 99.9), max_size=5), min_size=1, max_size=5),
    st.sampled_from([0.1, 0.3, 1.0, 7.0]),
)
def test_isf_rules_are_numpys_histogram_over_their_borders(trials, width):
    tables, times = by_hand(*({"soma": sorted(t)} for t in trials)), np.concatenate([np.array(t) for t in trials])
    edges = np.arange(times.min(), times.max() + width, width) if len(times) else []
    if not len(times) or times.min() == times.max() or len(edges) < 2:
        with pytest.raises(InputError):
            psth(tables, bin_size=width, rule="isf").collect()
    else:
        rows = psth(tables, bin_size=width, rule="isf").collect()
        counts, edges = np.histogram(times, edges)
        assert rows["bin_start"].to_list() == edges[:-1].tolist()
        assert rows["per_trial"].to_list() == pytest.approx(counts / len(trials))
    rows = psth(tables, bin_size=width, t_min=20.0, t_max=80.0, rule="isf_aligned").collect()
    counts, edges = np.histogram(times, np.arange(int(20 / width) * width, (int(80 / width) + 1) * width, width))
    assert rows["bin_end"].to_list() == edges[1:].tolist()
    assert rows["per_trial"].to_list() == pytest.approx(counts / len(trials))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.floats(0, 99.9), max_size=5), min_size=1, max_size=5), st.integers(1, 30))
def test_no_spike_in_the_window_is_lost_or_counted_twice(trials, bins):
    rows = psth(by_hand(*({"soma": sorted(t)} for t in trials)), bin_size=100 / bins).collect()
    assert len(rows) == bins
    assert rows["spikes"].sum() == sum(map(len, trials))


def test_isf_bins_begin_at_the_first_spike_and_close_at_the_last():
    rows = psth(by_hand({"soma": [2.5, 4.5]}), rule="isf").collect()
    assert rows["bin_start"].to_list() == [2.5, 3.5]
    assert rows["spikes"].to_list() == [1, 1]  # the spike at 4.5, where the last bin ends, is in it


def test_another_site_has_its_own_spikes():
    tables = by_hand({"soma": [1.0], "dendrite": [1.0, 2.0]})
    assert psth(tables, site="tuft").collect()["spikes"].sum() == 2


def test_one_trial_has_a_rate_but_no_error():
    rows = psth(by_hand({"soma": [1.0]}), t_max=2.0).collect()
    assert rows["rate"].to_list() == [0.0, 1000.0]
    assert rows["sem"].null_count() == 2


def test_a_run_without_trials_and_one_without_spikes(tmp_path):
    catalog = Catalog(tmp_path / "results")
    catalog.open_run(spec())
    with pytest.raises(InputError, match="run = 'stim_C2' has no finished trial yet"):
        psth(catalog, "stim_C2")
    catalog.commit("stim_C2", trial_tables(0))
    assert psth(catalog, "stim_C2").collect()["rate"].to_list() == [0.0] * 100


def test_a_growing_run_is_seen_as_it_was_when_asked(tmp_path):
    catalog = Catalog(tmp_path / "results")
    catalog.open_run(spec())
    catalog.commit("stim_C2", trial_tables(0, soma=[1.0]))
    before = psth(catalog, "stim_C2", t_max=2.0)
    catalog.commit("stim_C2", trial_tables(1))
    assert before.collect()["rate"].to_list() == [0.0, 1000.0]
    assert psth(catalog, "stim_C2", t_max=2.0).collect()["rate"].to_list() == [0.0, 500.0]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"bin_size": 0}, "bin_size = 0 is out of range; expected a number > 0"),
        ({"t_max": 101}, "t_max = 101.0 is later than the trials last; expected at most 100 ms"),
        ({"t_min": 50, "t_max": 50}, "leave no room"),
        ({"bin_size": 200}, "bin_size = 200 is wider"),
        ({"rule": "sif"}, "rule = 'sif' is no binning rule"),
        ({"rule": "isf", "site": "tuft"}, "finds no spike at tuft"),
    ],
)
def test_what_cannot_be_binned_is_refused_in_one_line(asked, told):
    with pytest.raises(InputError, match=told):
        psth(THREE, **asked)


def test_a_frame_of_several_runs_is_told_apart():
    two = {name: pl.concat([f.with_columns(run=pl.lit(r)) for r in ("a", "b")]) for name, f in THREE.items()}
    assert psth(two, "a").collect().equals(psth(THREE).collect())
