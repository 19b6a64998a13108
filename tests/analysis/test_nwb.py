"""The NWB file, read back with pynwb."""

from __future__ import annotations

import json

import numpy as np
import pynwb
import pytest

from isfray.analysis import to_nwb
from isfray.errors import InputError
from tests.analysis.recorded import by_hand, dendritic_spikes, golden_cases

SPAN = 12_002 * 0.025 / 1000  # s; NEURON's 300 ms


@pytest.fixture(scope="module")
def written(golden, tmp_path_factory):
    return to_nwb(golden, "replays", tmp_path_factory.mktemp("nwb") / "replays.nwb")


@pytest.fixture
def file(written):
    with pynwb.NWBHDF5IO(str(written), "r") as io:
        yield io.read()


def test_the_file_is_valid(written):
    assert not pynwb.validate(path=str(written))


def test_trials_follow_each_other_on_one_time_line_in_seconds(file, golden):
    trials = file.trials.to_dataframe()
    assert trials["start_time"].to_list() == pytest.approx([0.0, SPAN])
    assert (trials["stop_time"] - trials["start_time"]).to_list() == pytest.approx([0.3, 0.3])
    ours = golden.scan("trials", run="replays").collect()
    assert trials["n_releases"].to_list() == ours["n_releases"].to_list()
    assert trials["seed"].to_list() == ours["seed"].to_list()


def test_spikes_are_where_they_were_published(file, reference):
    soma, dendrite = file.units.to_dataframe()["spike_times"]
    published = [k * SPAN + t / 1000 for k, c in enumerate(golden_cases(reference)) for t in c["spike_times"]]
    assert soma.tolist() == pytest.approx(published)
    crossings = [
        k * SPAN + t / 1000 for k, c in enumerate(golden_cases(reference)) for t in dendritic_spikes(reference, c)
    ]
    assert dendrite.tolist() == pytest.approx(crossings)
    assert file.units["site"][0] == "soma"
    assert file.units["threshold"][0] == 0.0


def test_voltage_is_in_volts_at_its_sampling_rate(file, reference):
    series = file.acquisition["voltage_soma"]
    both = np.concatenate([np.load(reference / "golden" / f"replay{k}_soma_v.npy") for k in (1, 2)])
    assert np.array_equal(series.data[:], both)
    assert (series.unit, series.conversion, series.rate) == ("volts", 1e-3, 40_000.0)
    assert "section 0 at x = 0.5" in series.electrode.location
    assert len(file.acquisition) == 2


def test_provenance_goes_with_it(file):
    kept = json.loads(file.notes)
    assert kept["seed"] == 7
    assert kept["inputs"]["cell"]["main"]["name"] == "86_C2_center.param"


def test_spikes_alone_need_no_voltage(tmp_path):
    path = to_nwb(by_hand({"soma": [1.0]}, {}, {"soma": [2.0]}), None, tmp_path / "spikes.nwb")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        assert np.allclose(file.units["spike_times"][0], [0.001, 2 * 0.10005 + 0.002])
        assert not file.acquisition


def test_a_file_is_never_overwritten(written, golden, tmp_path):
    with pytest.raises(InputError, match=r"replays.nwb' exists already"):
        to_nwb(golden, "replays", written)
    with pytest.raises(InputError, match="is in no folder"):
        to_nwb(golden, "replays", tmp_path / "no" / "x.nwb")
