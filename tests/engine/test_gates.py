"""Gates that CoreNEURON steps by table (gates.hpp): as their own equations have it, wherever the voltage goes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from isfray.engine.neuron.coreneuron import FOLDER
from isfray.formats.nmodl import mod_folder, own_mechanisms
from tests.engine.test_mechanisms import BOTH_ENGINES, built, built_twice, printed

__all__ = ["built", "built_twice"]

BY_TABLE = sorted(re.findall(r'"(\w+)"', (FOLDER / "gates.hpp").read_text().split(" relaxing = ")[1].split(";")[0]))
SWEPT = """
import ctypes, os

GATES = json.loads(sys.argv[1])

def clamped(mechanisms, low, high, nseg=1):
    section = h.Section()
    section.L, section.diam, section.nseg = 50, 10, nseg
    for name in mechanisms:
        section.insert(name)
    times = np.arange(0, 60.001, 0.025)
    volts = 0.5 * (low + high) + 0.5 * (high - low) * np.sin(0.9 * times + 0.002 * times**2)
    clamps, played = [], (h.Vector(volts), h.Vector(times))
    for segment in section:
        clamps.append(h.SEClamp(segment))
        clamps[-1].dur1, clamps[-1].rs = 1e9, 1e-3
        played[0].play(clamps[-1]._ref_amp1, played[1], 1)
    traces = {f"{name}.{gate}({segment.x:.2f})": h.Vector().record(getattr(getattr(segment, name), "_ref_" + gate))
              for name in mechanisms for gate in GATES[name] for segment in section}
    traces["v"] = h.Vector().record(section(0.5)._ref_v)
    return traces, (section, clamps, played)

def apart(traces, expected, t_stop=50):
    found = []
    for coreneuron.enable in (False, True):
        h.finitialize(-70)
        pc.psolve(t_stop)
        found.append({name: np.array(trace) for name, trace in traces.items()})
    coreneuron.enable = False
    by_table = ctypes.CDLL(os.environ["CORENEURONLIB"]).isfray_mechanisms_by_table()
    assert by_table == expected, by_table
    neuron, core = found
    return {name: [float(abs(core[name] / values - 1).max()), float(values.min()), float(values.max())]
            for name, values in neuron.items()}
"""


def swept(code: str, tmp_path: Path) -> dict[str, tuple[float, float, float]]:
    """By trace, what the code prints: largest relative difference between the engines, least and greatest value."""
    gates = {name: sorted(own_mechanisms()[name].variables & set("mh")) for name in BY_TABLE}
    found = json.loads(printed(BOTH_ENGINES + SWEPT + code, tmp_path, json.dumps(gates))[-1])
    return {name: tuple(values) for name, values in found.items()}


def test_what_goes_by_table_relaxes_at_rates_of_the_voltage_and_of_no_parameter():
    relaxing = {path.stem for path in mod_folder().glob("*.mod") if 'INCLUDE "relaxed.inc"' in path.read_text()}
    free = {name for name in relaxing if len(own_mechanisms()[name].parameters) > 1}  # more than a conductance
    assert sorted(relaxing - free) == BY_TABLE
    assert free == {"NaTg"}


def test_gates_follow_a_sweeping_voltage_as_in_neuron(built_twice, tmp_path):
    found = swept("traces, kept = clamped(GATES, -110, 60)\nprint(json.dumps(apart(traces, 11)))", tmp_path)
    assert len(found) == sum(len(own_mechanisms()[name].variables & set("mh")) for name in BY_TABLE) + 1
    for name, (difference, least, greatest) in found.items():
        assert difference < 1e-9, name
        assert greatest - least > 1e-3, name  # it moved


def test_voltages_beyond_the_tables_are_the_mechanisms_own_business(built_twice, tmp_path):
    # at 51.5 ms it is at 177 mV
    found = swept("traces, kept = clamped(GATES, -200, 180)\nprint(json.dumps(apart(traces, 0, 51.5)))", tmp_path)
    assert found["v"][1] < -190
    assert found["v"][2] > 170
    for name, (difference, *_) in found.items():
        assert difference < 1e-9, name


def test_another_time_step_or_more_cells_in_the_same_process_change_no_gate(built_twice, tmp_path):
    code = """
first, kept = clamped(["Ih", "NaTa_t"], -90, 20)
found = {f"alone {name}": values for name, values in apart(first, 2).items()}
h.dt = 0.05
found |= {f"coarse {name}": values for name, values in apart(first, 2).items()}
h.dt = 0.025
second, kept_too = clamped(["Ca_HVA", "Ih", "Im", "K_Tst", "SKv3_1"], -80, 30, nseg=5)
of_both = {**first, **{f"second {name}": trace for name, trace in second.items()}}
found |= {f"both {name}": values for name, values in apart(of_both, 6).items()}
del first, kept
found |= {f"without {name}": values for name, values in apart(second, 5).items()}
print(json.dumps(found))
"""
    found = swept(code, tmp_path)
    assert len(found) == 3 * 4 + 2 * 36
    for name, (difference, *_) in found.items():
        assert difference < 1e-9, name


def test_a_run_that_is_interrupted_and_goes_on_is_the_run_in_one_go(built_twice, tmp_path):
    code = """
traces, kept = clamped(GATES, -90, 40)
coreneuron.enable = True
h.finitialize(-70)
pc.psolve(30)
whole = {name: trace.as_numpy().copy() for name, trace in traces.items()}
h.finitialize(-70)
for t_stop in (10, 20, 30):
    pc.psolve(t_stop)
parts = {name: trace.as_numpy().copy() for name, trace in traces.items()}
print(json.dumps({name: [float(abs(values - parts[name]).max()), len(values), len(parts[name])]
                  for name, values in whole.items()}))
"""
    for name, (difference, samples, of_parts) in swept(code, tmp_path).items():
        assert samples == of_parts == 1201
        assert difference < 1e-12, name


@pytest.mark.parametrize("mechanism", BY_TABLE)
def test_a_mechanism_alone_in_one_segment_needs_no_company(built_twice, tmp_path, mechanism):
    found = swept(f'traces, kept = clamped(["{mechanism}"], -100, 50)\nprint(json.dumps(apart(traces, 1)))', tmp_path)
    for name, (difference, *_) in found.items():
        assert difference < 1e-9, name
