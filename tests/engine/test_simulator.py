"""The simulator: electrodes, recording, spines, sharing and replays, on a small made-up cell."""

from __future__ import annotations

import re

import numpy as np
import pytest

from isfray.engine import ENGINES, Simulator
from isfray.errors import InputError
from isfray.formats.isf import load_cell, load_network
from isfray.model.detection import detect_spikes
from tests.engine.child import in_child
from tests.model.small_cell import write

RUNS = "tests.engine.small_runs"


def lognormal(network):
    for entry in network["network"].values():
        for receptor in entry["synapses"]["receptors"].values():
            receptor["weightDistribution"] = "lognormal"


def plastic(network):
    """Depression and facilitation, another AMPA decay for a second excitatory population, GABA beside glutamate."""
    populations = network["network"]
    vpm = populations["VPM_C2"]["synapses"]["receptors"]
    vpm["glutamate_syn"]["parameter"] |= {"decayampa": 0.6, "decaynmda": 0.8, "facilampa": 0.3, "taudampa": 60.0}
    vpm["gaba_syn"] = {"threshold": 0.0, "delay": 1.5, "weight": 0.7, "parameter": {"decaygaba": 0.5, "risetime": 2.0}}
    other = {"threshold": 0.0, "delay": 0.0, "weight": [1.0, 0.5], "parameter": {"tau3": 5.0}}
    populations["INH"]["synapses"]["receptors"]["glutamate_syn"] = other


def test_a_clamp_goes_to_its_section_by_label_or_id(tmp_path):
    step = {"x": 0.5, "delay": 5, "dur": 20, "amp": 0.3}
    jobs = [{"clamp": [{"section": where, **step}]} for where in ("Soma", 0, "ApicalDendrite", 4)]
    jobs.append({})
    soma, soma_id, apical, apical_id, none = in_child(RUNS, "voltages", write(tmp_path), jobs)
    np.testing.assert_array_equal(soma["soma"], soma_id["soma"])
    np.testing.assert_array_equal(apical["soma"], apical_id["soma"])
    before = int(5 / 0.025)
    for other in (soma, apical):
        np.testing.assert_array_equal(other["soma"][:before], none["soma"][:before])
    # The site is at the end of the trunk: the apical clamp depolarises it more than the soma, and the other way round.
    site = load_cell(tmp_path / "small.param").sites[0].label
    at = int(6 / 0.025)
    assert soma["soma"][at] > apical["soma"][at] > none["soma"][at] + 0.01
    assert apical[site][at] > soma[site][at]


def test_what_is_asked_for_is_recorded_and_the_soma_and_nothing_else(tmp_path):
    path = write(tmp_path)
    cell = load_cell(path)
    site = cell.sites[0]
    jobs = [{}, {"record": "all"}, {"record": ["4(0.99)", "sec_005_seg_001"]}]
    default, everything, named = in_child(RUNS, "voltages", path, jobs, 5.0)
    assert list(default) == ["soma", site.label]
    assert len(everything) == 2 + cell.geometry.n_segments
    assert list(named) == ["soma", "4(0.99)", "sec_005_seg_001"]
    np.testing.assert_array_equal(everything[f"sec_004_seg_{site.segment:03d}"], default[site.label])
    np.testing.assert_array_equal(named["4(0.99)"], default[site.label])
    np.testing.assert_array_equal(everything["sec_005_seg_001"], named["sec_005_seg_001"])


def test_spines_add_their_area_to_capacitance_and_leak(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "spiny").mkdir()
    density, area = 1.5, 0.8

    def edit(param):
        param["neuron"]["ApicalDendrite"]["properties"]["spines"] = {"density": density, "area": area}

    plain, spiny = in_child(RUNS, "spiny", write(tmp_path / "plain"), write(tmp_path / "spiny", edit))
    for i in range(8):
        factor = 1 + density * area * plain["L"][i] / plain["area"][i] if i >= 4 else 1.0
        assert spiny["cm"][i] == pytest.approx(plain["cm"][i] * factor, rel=1e-12)
        np.testing.assert_allclose(spiny["leak"][i], np.array(plain["leak"][i]) * factor, rtol=1e-12)
        assert spiny["axial"][i] == plain["axial"][i]


