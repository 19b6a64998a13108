"""The synapses and the EPSP-shaped current as compiled, against the equations worked out in numpy."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DT = 0.025
STEPS = 800
Stream = tuple[list[float], list[float]]  # weights, event times
NAMES = {"glutamate_syn": ("gampa", "gnmda", "iampa", "inmda"), "gaba_syn": ("ggaba", "i")}


@pytest.fixture(scope="module")
def neuron() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        yield child


# --- in the child -----------------------------------------------------------------------------------------------------


def simulate(
    kind: str,
    parameters: dict[str, float],
    streams: list[Stream],
    *,
    shared: bool,
    v: float = -60.0,
    steps: int = STEPS,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Conductances and currents summed over the point processes, one row a step, and the peaks' record at the end."""
    from isfray.engine.neuron import mechanisms

    h = mechanisms.load()
    section = h.Section()
    section.cm = 1e12  # nothing moves the voltage
    h.dt = DT
    synapses, inputs = [], []
    for weights, times in streams:
        if not synapses or not shared:
            synapses.append(getattr(h, kind)(section(0.5)))
            for name, value in parameters.items():
                setattr(synapses[-1], name, value)
        netcon = h.NetCon(None, synapses[-1])
        for i, weight in enumerate(weights):
            netcon.weight[i] = weight
        inputs.append((netcon, times))
    names = NAMES[kind.removesuffix("_old")]
    recorded = {name: [h.Vector().record(getattr(s, f"_ref_{name}")) for s in synapses] for name in names}
    start = h.FInitializeHandler(lambda: [netcon.event(time) for netcon, times in inputs for time in times])
    for _ in range(2):  # a second trial must know nothing of the first
        h.finitialize(v)
        for _ in range(steps):
            h.fadvance()
    del start
    last = {
        name: getattr(synapses[-1], name)
        for name in ("gampamax", "gnmdamax", "ggabamax")
        if hasattr(synapses[-1], name)
    }
    return {name: np.sum([vector.as_numpy() for vector in of], axis=0) for name, of in recorded.items()}, last


def injected(onset: float, tau0: float, tau1: float, imax: float, steps: int) -> np.ndarray:
    from isfray.engine.neuron import mechanisms

    h = mechanisms.load()
    section = h.Section()
    h.dt = DT
    current = h.epsp(section(0.5))
    current.onset, current.tau0, current.tau1, current.imax = onset, tau0, tau1, imax
    vector = h.Vector().record(current._ref_i)
    h.finitialize(-70)
    for _ in range(steps):
        h.fadvance()
    return vector.as_numpy().copy()


# --- the same in numpy: one synapse, plasticity as an ODE that advances in whole steps --------------------------------


def norm(rise: float, decay: float) -> float:
    tp = rise * decay / (decay - rise) * np.log(decay / rise)
    return 1 / (np.exp(-tp / decay) - np.exp(-tp / rise))


def conductance(
    weight: float,
    times: list[float],
    rise: float,
    decay: float,
    depress: float,
    facilitate: float,
    tau_d: float,
    tau_f: float,
) -> np.ndarray:
    """Conductance as the membrane sees it in each step."""
    up = down = 0.0
    d = f = 1.0
    t, waiting, seen = 0.0, sorted(times), []
    for _ in range(STEPS):
        while waiting and waiting[0] <= t + DT / 2:
            waiting.pop(0)
            up += norm(rise, decay) * weight * d * f
            down += norm(rise, decay) * weight * d * f
            d *= depress
            f += facilitate
        seen.append(down - up)
        up, down = up * np.exp(-DT / rise), down * np.exp(-DT / decay)
        d, f = 1 - (1 - d) * np.exp(-DT / tau_d), 1 - (1 - f) * np.exp(-DT / tau_f)
        t += DT / 2
        t += DT / 2
    return np.array(seen)


def glutamate(p: dict[str, float], stream: Stream) -> tuple[np.ndarray, np.ndarray]:
    (ampa, nmda), times = stream
    fast = conductance(ampa, times, p["tau4"], p["tau3"], p["decayampa"], p["facilampa"], p["taudampa"], p["taufampa"])
    slow = conductance(nmda, times, p["tau2"], p["tau1"], p["decaynmda"], p["facilnmda"], p["taudnmda"], p["taufnmda"])
    return fast, slow


