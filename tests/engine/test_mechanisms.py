"""Loading the mechanisms: once, quietly, ours and no others; and CoreNEURON with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
LOAD = """
from isfray.engine.neuron import mechanisms
h = mechanisms.load()
assert mechanisms.load() is h
section = h.Section()
section.insert("NaTa_t")
section(0.5).NaTa_t.gNaTa_tbar
"""


def run(code: str, cwd: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def printed(code: str, cwd: Path, *arguments: str) -> list[str]:
    """Lines that the code prints, if nothing is wrong."""
    done = run(code, cwd, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert run(LOAD, tmp_path_factory.mktemp("cwd")).returncode == 0


@pytest.fixture(scope="module")
def built_twice(built: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """For CoreNEURON too."""
    done = run("from isfray.engine.neuron.build import build; build(coreneuron=True)", tmp_path_factory.mktemp("cwd"))
    assert done.returncode == 0


@pytest.fixture(scope="module")
def imposter(tmp_path_factory: pytest.TempPathFactory, built: None) -> Path:
    """A working folder in which someone compiled another mechanism of the same name."""
    folder = tmp_path_factory.mktemp("imposter")
    (folder / "a.mod").write_text("NEURON { SUFFIX NaTa_t RANGE x }\nPARAMETER { x = 1 }\n")
    code = "from isfray.engine.neuron.build import _neuron_script; print(_neuron_script('nrnivmodl'))"
    script = run(code, folder).stdout.strip()
    subprocess.run([sys.executable, script], cwd=folder, check=True, capture_output=True)
    assert run("from neuron import h; s = h.Section(); s.insert('NaTa_t'); s(0.5).NaTa_t.x", folder).returncode == 0
    return folder


def test_loading_twice_is_quiet_and_the_same(built, tmp_path):
    done = run(LOAD, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_loading_after_a_plain_import_of_neuron_works(built, tmp_path):
    assert run("import neuron\n" + LOAD, tmp_path).returncode == 0


def test_mechanisms_in_the_working_folder_are_not_picked_up(imposter):
    done = run(LOAD, imposter)
    assert (done.returncode, done.stderr) == (0, "")


def test_mechanisms_loaded_from_elsewhere_are_refused(imposter):
    done = run("import neuron\n" + LOAD, imposter)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "InputError" in last
    assert str(imposter) in last


OTHER = """
import dataclasses
from isfray.engine.neuron import mechanisms
from isfray.formats.nmodl import own_mechanisms
own = own_mechanisms()
other = dataclasses.replace(own, files=own.files[:-1], place="elsewhere")
mechanisms.load(dataclasses.replace(own, place="a copy"))
mechanisms.load(other)
"""


def test_a_process_has_one_set_of_mechanisms(built, tmp_path):
    done = run(OTHER, tmp_path)
    assert "InputError: mechanisms = 'elsewhere' are not those that this process has loaded" in done.stderr
    assert "line 8" in done.stderr  # and not a copy with the same content


def test_a_cache_with_a_space_in_its_name_works(imposter, tmp_path):
    cache = tmp_path / "my cache"
    first = run("from isfray.engine.neuron.build import build; print(build())", tmp_path)
    home = Path(first.stdout.strip()).parent
    (cache / "mechanisms").mkdir(parents=True)
    (cache / "mechanisms" / home.name).symlink_to(home)
    done = run(LOAD, tmp_path, ISFRAY_CACHE=str(cache))
    assert (done.returncode, done.stderr) == (0, "")


def test_options_of_neuron_are_left_as_they_were(built, tmp_path):
    code = "import os; read = lambda: os.environ.get('NEURON_MODULE_OPTIONS'); before = read()"
    assert run(f"{code}\n{LOAD}\nassert read() is before is None", tmp_path).returncode == 0
    assert run(f"{code}\n{LOAD}\nassert read() == before", tmp_path, NEURON_MODULE_OPTIONS="-nogui").returncode == 0


TRIALS = """
import json, os, sys
import numpy as np
from isfray.engine.neuron import mechanisms

core = sys.argv[1] == "coreneuron"
h = mechanisms.load(coreneuron=core)
from neuron import coreneuron
coreneuron.enable, coreneuron.verbose = core, 0
h.dt, h.celsius = 0.025, 34
soma, dendrite = h.Section("soma"), h.Section("dendrite")
soma.L = soma.diam = 20
dendrite.L, dendrite.diam, dendrite.nseg = 500, 2, 51
dendrite.connect(soma(1))
for section in (soma, dendrite):
    for name in "pas NaTa_t Nap_Et2 K_Tst K_Pst SKv3_1 Im Ih Ca_HVA Ca_LVAst SK_E2 CaDynamics_E2".split():
        section.insert(name)
    section.e_pas, section.g_pas, section.ek, section.ena = -85, 3e-5, -85, 50
soma.gNaTa_tbar_NaTa_t, soma.gSKv3_1bar_SKv3_1, soma.gCa_HVAbar_Ca_HVA = 2, 0.7, 6e-4
dendrite.gIhbar_Ih, dendrite.gCa_LVAstbar_Ca_LVAst = 2e-4, 1e-3
rng = np.random.default_rng(1)
kept, inputs = [], []
for i in range(60):
    synapse = (h.glutamate_syn if i % 2 else h.gaba_syn)(dendrite(rng.random()))
    kept.append(synapse)
    for _ in range(2):
        netcon = h.NetCon(None, synapse)
        netcon.delay = 1
        for j in range(1 + i % 2):
            netcon.weight[j] = 4 * rng.random()
        inputs.append((netcon, np.sort(rng.random(6) * 60)))
