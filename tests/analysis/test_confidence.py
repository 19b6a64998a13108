import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.analysis import bootstrap, mcnemar, newcombe, wilson
from isfray.errors import InputError


@given(st.integers(1, 400), st.floats(0.5, 0.999), st.data())
def test_wilsons_limits_are_where_the_score_test_just_rejects(n, confidence, data):
    k = data.draw(st.integers(0, n))
    low, high = wilson(k, n, confidence)
    assert 0 <= low <= k / n <= high <= 1
    for limit in (low, high):
        if 0 < limit < 1:  # z of the observed proportion, were the limit the true one
            z = abs(k / n - limit) / math.sqrt(limit * (1 - limit) / n)
            assert math.erf(z / math.sqrt(2)) == pytest.approx(confidence, abs=1e-6)


def test_published_intervals_of_a_proportion_and_of_a_difference():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, Stat Med 17:857, table I
    low, high = newcombe(48, 80, 56, 70)  # Newcombe 1998, Stat Med 17:873, table II, example (a), method 10
    assert (-high, -low) == pytest.approx((-0.3339, -0.0524), abs=5e-5)


def test_paired_outcomes_are_tested_by_a_fair_coin():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 4) == pytest.approx(2 * (1 + 5) / 2**5)
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(10_000, 10_500) == pytest.approx(math.erfc(499 / math.sqrt(2 * 20_500)), rel=1e-3)


def test_the_bootstrap_of_a_mean_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    low, high = bootstrap(values, resamples=4000)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.02)
    assert bootstrap(values, resamples=4000) == (low, high)
    assert np.isnan(bootstrap(values[:1])).all()


def test_a_confidence_of_one_is_refused():
    with pytest.raises(InputError, match="confidence = 1 is out of range; expected a number > 0 and < 1"):
        wilson(1, 2, 1)