def gaba(p: dict[str, float], stream: Stream) -> np.ndarray:
    (weight,), times = stream
    return conductance(
        weight, times, p["risetime"], p["decaytime"], p["decaygaba"], p["facilgaba"], p["taudgaba"], p["taufgaba"]
    )


# --- the statements ---------------------------------------------------------------------------------------------------

instants = st.one_of(st.floats(0, STEPS * DT), st.integers(0, STEPS).map(lambda k: k * DT))
times = st.lists(instants, max_size=12).map(sorted)
weight = st.floats(0, 5)
share, recovery, gain = st.floats(0, 1), st.floats(1, 500), st.floats(0, 2)


@st.composite
def glutamate_kinetics(draw):
    p = {f"{what}{of}": draw(s) for of in ("ampa", "nmda") for what, s in (("decay", share), ("facil", gain))}
    p |= {f"{what}{of}": draw(recovery) for of in ("ampa", "nmda") for what in ("taud", "tauf")}
    p |= {"tau1": draw(st.floats(10, 80)), "tau2": draw(st.floats(0.5, 5))}
    return p | {"tau3": draw(st.floats(1, 5)), "tau4": draw(st.floats(0.05, 0.5))}


@st.composite
def gaba_kinetics(draw):
    p = {"risetime": draw(st.floats(0.2, 2)), "decaytime": draw(st.floats(5, 30)), "decaygaba": draw(share)}
    return p | {"facilgaba": draw(gain), "taudgaba": draw(recovery), "taufgaba": draw(recovery)}


@settings(max_examples=60, deadline=None)
@given(
    p=glutamate_kinetics(),
    streams=st.lists(st.tuples(st.lists(weight, min_size=2, max_size=2), times), min_size=1, max_size=4),
    shared=st.booleans(),
    v=st.floats(-90, 40),
)
def test_inputs_of_a_glutamate_synapse_add_up_each_with_its_own_plasticity(neuron, p, streams, shared, v):
    found, _ = neuron.submit(simulate, "glutamate_syn", p, streams, shared=shared, v=v).result()
    fast, slow = np.sum([glutamate(p, stream) for stream in streams], axis=0)
    slow = slow / (1 + 0.25 * np.exp(-0.08 * v))
    scale = max(fast.max(), slow.max(), 1e-3)
    np.testing.assert_allclose(found["gampa"][1:], fast, rtol=1e-11, atol=1e-12 * scale)
    np.testing.assert_allclose(found["gnmda"][1:], slow, rtol=1e-11, atol=1e-12 * scale)
    np.testing.assert_allclose(found["iampa"], 1e-3 * found["gampa"] * v, rtol=1e-11, atol=1e-15 * scale)
    np.testing.assert_allclose(found["inmda"], 1e-3 * found["gnmda"] * v, rtol=1e-11, atol=1e-15 * scale)


@settings(max_examples=40, deadline=None)
@given(
    p=gaba_kinetics(),
    streams=st.lists(st.tuples(st.lists(weight, min_size=1, max_size=1), times), min_size=1, max_size=4),
    shared=st.booleans(),
)
def test_inputs_of_a_gaba_synapse_add_up_each_with_its_own_plasticity(neuron, p, streams, shared):
    found, _ = neuron.submit(simulate, "gaba_syn", p, streams, shared=shared).result()
    total = np.sum([gaba(p, stream) for stream in streams], axis=0)
    scale = max(total.max(), 1e-3)
    np.testing.assert_allclose(found["ggaba"][1:], total, rtol=1e-11, atol=1e-12 * scale)
    np.testing.assert_allclose(found["i"], 0, atol=1e-15 * scale)  # e is -60 mV, and so is v


