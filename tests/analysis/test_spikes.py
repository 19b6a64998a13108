import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.analysis import detect_spikes
from isfray.errors import InputError
from isfray.model.clock import sample_times
from isfray.model.detection import crossings
from tests.analysis.recorded import by_hand, golden_cases


def test_the_published_spikes_are_found_in_the_published_traces(reference, golden):
    found = detect_spikes(golden, "replays").collect()
    for trial, case in enumerate(golden_cases(reference)):
        of_trial = found.filter(trial=trial)
        assert of_trial["time"].to_list() == case["spike_times"]
        assert of_trial["spike_index"].to_list() == list(range(len(case["spike_times"])))


def test_sample_times_are_neurons_own_to_the_last_bit(reference):
    published = np.load(reference / "golden" / "rest_t.npy")
    assert np.array_equal(sample_times(len(published), 0.0, 0.025), published)


def test_a_trace_that_begins_above_threshold_has_no_spike_until_it_crosses_again():
    tables = by_hand({"voltage": {"soma": [5.0, -1.0, 0.0, 3.0, -2.0, 1.0]}})
    found = detect_spikes(tables).collect()
    assert found["time"].to_list() == pytest.approx([0.05, 0.125])
    assert found["threshold"].to_list() == [0.0, 0.0]
    assert detect_spikes(tables, t_min=0.06, t_max=0.12).collect().is_empty()
    assert detect_spikes(tables, threshold=2.0).collect()["time"].to_list() == [pytest.approx(0.075)]


def test_a_dendrite_spikes_at_minus_thirty():
    tables = by_hand({"voltage": {"soma": [-70.0] * 4, "tuft": [-70.0, -30.0, -70.0, -20.0]}, "sections": {}})
    assert detect_spikes(tables, site="tuft").collect().is_empty()  # both sites lie in section 0: the soma
    on_dendrite = {"tuft": (5, 0.5, 900.0)}
    tables = by_hand({"voltage": {"tuft": [-70.0, -30.0, -70.0, -20.0]}, "sections": on_dendrite})
    assert detect_spikes(tables, site="tuft").collect()["time"].to_list() == pytest.approx([0.025, 0.075])


def test_slope_mode_finds_the_steep_rise():
    tables = by_hand({"voltage": {"soma": [-70.0, -70.0, -69.0, -60.0, -59.9, -59.8]}})
    found = detect_spikes(tables, mode="slope", threshold=100.0).collect()  # 9 mV in 0.025 ms
    assert found["time"].to_list() == pytest.approx([0.075])


def test_what_cannot_be_detected_is_refused():
    tables = by_hand({"voltage": {"soma": [-70.0, 1.0]}})
    with pytest.raises(InputError, match="site = 'axon' was not recorded; expected one of soma"):
        detect_spikes(tables, site="axon")
    with pytest.raises(InputError, match="threshold is missing"):
        detect_spikes(tables, mode="slope")
    with pytest.raises(InputError, match="mode = 'curve'"):
        detect_spikes(tables, mode="curve")


@given(st.lists(st.floats(-90, 40), min_size=2, max_size=60), st.floats(-50, 20))
def test_every_crossing_has_a_sample_below_before_it_and_they_are_all_found(values, threshold):
    v = np.array(values)
    wanted = [i for i in range(1, len(v)) if values[i - 1] < threshold <= values[i]]
    assert crossings(v, threshold).tolist() == wanted
