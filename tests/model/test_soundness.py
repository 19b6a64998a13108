"""What a sound trial is: so many samples, from the initial voltage on, all of them numbers and within a volt."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.model.clock import n_samples, sample_times
from isfray.model.soundness import UnsoundTrialError, first_fault, times_fault

MV = {"dt": 0.025, "start": -70.0, "most": 1000.0, "unit": "mV"}


def fault(*traces: np.ndarray, samples: int | None = 4001) -> str | None:
    places = ("voltage at soma", "voltage at apical", "voltage at tuft")
    return first_fault(zip(places, traces, strict=False), samples, **MV)


def sound(n: int = 4001) -> np.ndarray:
    return np.full(n, -70.0)


@given(st.floats(0.01, 20.0), st.floats(0.001, 1.0))
def test_a_trial_has_the_samples_that_a_loop_of_half_steps_takes(t_stop, dt):
    t, n = 0.0, 1
    while t < t_stop:
        t += 0.5 * dt
        t += 0.5 * dt
        n += 1
    assert n_samples(t_stop, dt) == n
    assert sample_times(n, 0.0, dt)[-1] == t  # to the last bit


def test_a_third_of_a_millisecond_takes_one_more_step_for_its_sum_stays_below():
    assert n_samples(50.0, 1 / 3) == 152


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 4000), st.sampled_from([np.nan, np.inf, -np.inf, 1000.5, -2e4])),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one[1],
    )
)
def test_the_first_time_and_place_of_what_no_voltage_can_be_is_told(faults):
    traces = [sound() for _ in range(3)]
    for trace, k, value in faults:
        traces[trace][k] = value
    trace, k, value = min(faults, key=lambda one: one[1])
    place = ("soma", "apical", "tuft")[trace]
    what = f"is {value}" if not np.isfinite(value) else f"reaches {value:.4g} mV"
    assert fault(*traces) == f"voltage at {place} {what} at {k * 0.025:.10g} ms"


def test_a_volt_itself_is_still_a_voltage():
    trace = sound()
    trace[7], trace[9] = 1000.0, -1000.0
    assert fault(trace) is None


def test_a_trace_that_is_too_short_or_begins_elsewhere_is_told():
    assert fault(sound(), sound(1)) == "voltage at apical has 1 sample of 4001"
    assert fault(sound(4002)) == "voltage at soma has 4002 samples of 4001"
    assert fault(sound(0), samples=None) == "voltage at soma has 0 samples"
    assert fault(sound(), sound() + 0.5) == "voltage at apical begins with -69.5 mV instead of -70 mV"


@pytest.mark.parametrize(("time", "ok"), [(0.0, True), (20.0, True), (20.1, False), (-0.1, False), (np.nan, False)])
def test_input_lies_within_the_trial(time, ok):
    found = times_fault("a release", np.array([3.0, time]), 20.0)
    assert (found is None) is ok
    assert ok or f"a release at {time:g} ms is not within the 20 ms" in found


def test_the_error_names_trials_and_crosses_processes():
    error = pickle.loads(pickle.dumps(UnsoundTrialError({3: "voltage at soma is nan at 5 ms"})))
    assert (str(error), error.wrong) == (
        "trial 3: voltage at soma is nan at 5 ms",
        {3: "voltage at soma is nan at 5 ms"},
    )
    many = str(UnsoundTrialError(dict.fromkeys(range(1000), "it is wrong")))
    assert many.endswith("4 (it is wrong) and 995 more")