@pytest.mark.parametrize("old", ["", "_old"])
def test_peak_conductance_of_one_event_is_its_weight(neuron, old):
    slow = {"tau4": 10.0, "tau3": 40.0, "tau2": 20.0, "tau1": 80.0}  # so that a step falls on the peak, nearly
    found, last = neuron.submit(
        simulate, f"glutamate_syn{old}", slow, [([1.68, 0.7], [1.0])], shared=True, v=-80.0, steps=4000
    ).result()
    assert found["gampa"].max() == pytest.approx(1.68, rel=1e-6)
    assert found["gnmda"].max() == pytest.approx(0.7 / (1 + 0.25 * np.exp(0.08 * 80)), rel=1e-6)
    assert last == {"gampamax": 1.68, "gnmdamax": 0.7}
    found, last = neuron.submit(
        simulate, f"gaba_syn{old}", {"risetime": 10.0, "decaytime": 30.0}, [([1.3], [1.0])], shared=True, steps=4000
    ).result()
    assert found["ggaba"].max() == pytest.approx(1.3, rel=1e-6)
    assert last == {"ggabamax": 1.3}


@pytest.mark.parametrize(
    ("kind", "rise", "decay", "expected"),
    [
        ("gaba_syn", 2.0, 26.0, 1.34150012956),
        ("gaba_syn", 0.1, 2.0, 1.23239990918),
        ("gaba_syn", 1.0, 20.0, 1.23239990918),
    ],
)
def test_norm_of_the_two_exponentials(neuron, kind, rise, decay, expected):
    found, _ = neuron.submit(
        simulate, kind, {"risetime": rise, "decaytime": decay}, [([1.0], [0.0])], shared=True, steps=4
    ).result()
    assert found["ggaba"][2] / (np.exp(-DT / decay) - np.exp(-DT / rise)) == pytest.approx(expected, rel=1e-11)


def test_an_event_acts_with_the_plasticity_it_finds_and_then_changes_it(neuron):
    p = {"decayampa": 0.25, "facilampa": 1.0, "decaynmda": 1.0, "facilnmda": 0.0, "tau3": 5.0, "tau4": 0.1}
    once, _ = neuron.submit(simulate, "glutamate_syn", p, [([1.0, 1.0], [1.0])], shared=True).result()
    twice, _ = neuron.submit(simulate, "glutamate_syn", p, [([1.0, 1.0], [1.0, 1.0])], shared=True).result()
    apart, _ = neuron.submit(simulate, "glutamate_syn", p, [([1.0, 1.0], [1.0])] * 2, shared=True).result()
    np.testing.assert_allclose(twice["gampa"], once["gampa"] * (1 + 0.25 * 2.0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(twice["gnmda"], once["gnmda"] * 2, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(apart["gampa"], once["gampa"] * 2, rtol=1e-12, atol=1e-15)


def test_events_act_from_the_step_they_are_nearest_to(neuron):
    instants = [[0.0], [0.012], [0.0126], [1.0], [1.0124], [1.0126], [1.025]]
    first = []
    for at in instants:
        found, _ = neuron.submit(simulate, "gaba_syn", {}, [([1.0], at)], shared=True, steps=60).result()
        first.append(int(np.flatnonzero(found["ggaba"] > 0)[0]))  # one step after both exponentials were raised
    assert first == [2, 2, 3, 42, 42, 43, 43]


def test_a_faded_conductance_is_nothing(neuron):
    p = {"tau1": 1.0, "tau2": 0.1, "tau3": 1.0, "tau4": 0.1}
    found, _ = neuron.submit(simulate, "glutamate_syn", p, [([1.0, 1.0], [0.0])], shared=True, steps=4000).result()
    assert found["gampa"][2000] > 1e-25
    assert found["gampa"][-1] == 0 == found["gnmda"][-1]


@pytest.mark.parametrize(("onset", "tau0", "tau1", "imax"), [(5.0, 1.0, 5.0, 0.5), (0.0, 0.2, 3.0, 1.0)])
def test_epsp_current_is_a_difference_of_exponentials_with_its_peak_at_imax(neuron, onset, tau0, tau1, imax):
    found = neuron.submit(injected, onset, tau0, tau1, imax, 40000).result()[1:]
    t = (np.arange(len(found)) + 0.5) * DT - onset  # the current in a step is taken at its middle
    tp = tau0 * tau1 * np.log(tau0 / tau1) / (tau0 - tau1)
    adjust = 1 / (np.exp(-tp / tau1) - np.exp(-tp / tau0))
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.where(t >= 0, -adjust * imax * (np.exp(-t / tau1) - np.exp(-t / tau0)), 0)
    np.testing.assert_allclose(found, expected, atol=1e-9 * imax)
    assert found.min() == pytest.approx(-imax, rel=2e-3)
    assert found[-1] == 0
