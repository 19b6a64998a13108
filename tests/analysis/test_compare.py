import math

import pytest

from isfray.analysis import compare_psth, compare_responses, psth
from tests.analysis.recorded import by_hand

BEFORE = by_hand({"soma": [52.0]}, {"soma": [53.0]}, {"soma": [54.0]}, {})
AFTER = by_hand({"soma": [52.0]}, {}, {"soma": [5.0]}, {"seed": 99, "soma": [51.0]})


def test_two_runs_are_compared_as_groups_and_pair_by_pair():
    found = compare_responses(BEFORE, None, None, other=AFTER, t_min=50.0, t_max=60.0)
    assert (found.first.probability, found.second.probability, found.difference) == (0.75, 0.5, -0.25)
    assert found.difference_interval[0] < -0.25 < found.difference_interval[1]
    assert (found.paired, found.only_first, found.only_second) == (3, 2, 0)  # trial 3 had another seed
    assert found.p_paired == 0.5


def test_runs_of_other_seeds_have_no_pairs():
    other = by_hand({"seed": 50}, {"seed": 51})
    found = compare_responses(BEFORE, None, None, other=other, t_min=50.0)
    assert found.paired == 0
    assert math.isnan(found.p_paired)


def test_rates_differ_by_what_their_psths_differ():
    rows = compare_psth(BEFORE, None, None, other=AFTER, bin_size=10.0, t_min=50.0, t_max=70.0).collect()
    one, two = (psth(t, bin_size=10.0, t_min=50.0, t_max=70.0).collect() for t in (BEFORE, AFTER))
    assert rows["difference"].to_list() == [pytest.approx(-25.0), 0.0]
    error = math.hypot(one["sem"][0], two["sem"][0])
    assert rows["high"][0] - rows["low"][0] == pytest.approx(2 * 1.959964 * error)


def test_two_runs_of_one_catalog(golden):
    found = compare_responses(golden, "replays", "replays", t_min=245.0, t_max=295.0)
    assert (found.paired, found.p_paired, found.difference) == (2, 1.0, 0.0)
