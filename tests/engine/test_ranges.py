"""What a model cannot mean is refused with its file, line and key, before NEURON is started."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray import edits
from isfray.engine.fit import fit
from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.formats.nmodl import own_mechanisms
from isfray.model.clamp import CurrentClamp, read_clamps
from isfray.model.ranges import too_alike
from tests.formats.test_network_refusals import changed
from tests.model import small_cell

Write = Callable[..., Path]
RANGE = "neuron.Soma.mechanisms.range"
FUNCTIONS = "neuron.cell_modify_functions"
CALCIUM = {"spatial": "uniform", "gamma": 0.05, "decay": 80.0, "depth": 0.1, "minCai": 1e-4}
SODIUM = {"spatial": "uniform", "gNaTgbar": 0.1, "slopem": 6.0, "slopeh": 6.0}
CURRENT = {"amplitude": 0.5, "delay": 10.0, "duration": 10.0}
WRONG_CELL: list[tuple[str, Any, str]] = [
    # key, value, what is expected
    (f"{RANGE}.pas.g", -10, ">= 0 and <= 100 S/cm2"),
    (f"{RANGE}.pas.g", 120.0, "1 S/cm2 are 1000 mS/cm2"),
    (f"{RANGE}.pas.e", 2000.0, "mV"),
    (f"{RANGE}.NaTa_t.gNaTa_tbar", -1e-9, ">= 0"),
    (f"{RANGE}.CaDynamics_E2", CALCIUM | {"decay": 0}, "> 0 and <= 1e+09 ms"),
    (f"{RANGE}.CaDynamics_E2", CALCIUM | {"depth": 0.0}, "um"),
    (f"{RANGE}.CaDynamics_E2", CALCIUM | {"gamma": -0.1}, ">= 0"),
    (f"{RANGE}.CaDynamics_E2", CALCIUM | {"minCai": -1e-4}, ">= 0 and <= 10000 mM"),
    (f"{RANGE}.NaTg", SODIUM | {"slopem": 0.0}, "mV"),
    ("neuron.Soma.properties.Ra", 0, "Ohm cm"),
    ("neuron.Soma.properties.Ra", 1e30, "Ohm cm"),
    ("neuron.Soma.properties.cm", -1.0, "uF/cm2"),
    ("neuron.Soma.properties.cm", 0, "uF/cm2"),
    ("neuron.Soma.properties.ions.ek", -8500, "mV"),
    ("neuron.Soma.properties.ions.cai", 0.0, "> 0 and <= 10000 mM"),
    ("neuron.Dendrite.properties.spines", {"density": -1, "area": 1}, "1/um"),
    ("neuron.Dendrite.properties.spines", {"density": 1, "area": 1e9}, "um2"),
    ("neuron.discretization", {"f": 1e30, "max_seg_length": None}, "at most 32,767"),
    ("neuron.discretization", {"f": 100.0, "max_seg_length": 0}, "um"),
    (FUNCTIONS, {"scale_apical": {"scale": 0}}, "> 0"),
    (FUNCTIONS, {"soma_current_injection": CURRENT | {"amplitude": 619}}, "nA (1 nA are 1000 pA)"),
    (FUNCTIONS, {"soma_current_injection": CURRENT | {"delay": -1.0}}, "ms"),
    (FUNCTIONS, {"apical_epsp_injection": {"dist": 620, "amplitude": 1, "delay": 1, "rise": 0}}, "> 0"),
    (FUNCTIONS, {"apical_epsp_injection": {"dist": 620, "amplitude": 1, "delay": 1, "rise": 5}}, "time constants"),
    ("mech_globals", {"SK_E2": {"zTau": 0}}, "ms"),
    ("mech_globals", {"Ih": {"ehcn": 1e6}}, "mV"),
    ("mech_globals", {"glutamate_syn": {"gama": 100}}, "/mV"),
    ("mech_globals", {"glutamate_syn": {"n": -0.25}}, ">= 0"),
    ("sim.Vinit", -1e9, "<= 200 mV"),
    ("sim.T", 307.0, "degC"),
    ("sim.dt", 0.0, "> 0 and <= 2.5 ms"),
    ("sim.dt", 25.0, "<= 2.5 ms"),
    ("sim.tStop", -1, "ms"),
]
WRONG_NETWORK: list[tuple[str, Any, str]] = [
    ("VPM_C2.synapses.receptors.glutamate_syn.weight", -1e4, "numbers from 0"),
    ("VPM_C2.synapses.receptors.glutamate_syn.weight", [1.0, -1e-3], "numbers from 0"),
    ("VPM_C2.synapses.receptors.glutamate_syn.weight", 1e7, "1 nS are 1000 pS"),
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"tau1": 0}, "> 0 and <= 1e+09 ms"),
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"tau1": 2.0, "tau2": 2.0}, "two different times"),
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"tau2": 50.0}, "two different times"),  # tau1 by default
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"tau4": 1e-300}, "two different times"),
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"taudampa": 0}, "ms"),
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"decayampa": -1}, ">= 0"),
    ("VPM_C2.synapses.receptors.glutamate_syn.parameter", {"n": -1.0}, ">= 0"),
    ("INH.synapses.receptors.gaba_syn.parameter", {"risetime": 20.0, "decaytime": 20}, "two different times"),
    ("INH.synapses.receptors.gaba_syn.parameter", {"e": -8000}, "mV"),
    ("INH.synapses.releaseProb", -0.1, "from 0 to 1"),
    ("INH.synapses.receptors.gaba_syn.delay", 1e12, "ms"),
    ("INH.interval", 1e-300, "mean interval"),
    ("INH.cellNr", 10**12, "at most 10,000,000"),
]


@pytest.mark.parametrize(("key", "value", "expected"), WRONG_CELL, ids=[f"{w[0]}={w[1]!r:.40}" for w in WRONG_CELL])
def test_a_cell_that_cannot_be_meant_is_refused_by_line_and_key(key: str, value: Any, expected: str, tmp_path: Path):
    path = small_cell.write(tmp_path)
    path.write_text(json.dumps(changed(small_cell.PARAM, key, value), indent=1))
    with pytest.raises(InputError) as told:
        fit(load_cell(path))
    message = str(told.value)
    assert message.startswith(f"{path}:"), message
    assert key.split(".")[-1] in message
    assert expected in message
    assert len(message) < 600


@pytest.mark.parametrize(
    ("key", "value", "expected"), WRONG_NETWORK, ids=[f"{w[0]}={w[1]!r:.40}" for w in WRONG_NETWORK]
)
def test_a_network_that_cannot_be_meant_is_refused_by_line_and_key(
    key: str, value: Any, expected: str, small_network: dict[str, Any], write_network: Write, tmp_path: Path
):
    path = write_network(small_network)
    path.write_text(json.dumps(changed(small_network, f"network.{key}", value), indent=1))
    with pytest.raises(InputError) as told:
        fit(load_cell(small_cell.write(tmp_path)), load_network(path))
    message = str(told.value)
    assert message.startswith(f"{path}:"), message
    assert key in message
    assert expected in message
    assert len(message) < 600


STEERED: list[dict[str, Any]] = [
    {"spatial": "linear", "distance": "absolute", "slope": -1.0, "offset": -1.0},
    {"spatial": "exponential", "distance": "absolute", "offset": 1, "linScale": -5, "_lambda": 0.1, "xOffset": 0},
    {"spatial": "exponential", "distance": "absolute", "offset": 1, "linScale": 1, "_lambda": 500, "xOffset": 0},
    {"spatial": "uniform_range", "begin": 0, "end": 1, "outsidescale": -1},
    {"spatial": "sigmoid", "distance": "absolute", "offset": -1, "linScale": 0, "xOffset": 0, "width": 1},
]


@pytest.mark.parametrize("steering", STEERED, ids=lambda steering: f"{steering['spatial']}")
def test_a_distribution_that_makes_a_density_negative_or_endless_is_refused(steering: dict[str, Any], tmp_path: Path):
    def steer(data: dict[str, Any]) -> None:
        data["neuron"]["ApicalDendrite"]["mechanisms"]["range"]["Ih"] = steering | {"gIhbar": 1e-4}

    with pytest.raises(InputError, match=r"small\.param:\d+: .*Ih\.spatial.* gives gIhbar = .* to a segment, which is"):
        fit(load_cell(small_cell.write(tmp_path, steer)))


@pytest.mark.parametrize("amp", [1000.0, -100.5, math.inf, math.nan, "1", None, True])
def test_a_current_is_asked_about_beyond_100_nanoamperes(amp: Any):
    with pytest.raises(InputError, match=r"clamp\[0\]\.amp = .* is .*; expected .* nA \(1 nA are 1000 pA\)"):
        read_clamps([{"amp": amp}], ("Soma",))


def test_the_currents_of_published_protocols_are_taken():
    for amp in (0.619, 0.793, 1.507, 1.9, -2.0, 10.0):
        assert read_clamps([CurrentClamp("Soma", amp=amp)], ("Soma",))[0].amp == amp


def test_an_edit_cannot_make_what_cannot_be_meant(small_network: dict[str, Any], write_network: Write):
    network = load_network(write_network(small_network))
    for change in (
        lambda: edits.set_weights(network, {"VPM": -1e4}),
        lambda: edits.set_weights(network, {"VPM": math.inf}),
        lambda: edits.scale_weights(network, -1.0),
        lambda: edits.scale_weights(network, 1e300),
        lambda: edits.scale_ongoing_rates(network, 1e9),
        lambda: edits.move_stimulus(network, 1e300),
        lambda: edits.repeat_stimulus(network, 10**12),
    ):
        with pytest.raises(InputError):
            change()


def test_a_weight_file_holds_weights(small_network: dict[str, Any], write_network: Write, tmp_path: Path):
    network = load_network(write_network(small_network))
    file = tmp_path / "weights.csv"
    file.write_text("header\nVPM_C2\t0\t0\t0\tglutamate_syn\t1.0,-1.0,\n")
    with pytest.raises(InputError, match=r"weights\.csv:2: '1\.0,-1\.0,' is out of range; expected weights from 0"):
        edits.with_weights_from(network, file)


def test_every_default_of_every_mechanism_is_in_its_range():
    for mechanism in own_mechanisms().values():
        for name, default in {**mechanism.parameters, **mechanism.global_parameters}.items():
            bounds = mechanism.range_of(name)
            assert bounds.get("least", -math.inf) <= default <= bounds["most"], (mechanism.name, name)
            assert bounds.get("above", -math.inf) < default


def test_time_constants_and_conductances_are_told_by_their_units():
    synapse, pool = own_mechanisms()["gaba_syn"], own_mechanisms()["CaDynamics_E2"]
    assert synapse.units["decaytime"] == pool.units["decay"] == "ms"
    assert synapse.rise_and_decay == (("risetime", "decaytime"),)
    assert own_mechanisms()["glutamate_syn"].rise_and_decay == (("tau2", "tau1"), ("tau4", "tau3"))
    densities = [m for m in own_mechanisms().values() if m.kind == "density" and not m.name.startswith("CaDynamics")]
    assert all("S/cm2" in m.units.values() for m in densities)


@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_two_times_that_pass_have_a_peak_that_is_a_number(rise: float, decay: float):
    if too_alike(rise, decay):
        return
    peak = rise * decay / (decay - rise) * math.log(decay / rise)
    scale = 1 / (math.exp(-peak / decay) - math.exp(-peak / rise))
    assert math.isfinite(scale)
    t = max(peak, 0.0)
    assert scale * (math.exp(-t / decay) - math.exp(-t / rise)) == pytest.approx(1.0)


def test_the_reference_is_in_range(reference: Path):
    network = load_network(reference / "model" / "network.param")
    fit(load_cell(reference / "model" / "86_C2_center.param"), network)
    for name in ("epsp/neuron_model.param", "study/example_neuron_model.param"):
        fit(load_cell(reference / name))