def test_electrodes_of_the_modify_functions_sit_where_they_should(tmp_path):
    path = write(tmp_path, lambda p: p["neuron"].update(cell_modify_functions={"BAC_injection": {"dist": 700}}))
    step, epsp = in_child(RUNS, "electrodes", path)
    assert (step["kind"], step["x"], step["delay"], step["dur"], step["amp"]) == ("IClamp", 0.5, 295.0, 5.0, 1.9)
    assert (epsp["kind"], epsp["onset"], epsp["imax"], epsp["tau0"], epsp["tau1"]) == ("epsp", 300.0, 0.5, 1.0, 5.0)
    assert epsp["distance"] == pytest.approx(700, abs=20)  # the centre of the segment that holds 700 um


@pytest.mark.parametrize("edit", [lambda n: None, lognormal, plastic], ids=["plain", "lognormal", "plastic and mixed"])
def test_sharing_point_processes_changes_no_voltage(tmp_path, small_network, write_network, edit):
    edit(small_network)
    pairs = in_child(RUNS, "shared_and_not", write(tmp_path), write_network(small_network), [1, 2], 100.0)
    for shared, single in pairs:
        assert np.ptp(single["soma"]) > 5
        for site, voltage in single.items():
            np.testing.assert_allclose(shared[site], voltage, rtol=0, atol=1e-7)


def calcium(param):
    ranged = param["neuron"]["ApicalDendrite"]["mechanisms"]["range"]
    ranged["Ca_HVA"] = {"spatial": "uniform", "gCa_HVAbar": 5e-4}
    ranged["Ca_LVAst"] = {"spatial": "uniform", "gCa_LVAstbar": 2e-3}
    ranged["CaDynamics_E2"] = {"spatial": "uniform", "decay": 100.0, "gamma": 0.0005}


@pytest.mark.parametrize("engine", ENGINES)
def test_range_variables_are_recorded_in_every_segment_that_has_them(tmp_path, engine):
    path = write(tmp_path, calcium)
    cell = load_cell(path)
    voltage, variables, rows = in_child(RUNS, "recorded", path, engine)
    apical = int(cell.geometry.nseg[4:].sum())
    assert len(voltage) == 2 + cell.geometry.n_segments
    assert list(variables) == ["ica", "Ca_HVA.ica", "Ca_LVAst.ica", "Ca_HVA.m", "cai"]
    assert {values.shape[0] for values in variables.values()} == {apical}
    assert len(rows) == 5 * apical
    assert {row["section_id"] for row in rows} == {4, 5, 6, 7}
    # The calcium current of a segment is the sum of its channels'; it flows in, and calcium rises.
    total = variables["Ca_HVA.ica"] + variables["Ca_LVAst.ica"]
    np.testing.assert_allclose(variables["ica"], total, rtol=1e-12)
    assert variables["ica"].max() < 0
    assert variables["cai"].max() > 2 * variables["cai"][:, 0].max()
    assert 0.1 < variables["Ca_HVA.m"].max() < 1


def test_variables_that_the_cell_has_not_are_refused(tmp_path):
    cell = load_cell(write(tmp_path, calcium))
    for name, told in (("Ca_HVA.icaa", "expected ica"), ("Ih.m", "nowhere in this cell"), ("Ca_HVb.m", "no place")):
        with pytest.raises(InputError) as error:
            Simulator(cell, record=["sites", name])
        assert name in str(error.value)
        assert told in str(error.value)


@pytest.mark.parametrize("edit", [plastic, lognormal], ids=["plastic and mixed", "lognormal"])
def test_any_releases_give_the_reference_voltage_on_the_default_path(tmp_path, small_network, write_network, edit):
    edit(small_network)
    assert in_child(RUNS, "law_of_engines", write(tmp_path), write_network(small_network), 12.0) >= 40


def test_a_release_acts_when_an_artificial_cell_would_make_it_act(tmp_path, small_network, write_network):
    times = [0.0, 0.0125, 0.025, 0.03, 2.5, 2.5125, 2.51251]
    differences = in_child(RUNS, "against_netstim", write(tmp_path), write_network(small_network), times)
    assert len(differences) == len(times)
    assert max(differences) < 1e-12


@pytest.mark.parametrize("table", ["arrow", "polars", "lazy"])
def test_a_trial_replayed_from_its_own_rows_is_the_same_trial(tmp_path, small_network, write_network, table):
    lognormal(small_network)
    first, second, (rows, again) = in_child(RUNS, "replayed", write(tmp_path), write_network(small_network), table)
    np.testing.assert_array_equal(first, second)
    assert rows == again
    assert len(rows) > 20


