"""CoreNEURON's functions that faster ones stand in for: where, with what voltage, and what if they were wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.engine.neuron import build as building
from isfray.engine.neuron.build import FLAGS, build_key, coreneuron_facts
from isfray.engine.neuron.coreneuron import FOLDER, REPLACED, TESTED, Patch, is_known, patch_for
from isfray.errors import InputError
from isfray.formats.nmodl import read_mechanisms
from tests.conftest import two_populations, write_network_files
from tests.engine.child import heard, in_child
from tests.engine.soak import CHANNELS
from tests.model.small_cell import write

RUNS = "tests.engine.coreneuron_runs"
TINY = "NEURON { SUFFIX tiny RANGE x }\nPARAMETER { x = 1 }\n"
replaced_here = pytest.mark.skipif(sys.platform != "linux", reason="replaced on Linux")


def with_channels(param):
    param["neuron"]["ApicalDendrite"]["mechanisms"]["range"] |= CHANNELS


@pytest.fixture
def small(tmp_path):
    """A small cell with channels, and its network."""
    network = two_populations()
    network["network"]["VPM_C2"]["celltype"]["pointcell"]["offset"] = 0.0
    return write(tmp_path, with_channels), write_network_files(tmp_path, network)


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.mod").write_text(TINY)
    return tmp_path / "tiny"


def changed(folder: Path, header: str, old: str, new: str) -> Path:
    """The headers, with one term of one of them changed."""
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / header).read_text()
    assert text.count(old) == 1
    (folder / header).write_text(text.replace(old, new))
    return folder


def apart(one, other):
    """Largest difference between the voltages of trials, mV."""
    assert [list(a) for a in one] == [list(b) for b in other]
    return max(np.abs(a[site] - b[site]).max() for a, b in zip(one, other, strict=True) for site in a)


def test_the_installed_neuron_is_the_last_that_was_tested():
    assert ".".join(map(str, TESTED)) == metadata.version("neuron")


@pytest.mark.parametrize(
    ("platform", "version", "switch", "expected"),
    [
        ("linux", "9.0.0", "", Patch("patch.hpp", REPLACED)),
        ("linux", "9.0", "1", Patch("patch.hpp", REPLACED)),
        ("linux", "9.0.2", "1", Patch("patch.hpp", REPLACED)),
        ("linux", "9.0.2", "0", Patch("exp.hpp")),  # which needs no linker
        ("darwin", "9.0.2", "", Patch("exp.hpp")),
        ("darwin", "9.0.2", "0", Patch("exp.hpp")),
        ("linux", "9.0.3", "1", Patch()),
        ("linux", "9.1.0", "", Patch()),
        ("linux", "10.0.0", "", Patch()),
        ("linux", "8.2.7", "", Patch()),
        ("linux", "9.0.2rc1", "", Patch()),
        ("linux", "9.0.2.dev5", "", Patch()),
        ("darwin", "9.1.0", "", Patch()),
    ],
)
def test_functions_are_replaced_on_linux_in_tested_versions_unless_switched_off(platform, version, switch, expected):
    assert patch_for(platform, version, switch) == expected


@given(st.tuples(*[st.integers(0, 30)] * 3))
def test_versions_from_9_0_to_the_tested_one_are_known_and_no_others(numbers):
    assert is_known(".".join(map(str, numbers))) == (numbers[:2] == (9, 0) and numbers <= TESTED)


@pytest.mark.parametrize("switch", ["off", "2", "false", " 0"])
def test_a_switch_is_0_or_1(switch):
    with pytest.raises(InputError, match=r"ISFRAY_COREPATCH = .* is no switch.*0 or 1"):
        patch_for("linux", "9.0.2", switch)


@replaced_here
def test_both_states_of_the_switch_live_side_by_side_and_neuron_has_one(monkeypatch, tiny):
    keys = {}
    for switch in ("0", "1"):
        monkeypatch.setenv("ISFRAY_COREPATCH", switch)
        keys[switch] = [build_key(read_mechanisms(tiny), FLAGS, "c++", coreneuron=core) for core in (False, True)]
    assert keys["0"][0] == keys["1"][0]
    assert keys["0"][1] != keys["1"][1]


@replaced_here
def test_a_changed_header_is_another_build_for_coreneuron_and_the_same_for_neuron(monkeypatch, tiny, tmp_path):
    before = [build_key(read_mechanisms(tiny), FLAGS, "c++", coreneuron=core) for core in (False, True)]
    folder = changed(tmp_path / "headers", "gates.hpp", "pieces = 2048", "pieces = 2049")
    monkeypatch.setattr("isfray.engine.neuron.coreneuron.FOLDER", folder)
    after = [build_key(read_mechanisms(tiny), FLAGS, "c++", coreneuron=core) for core in (False, True)]
    assert before[0] == after[0]
    assert before[1] != after[1]


@replaced_here
@pytest.mark.parametrize("header", sorted(path.name for path in FOLDER.glob("*.hpp")))
def test_a_header_includes_what_it_uses(header):
    neuron = metadata.distribution("neuron").locate_file("neuron/.data/include")
    command = ["c++", "-std=c++17", "-fsyntax-only", "-DCORENRN_BUILD=1", "-DADDITIONAL_MECHS", "-I", str(neuron)]
    command += ["-include", str(FOLDER / header), "-x", "c++", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@replaced_here
@pytest.mark.parametrize("model", ["small", "example", "reference"])
def test_the_voltage_is_that_of_coreneuron_as_it_comes(model, request):
    cell, network, t_stop = None, None, 150.0
    if model == "small":
        cell, network = request.getfixturevalue("small")
    elif model == "reference":
        folder = request.getfixturevalue("reference") / "model"
        cell, network, t_stop = folder / "86_C2_center.param", folder / "network.param", 60.0
    both = [in_child(RUNS, "voltages_with", cell, network, t_stop, patch) for patch in ("0", "1")]
    assert apart(*both) < 1e-9
    assert all(np.ptp(trial["soma"]) > 1.0 for trial in both[0])


@replaced_here
def test_a_solver_that_is_wrong_is_dropped_in_the_first_step_and_no_trial_is_lost(small, tmp_path):
    headers = changed(tmp_path / "headers", "solver.hpp", "rhs[i] /= d[i];", "rhs[i] /= 1.000001 * d[i];")
    right, quiet = heard(RUNS, "voltages_with", *small, 60.0, "1")
    found, said = heard(RUNS, "voltages_with", *small, 60.0, "1", headers)
    assert "CoreNEURON's own" not in quiet
    (warning,) = (line for line in said.splitlines() if "building" not in line)
    assert warning.startswith("CoreNEURON's own solver and loop over currents from here on")
    assert "in 0 other values" in warning
    assert apart(found, right) < 1e-9


@replaced_here
@pytest.mark.parametrize(
    ("header", "old", "new"),
    [
        ("currents.hpp", "thread->_actual_rhs, thread->end, 0.0)", "thread->_actual_rhs, thread->end, 1e-6)"),
        ("ions.hpp", "ions->data + 3 * stride, n, 0.0)", "ions->data + 3 * stride, n, 1e-9)"),
    ],
)
def test_wrong_currents_are_seen_too(tiny, tmp_path, header, old, new):
    found, said = heard(RUNS, "axon", tiny, changed(tmp_path / "headers", header, old, new))
    assert said.count("CoreNEURON's own solver and loop over currents from here on") == 1
    assert found["neuron"].max() > 20.0
    np.testing.assert_allclose(found["coreneuron"], found["neuron"], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found["again"], found["coreneuron"])


def test_a_neuron_that_was_not_tested_has_coreneuron_as_it_comes_and_one_line_says_so(tiny):
    found, said = heard(RUNS, "axon", tiny, None, "9.7.0")
    np.testing.assert_allclose(found["coreneuron"], found["neuron"], rtol=0, atol=1e-9)
    command = ["nm", "-D", "--defined-only", found["library"]]
    symbols = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "nrn_solve_minimal" in symbols
    assert "__wrap_" not in symbols
    assert "isfray" not in symbols
    (line,) = (line for line in said.splitlines() if "building" not in line)
    assert line == (
        "CoreNEURON of NEURON 9.7.0 as it comes, slower: isfray has functions for those of 9.0 to "
        + ".".join(map(str, TESTED))
    )


@replaced_here
def test_facts_say_which_coreneuron_a_run_has(monkeypatch):
    for switch, expected in (("1", "replaced functions"), ("0", "as it comes")):
        monkeypatch.setenv("ISFRAY_COREPATCH", switch)
        assert coreneuron_facts("coreneuron") == {"coreneuron": expected, "neuron": metadata.version("neuron")}
    monkeypatch.setattr(building, "has_coreneuron", lambda: False)
    assert coreneuron_facts("coreneuron")["coreneuron"] == "absent"


def test_facts_need_no_neuron():
    code = (
        "import sys; from isfray.engine.neuron.build import coreneuron_facts; coreneuron_facts('coreneuron'); "
        "print('neuron' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_run_by_neuron_alone_has_no_coreneuron_in_its_provenance():
    assert coreneuron_facts("neuron") == {"neuron": metadata.version("neuron")}
