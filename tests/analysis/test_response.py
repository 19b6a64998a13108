import math

import numpy as np
import pytest

from isfray.analysis import response, responses
from isfray.errors import InputError
from tests.analysis.recorded import by_hand

FOUR = by_hand({"soma": [3.0, 52.0, 57.0]}, {}, {"soma": [58.0]}, {"soma": [60.0]})


def test_a_trial_responds_if_it_spikes_from_the_start_of_the_window_up_to_its_end():
    rows = responses(FOUR, t_min=52.0, t_max=60.0).collect()
    assert rows["spikes"].to_list() == [2, 0, 1, 0]
    assert rows["responded"].to_list() == [True, False, True, False]
    assert rows["latency"].to_list() == [0.0, None, 6.0, None]


def test_the_response_is_over_all_trials_and_its_latency_over_those_that_responded():
    found = response(FOUR, t_min=50.0, t_max=60.0)
    assert (found.trials, found.responding, found.probability) == (4, 2, 0.5)
    assert found.probability_interval == pytest.approx((0.15, 0.85), abs=0.001)  # Wilson, by hand
    assert found.spikes == 0.75
    assert found.latency == 5.0
    assert found.jitter == pytest.approx(np.std([2.0, 8.0], ddof=1))


def test_one_trial_and_a_silent_one_have_a_response():
    one = response(by_hand({"soma": [52.0]}), t_min=50.0)
    assert (one.probability, one.latency, one.t_max) == (1.0, 2.0, 100.0)
    assert math.isnan(one.jitter)
    silent = response(by_hand({}), t_min=50.0)
    assert (silent.probability, silent.spikes) == (0.0, 0.0)
    assert math.isnan(silent.latency)


def test_the_published_trials_respond_to_the_stimulus_at_245_ms(golden):
    found = response(golden, "replays", t_min=245.0, t_max=295.0)
    assert found.probability == 1.0
    assert found.latency == pytest.approx((260.25 + 263.3) / 2 - 245)


def test_a_window_that_is_none_is_refused():
    with pytest.raises(InputError, match="begins after it ends"):
        response(FOUR, t_min=60.0, t_max=50.0)
    with pytest.raises(InputError, match="at most 100 ms"):
        response(FOUR, t_min=60.0, t_max=150.0)