inputs[1] = (inputs[1][0], [0.0, 0.0, 1.0125, 1.0125, 30.025, 49.99, 50.0, 50.02, 51.0])
deliver = h.FInitializeHandler(lambda: [netcon.event(time) for netcon, times in inputs for time in times])
v = h.Vector().record(soma(0.5)._ref_v)
pc = h.ParallelContext()
pc.set_maxstep(10)
trials = []
for _ in range(2):
    h.finitialize(-75)
    pc.psolve(50)
    trials.append(list(v))
print(json.dumps(trials))
print(float(np.array([1e-310])[0] * 0.5) > 0)
"""


def test_coreneuron_gives_the_voltage_of_neuron(built_twice, tmp_path):
    voltages = {}
    for engine in ("neuron", "coreneuron"):
        trials, keeps_denormals = printed(TRIALS, tmp_path, engine)
        voltages[engine] = np.array(json.loads(trials))
        assert keeps_denormals == "True"  # the library must not change the process's arithmetic
    assert np.ptp(voltages["neuron"]) > 80  # it fires
    assert voltages["neuron"].shape == (2, 2001)
    np.testing.assert_array_equal(voltages["neuron"][0], voltages["neuron"][1])
    np.testing.assert_array_equal(voltages["coreneuron"][0], voltages["coreneuron"][1])
    np.testing.assert_allclose(voltages["coreneuron"], voltages["neuron"], rtol=0, atol=1e-8)


BOTH_ENGINES = """
import json, sys
import numpy as np
from isfray.engine.neuron import mechanisms

h = mechanisms.load(coreneuron=True)
from neuron import coreneuron
coreneuron.verbose = 0
h.dt, h.celsius = 0.025, 34
pc = h.ParallelContext()
pc.set_maxstep(10)
"""

FORESTS = """
rng = np.random.default_rng(int(sys.argv[1]))
worst, spans = [], []
for _ in range(15):
    sections, clamps = [], []
    for cell in range(rng.integers(1, 4)):
        own = []
        for k in range(rng.integers(1, 12)):
            section = h.Section(f"s{cell}_{k}")
            section.L, section.diam, section.nseg = rng.uniform(5, 400), rng.uniform(0.3, 20), int(rng.integers(1, 8))
            section.insert("pas")
            section.e_pas, section.g_pas, section.Ra = -70, 10 ** rng.uniform(-5, -3), rng.uniform(50, 200)
            if own:
                section.connect(own[rng.integers(len(own))](rng.choice([0, 0.5, 1])))
            own.append(section)
        clamps.append(h.IClamp(own[-1](rng.random())))
        clamps[-1].delay, clamps[-1].dur, clamps[-1].amp = 1, 3, rng.uniform(-0.2, 0.2)
        sections += own
    traces = [h.Vector().record(segment._ref_v) for section in sections for segment in section]
    found = []
    for coreneuron.enable in (False, True):
        h.finitialize(-70)
        pc.psolve(5)
        found.append(np.array([np.array(trace) for trace in traces]))
    coreneuron.enable = False
    worst.append(float(abs(found[1] - found[0]).max() / max(1, np.ptp(found[0]))))
    spans.append(float(np.ptp(found[0])))
print(json.dumps([worst, spans]))
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_the_elimination_gives_any_trees_the_voltages_of_neuron(built_twice, tmp_path, seed):
    worst, spans = json.loads(printed(BOTH_ENGINES + FORESTS, tmp_path, str(seed))[-1])
    assert len(worst) == 15
    assert min(spans) > 0.01  # the clamps move them
    assert max(worst) < 1e-11


NERNST = """
given, following = h.Section("given"), h.Section("following")
traces = []
for section in (given, following):
    section.L, section.diam, section.nseg = 20, 20, 3
    for name in ("pas", "Ca_HVA", "SKv3_1"):
        section.insert(name)
    section.e_pas, section.gCa_HVAbar_Ca_HVA, section.gSKv3_1bar_SKv3_1 = -40, 1e-1, 1e-3
    traces += [h.Vector().record(section(0.5)._ref_v), h.Vector().record(section(0.5)._ref_ica)]
h.ion_style("ca_ion", 1, 2, 1, 1, 0, sec=following)
times, inside = h.Vector([0, 10]), h.Vector([1e-4, 1e-1])
for section in (given, following):
    for segment in section:
        inside.play(segment._ref_cai, times, 1)
found = []
for coreneuron.enable in (False, True):
    h.finitialize(-40)
    pc.psolve(10)
    found.append([list(trace) for trace in traces])
print(json.dumps(found))
"""


def test_a_reversal_potential_that_follows_the_concentrations_does_so_in_both_engines(built_twice, tmp_path):
    neuron, coreneuron = np.array(json.loads(printed(BOTH_ENGINES + NERNST, tmp_path)[-1]))
    np.testing.assert_allclose(coreneuron, neuron, rtol=0, atol=1e-10)
    given, following = neuron[0], neuron[2]
    assert np.ptp(given) > 1
    assert abs(following - given).max() > 1
