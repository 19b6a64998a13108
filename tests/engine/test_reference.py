"""The reference cell in NEURON equals ISF's golden numbers (reference/golden)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from isfray.activity import trial_seed
from isfray.engine import ENGINES
from tests.engine.child import in_child

RUNS = "tests.engine.reference_runs"


@pytest.fixture(scope="module")
def built(reference):
    return in_child(RUNS, "built_cell", reference / "model")


@pytest.mark.parametrize("quantity", ["area", "diam", "cm", "ri"])
def test_geometry_in_neuron_is_isfs(built, reference, quantity):
    golden = json.loads((reference / "golden" / "geometry.json").read_text())["sections"]
    for ours, section in zip(built[quantity], golden, strict=True):
        np.testing.assert_allclose(ours, section[f"seg_{quantity}"], rtol=1e-12)


def test_lengths_in_neuron_are_those_computed_without_it(built, reference):
    golden = json.loads((reference / "golden" / "geometry.json").read_text())["sections"]
    assert built["L"] == [s["L"] for s in golden]


def test_every_density_and_ion_in_neuron_is_isfs(built, reference):
    golden = np.load(reference / "golden" / "conductances.npz")
    assert len(built["densities"]) > 20
    for name, values in built["densities"].items():
        np.testing.assert_allclose(values, golden[name], rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("tag", "amplitude"), [("rest", None), ("iclamp_0.619", 0.619)])
def test_a_trial_without_synapses_is_isfs(reference, tag, amplitude, engine):
    golden = {
        name: np.load(reference / "golden" / f"{tag}_{name}.npy") for name in ("t", "soma_v", "rec0_v", "allseg_v_end")
    }
    ours = in_child(RUNS, "step", reference / "model", amplitude, engine)
    np.testing.assert_array_equal(ours["time"], golden["t"])
    assert len(ours["time"]) == 12_002
    np.testing.assert_allclose(ours["soma"], golden["soma_v"], rtol=0, atol=1e-7)
    np.testing.assert_allclose(ours["site"], golden["rec0_v"], rtol=0, atol=1e-7)
    np.testing.assert_allclose(ours["end"], golden["allseg_v_end"], rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("engine", "share"),
    [("coreneuron", True), ("neuron", True), ("neuron", False)],
    ids=["coreneuron", "neuron", "neuron, one point process per synapse"],
)
def test_a_replayed_trial_is_isfs_sample_by_sample(reference, engine, share):
    told = json.loads((reference / "golden" / "replays.json").read_text())
    for k, ours in enumerate(in_child(RUNS, "replays", reference / "model", engine, share)):
        golden = {n: np.load(reference / "golden" / f"replay{k + 1}_{n}.npy") for n in ("t", "soma_v", "rec0_v")}
        np.testing.assert_array_equal(ours["time"], golden["t"])
        np.testing.assert_allclose(ours["soma"], golden["soma_v"], rtol=0, atol=1e-6)
        np.testing.assert_allclose(ours["site"], golden["rec0_v"], rtol=0, atol=1e-6)
        assert ours["spikes"] == told[k]["spike_times"]
        assert len(ours["activation"]) == told[k]["n_syn"]
        assert sum(len(row["times"]) for row in ours["activation"]) == told[k]["n_releases"]


def test_a_trial_is_the_same_whatever_ran_before_it(reference):
    found = in_child(RUNS, "repeated", reference / "model")
    assert len(set(found["digests"])) == 1
    assert found["tables_equal"]
    assert found["activation_equal"]


def test_drawn_trials_have_the_reference_voltage_on_the_default_path(reference):
    seeds = [trial_seed(99, k) for k in range(4)]
    for (voltage, spikes), (expected, expected_spikes) in in_child(
        RUNS, "both_paths", reference / "model", seeds, 100.0
    ):
        assert spikes == expected_spikes
        for site, v in expected.items():
            np.testing.assert_allclose(voltage[site], v, rtol=0, atol=1e-6)