def test_a_stored_trial_that_does_not_fit_is_refused(tmp_path, small_network, write_network):
    header = "# synapse type\tsynapse ID\tsoma distance\tsection ID\tsection pt ID\tdendrite label\tactivation times\n"
    wrong = {
        "type.csv": "L9_C2\t0\t10\t1\t1\tDendrite\t5.0,\n",
        "section.csv": "INH\t0\t10\t44\t1\tDendrite\t5.0,\n",
        "point.csv": "INH\t0\t10\t1\t99\tDendrite\t5.0,\n",
        "time.csv": "INH\t0\t10\t1\t1\tDendrite\t-5.0,\n",
        "line.csv": "INH\t0\t10\t1\tDendrite\n",
    }
    paths = []
    for name, row in wrong.items():
        (tmp_path / name).write_text(header + row)
        paths.append(tmp_path / name)
    told = in_child(RUNS, "refusals", write(tmp_path), write_network(small_network), paths)
    expected = ["synapse_type = 'L9_C2'", "section_id = 44", "section_pt_id = 99", "times", "broken line"]
    assert len(told) == len(expected)
    for name, message, part in zip(wrong, told, expected, strict=True):
        assert name in message
        assert part in message


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"engine": "neurom"}, "engine = 'neurom'"),
        ({"record": "dendrite"}, "record = 'dendrite'"),
        ({"record": "99(0.5)"}, "record = '99(0.5)'"),
        ({"record": []}, "record is empty"),
        ({"clamp": [{"section": "Trunk"}]}, r"clamp[0].section = 'Trunk'"),
        ({"clamp": [{"sektion": 1}]}, r"clamp[0].sektion is not a known key; expected section"),
        ({"clamp": [{"x": 1.5}]}, r"clamp[0].x = 1.5"),
        ({"clamp": [{"delay": -1}]}, r"clamp[0].delay = -1"),
        ({"clamp": {"amp": "big"}}, r"clamp[0].amp = 'big'"),
        ({"dt": 0.0}, "dt = 0.0"),
    ],
)
def test_wrong_arguments_are_refused_before_neuron_starts(tmp_path, arguments, told):
    with pytest.raises(InputError) as error:
        Simulator(load_cell(write(tmp_path)), **arguments)
    assert told in str(error.value)


def test_a_synapse_beyond_the_cell_is_refused_with_its_line(tmp_path, small_network, write_network):
    network = load_network(write_network(small_network, "VPM_C2\t1\t0.5\n\nVPM_C2\t8\t0.5\n", "VPM_C2\t0\t0\n"))
    with pytest.raises(InputError, match=r"cell\.syn:3: section id = 8 .*0 to 7"):
        Simulator(load_cell(write(tmp_path)), network)


def test_a_spike_is_a_sample_at_or_above_threshold_after_one_below():
    time = np.arange(7.0)
    voltage = np.array([5.0, -1.0, 0.0, 3.0, -2.0, -0.1, 0.1])
    assert detect_spikes(time, voltage, 0.0).tolist() == [2.0, 6.0]
    assert detect_spikes(time[:1], voltage[:1], 0.0).tolist() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_diverged_trial_is_no_result_and_the_next_one_knows_nothing_of_it(tmp_path, engine):
    said, before, after = in_child(RUNS, "diverging", write(tmp_path), engine)
    assert said == "trial 7: voltage at 2(1.0) reaches 1053 mV at 5.2 ms"
    np.testing.assert_array_equal(before, after)


def test_a_trial_whose_recording_was_cut_is_no_result(tmp_path, small_network, write_network):
    said = in_child(RUNS, "initialised_before_it_is_read", write(tmp_path), write_network(small_network))
    assert "has 1 sample of 802" in said


def test_trials_without_end_do_not_fill_the_memory(tmp_path, small_network, write_network):
    used = in_child(RUNS, "memory", write(tmp_path), write_network(small_network), 40_000, 25)
    assert used[-1] - used[4] < 32  # what held the 800 000 events since would be 60 MB


def test_a_trial_that_no_memory_would_hold_is_refused_before_it_is_drawn(tmp_path):
    told = in_child(RUNS, "endless", write(tmp_path))
    assert re.fullmatch(r"t_stop = 1000000000000.0 makes a trial record .* values .*; expected at most .*", told)
