import pytest

from isfray.analysis import bursts, interspike_intervals
from isfray.errors import InputError
from tests.analysis.recorded import by_hand

TRIALS = by_hand({"soma": [1.0, 11.0, 15.0, 40.0, 45.0, 47.5]}, {}, {"soma": [5.0]}, {"soma": [20.0, 31.0]})


def test_intervals_do_not_reach_from_one_trial_into_the_next():
    rows = interspike_intervals(TRIALS).collect()
    assert rows["trial"].to_list() == [0, 0, 0, 0, 0, 3]
    assert rows["interval"].to_list() == [10.0, 4.0, 25.0, 5.0, 2.5, 11.0]
    within = interspike_intervals(TRIALS, t_min=11.0, t_max=45.0).collect()
    assert within["interval"].to_list() == [4.0, 25.0, 11.0]


def test_a_burst_is_spikes_that_follow_each_other_closely():
    rows = bursts(TRIALS).collect()
    assert rows.rows() == [(0, 1.0, 15.0, 3, 1000 * 2 / 14), (0, 40.0, 47.5, 3, 1000 * 2 / 7.5)]
    assert bursts(TRIALS, min_spikes=2, max_interval=4.0).collect()["start"].to_list() == [11.0, 45.0]
    assert bursts(TRIALS, max_interval=11.0, min_spikes=2).collect()["trial"].to_list() == [0, 0, 3]
    assert bursts(TRIALS, min_spikes=4).collect().is_empty()


def test_what_is_no_burst_is_refused():
    with pytest.raises(InputError, match="max_interval = 0"):
        bursts(TRIALS, max_interval=0)
    with pytest.raises(InputError, match="min_spikes = 1 is not valid; expected a whole number of at least 2"):
        bursts(TRIALS, min_spikes=1)
