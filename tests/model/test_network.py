"""The network model: what is read from network files, and what is refused."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isfray.model.activity import PSTH, LogNormal, ModulatedPoisson, Normal, PSTHPoissonTrainV2, SpikeTrain
from isfray.model.errors import InputError
from isfray.model.network import NetworkModel, load_network, network_from_inputs, split_name
from isfray.model.silencing import SilenceBySomaDistance, SilenceBySomaDistanceAndSource

Write = Callable[..., Path]
REMOVED = object()


def changed(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of `data` with the value at a dotted key replaced, added or REMOVED."""
    data = copy.deepcopy(data)
    *parents, last = key.split(".")
    place = data
    for step in parents:
        place = place[step]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return data


@pytest.fixture(scope="module")
def network(reference: Path) -> NetworkModel:
    return load_network(reference / "model" / "network.param")


def test_the_reference_network_has_its_published_size(network: NetworkModel):
    assert len(network.populations) == 278
    assert network.cell_offsets[-1] == len(network.synapses) == len(network.connections) == 24780
    kinds = Counter(tuple(type(a).__name__ for a in p.activity) for p in network.populations)
    assert kinds == {("PSTH", "SpikeTrain"): 168, ("SpikeTrain",): 110}
    assert len({p.column for p in network.populations}) == 24
    assert len({p.celltype for p in network.populations}) == 22


def test_the_reference_network_has_its_published_values(network: NetworkModel):
    weight = {"L2": 1.47, "L34": 1.68, "L5st": 1.38, "L5tt": 1.59, "L6cc": 1.63, "L6ccinv": 1.63, "L6ct": 1.8}
    weight |= {"VPM": 1.78, "L4py": 1.14, "L4sp": 1.14, "L4ss": 1.14}
    interval = {"L2": 2173.9, "L34": 3225.8, "L4py": 1562.5, "L4sp": 1666.7, "L4ss": 1886.8, "L5st": 909.1}
    interval |= {"L5tt": 283.3, "L6cc": 1052.6, "L6ccinv": 2325.6, "L6ct": 12500.0, "VPM": 4761.9, "L1": 909.1}
    for p in network.populations:
        (receptor,) = p.receptors
        train = p.activity[-1]
        assert isinstance(train, SpikeTrain)
        assert train.interval == interval.get(p.celltype, 142.9)
        assert (receptor.delay, receptor.threshold, receptor.weight_distribution) == (0.0, 0.0, None)
        if p.celltype in weight:
            assert (receptor.mechanism, p.release_probability) == ("glutamate_syn", 0.6)
            assert receptor.weight == (weight[p.celltype],) * 2
            assert receptor.parameters["tau1"] == 26.0
        else:
            assert (receptor.mechanism, p.release_probability, receptor.weight) == ("gaba_syn", 0.25, (1.0,))
            assert receptor.parameters["e"] == -80.0
        assert all(a.offset == 245.0 for a in p.activity if isinstance(a, PSTH))


def test_synapses_lie_where_the_recorded_trial_had_them(network: NetworkModel, reference: Path):
    for line in (reference / "golden" / "replay1_synapses.csv").read_text().splitlines()[1:]:
        name, synapse, _, section, *_ = line.split("\t")
        index = network.synapses.offsets[network.names.index(name)] + int(synapse)
        assert network.synapses.section_id[index] == int(section)


def test_every_synapse_knows_its_file_and_line(network: NetworkModel, reference: Path):
    lines = (reference / "model" / "example_embedding_86_C2_center.syn").read_text().splitlines()
    for index in (0, 12345, 24779):
        file, line = network.where(index)
        assert file.endswith(".syn")
        name, section, x = lines[line - 1].split()
        assert name == network.names[network.synapses.population[index]]
        assert (int(section), float(x)) == (network.synapses.section_id[index], network.synapses.x[index])


def test_a_model_is_rebuilt_from_its_stored_files(network: NetworkModel):
    assert set(network.inputs.references) == {
        "example_embedding_86_C2_center.syn",
        "example_embedding_86_C2_center.con",
    }
    stored = pickle.loads(pickle.dumps(network.inputs))
    assert network_from_inputs(stored) == network
    assert pickle.loads(pickle.dumps(network)) == network


def test_another_weight_is_another_model(small_network: dict[str, Any], write_network: Write):
    first = load_network(write_network(small_network))
    key = "network.INH.synapses.receptors.gaba_syn.weight"
    assert load_network(write_network(small_network)) == first
    assert load_network(write_network(changed(small_network, key, 1.1))) != first
    assert load_network(write_network(small_network, con="INH\t0\t0\n")) != first


def test_populations_keep_the_order_and_the_values_of_the_file(small_network: dict[str, Any], write_network: Write):
    model = load_network(write_network(small_network))
    vpm, inh = model.populations
    assert (vpm.name, vpm.celltype, vpm.column, vpm.n_cells) == ("VPM_C2", "VPM", "C2", 40)
    assert (inh.name, inh.celltype, inh.column, inh.n_cells) == ("INH", "INH", "", 30)
    psth, train = vpm.activity
    assert isinstance(psth, PSTH)
    assert (psth.intervals, psth.probabilities, psth.offset) == (((0, 5), (8, 9)), (0.5, -0.1), 50)
    assert train == SpikeTrain(interval=40.0, noise=1.0, start=0.0)
    assert inh.activity == (SpikeTrain(interval=20.0),)
    assert vpm.receptors[0].weight == (1.78, 1.5)
    assert inh.receptors[0].weight == (1.0,)
    assert vpm.receptors[0].parameters == {"tau1": 26.0, "tau2": 2.0}
    assert model.synapses.offsets.tolist() == model.connections.offsets.tolist() == [0, 80, 140]
    assert model.connections.cell_id[80:84].tolist() == [0, 0, 1, 1]
    assert model.connections.synapse[80:84].tolist() == [80, 81, 82, 83]


@pytest.mark.parametrize(
    ("name", "halves"),
    [
        ("L4ss_C2", ("L4ss", "C2")),
        ("L6cc_Delta", ("L6cc", "Delta")),
        ("my_type_A4", ("my_type", "A4")),
        ("INH", ("INH", "")),
        ("INH_soma", ("INH_soma", "")),
        ("_C2", ("_C2", "")),
    ],
)
def test_a_name_ends_in_a_column_only_if_it_is_one(name: str, halves: tuple[str, str]):
    assert split_name(name) == halves


def test_distribution_and_offset_have_defaults(small_network: dict[str, Any], write_network: Write):
    cell = {"activeFrac": 0.5, "spikeT": 10.0, "spikeWidth": 2}
    data = changed(small_network, "network.VPM_C2.celltype", {"pointcell": cell})
    (activity,) = load_network(write_network(data)).populations[0].activity
    assert activity == Normal(active_frac=0.5, spike_t=10.0, spike_width=2.0, offset=10.0)


@pytest.mark.parametrize(
    "keys",
    [
        {"distribution": "lognormal", "activeFrac": 0.5, "mu": 1.0, "sigma": 2.0, "offset": 3.0},
        {"distribution": "PSTH_poissontrain_v2", "bins": [0.0, 1.0, 5.0], "rates": [1.0, 0.0]},
        {
            "distribution": "poissontrain_modulated",
            **{"rate_before_t_offset": 5, "mean_rate": 10, "max_modulation": 0.5, "modulation_frequency": 8},
            **{"bin_size": 1, "phase_distribution": "normal", "mean_phase": 0, "std_phase": 0.1, "offset": 100},
        },
    ],
)
def test_a_pointcell_written_in_the_entry_is_that_in_a_mapping(
    keys: dict[str, Any], small_network: dict[str, Any], write_network: Write
):
    mapped = changed(small_network, "network.VPM_C2.celltype", {"pointcell": keys})
    flat = changed(small_network, "network.VPM_C2.celltype", "pointcell")
    flat["network"]["VPM_C2"] |= keys
    a, b = (load_network(write_network(data)).populations[0].activity for data in (mapped, flat))
    assert a == b
    assert isinstance(a[0], LogNormal | PSTHPoissonTrainV2 | ModulatedPoisson)


@pytest.mark.parametrize("value", [0.0, 1, "dynamic", None])
def test_release_is_certain_drawn_or_left_to_the_synapse(
    value: Any, small_network: dict[str, Any], write_network: Write
):
    data = changed(small_network, "network.INH.synapses.releaseProb", value)
    assert load_network(write_network(data)).populations[1].release_probability == value
    data = changed(small_network, "network.INH.synapses.releaseProb", REMOVED)
    assert load_network(write_network(data)).populations[1].release_probability is None


def test_silencing_is_read_in_file_order(small_network: dict[str, Any], write_network: Write):
    small_network["network"]["network_modify_functions"] = {
        "silence_synapses_by_somadist_and_spike_source": {
            "soma_dist_ranges": {"INH": [0, 100]},
            "spike_sources": ["poissontrain"],
        },
        "silence_synapses_by_somadist": {"soma_dist_ranges": {"VPM_C2": [50.0, 200.0], "INH": [0, 1]}},
    }
    model = load_network(write_network(small_network))
    assert model.names == ("VPM_C2", "INH")
    assert model.modify_functions == (
        SilenceBySomaDistanceAndSource(soma_dist_ranges={"INH": (0, 100)}, spike_sources=("poissontrain",)),
        SilenceBySomaDistance(soma_dist_ranges={"VPM_C2": (50, 200), "INH": (0, 1)}),
    )


PSTH_AT = "network.VPM_C2.celltype.pointcell"
GLUTAMATE = "network.VPM_C2.synapses.receptors.glutamate_syn"
SILENCE = "network.network_modify_functions"
WRONG: list[tuple[str, Any, str, str]] = [
    # key changed, new value, key the message names, what it expects
    ("network.VPM_C2.cellNr", 0, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", -1, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", 2.5, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", "7", "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNr", REMOVED, "", "whole number of cells >= 1"),
    ("network.VPM_C2.cellNR", 5, "", "expected cellNr"),
    ("network.INH.intervall", 5.0, "", "expected interval"),
    ("network.INH.interval", REMOVED, "", "mean interval > 0 ms"),
    ("network.INH.interval", -3.0, "", "mean interval > 0 ms"),
    ("network.INH.interval", 0, "", "mean interval > 0 ms"),
    ("network.INH.interval", "fast", "", "mean interval > 0 ms"),
    ("network.INH.interval", True, "", "mean interval > 0 ms"),
    ("network.INH.noise", 2, "", "0 (regular) to 1 (Poisson)"),
    ("network.INH.nspikes", 1.5, "", "whole number of spikes"),
    ("network.INH.celltype", "spiketrian", "", "'spiketrain', 'pointcell'"),
    ("network.INH.celltype", REMOVED, "", "'spiketrain', 'pointcell'"),
    ("network.VPM_C2.celltype", {}, "", "'spiketrain', 'pointcell'"),
    ("network.VPM_C2.celltype.spiketrains", {"interval": 3.0}, "", "expected spiketrain"),
    ("network.VPM_C2.interval", 4.0, "", "celltype, convergence, synapses"),
    (f"{PSTH_AT}.distribution", "PTSH", "", "PSTH_poissontrain_v2"),
    (f"{PSTH_AT}.distribution", 7, "", "PSTH_poissontrain_v2"),
    (f"{PSTH_AT}.probabilitys", [0.1, 0.1], "", "expected probabilities"),
    (f"{PSTH_AT}.probabilities", [0.1], "", "one for each interval"),
    (f"{PSTH_AT}.probabilities", [0.1, "x"], f"{PSTH_AT}.probabilities[1]", "numbers"),
    (f"{PSTH_AT}.intervals", [(0.0, 1.0), (3.0, 3.0)], f"{PSTH_AT}.intervals[1]", "begin < end"),
    (f"{PSTH_AT}.intervals", [(0.0, 1.0), (3.0,)], f"{PSTH_AT}.intervals[1][1]", "(begin, end)"),
    (f"{PSTH_AT}.offset", None, "", "a time in ms"),
    (PSTH_AT, {"distribution": "normal", "activeFrac": 1.2}, f"{PSTH_AT}.activeFrac", "from 0 to 1"),
    (PSTH_AT, {"distribution": "uniform", "activeFrac": 1, "window": -1}, f"{PSTH_AT}.window", "duration >= 0"),
    (PSTH_AT, {"activeFrac": 1, "spikeT": 1, "spikeWidth": -1}, f"{PSTH_AT}.spikeWidth", "standard deviation"),
    (PSTH_AT, {"distribution": "lognormal", "activeFrac": 1, "mu": 1}, f"{PSTH_AT}.sigma", "standard deviation"),
    (
        PSTH_AT,
        {"distribution": "PSTH_poissontrain_v2", "bins": [0.0, 1.0], "rates": [1.0, 2.0]},
        f"{PSTH_AT}.rates",
        "one less than bins",
    ),
    (
        PSTH_AT,
        {"distribution": "PSTH_poissontrain_v2", "bins": [0.0, 1.0, 1.0], "rates": [1.0, 2.0]},
        f"{PSTH_AT}.bins",
        "increasing",
    ),
    (
        PSTH_AT,
        {"distribution": "PSTH_poissontrain", "intervals": [(0.0, 1.0)], "rates": [-1.0]},
        f"{PSTH_AT}.rates[0]",
        "rates >= 0 Hz",
    ),
    (
        PSTH_AT,
        {"distribution": "PSTH_absolute_number", "intervals": [(0.0, 1.0)], "number_active_synapses": [1.5]},
        f"{PSTH_AT}.number_active_synapses[0]",
        "whole numbers",
    ),
    (
        PSTH_AT,
        {
            "distribution": "poissontrain_modulated",
            **{"rate_before_t_offset": 5, "mean_rate": 10, "max_modulation": 0.5, "modulation_frequency": 8},
            **{"bin_size": 1, "phase_distribution": "normal", "mean_phase": 0},
        },
        f"{PSTH_AT}.std_phase",
        "phase_distribution 'normal'",
    ),
    ("network.INH.synapses", REMOVED, "", "receptors"),
    ("network.INH.synapses", 3, "", "receptors"),
    ("network.INH.synapses.releaseProb", 1.5, "", "from 0 to 1, 'dynamic'"),
    ("network.INH.synapses.releaseProb", "dinamic", "", "from 0 to 1, 'dynamic'"),
    ("network.INH.synapses.releaseprob", 0.5, "", "expected releaseProb"),
    ("network.INH.synapses.distributionFile", "missing.syn", "", "named missing.syn"),
    ("network.INH.synapses.distributionFile", "cell.con", "", ".syn"),
    ("network.INH.synapses.connectionFile", "cell.syn", "", ".con"),
    ("network.INH.synapses.connectionFile", REMOVED, "", ".con file"),
    ("network.INH.synapses.receptors", {}, "", "point process names"),
    (f"{GLUTAMATE}.weight", REMOVED, "", "number or a list"),
    (f"{GLUTAMATE}.weight", [], "", "number or a list"),
    (f"{GLUTAMATE}.weight", [1.0, None], f"{GLUTAMATE}.weight[1]", "number or a list"),
    (f"{GLUTAMATE}.weightDistribution", "normal", "", "'lognormal'"),
    (f"{GLUTAMATE}.delay", -0.1, "", "delay >= 0 ms"),
    (f"{GLUTAMATE}.delays", 0.1, "", "expected delay"),
    (f"{GLUTAMATE}.parameter", {"tau1": "long"}, f"{GLUTAMATE}.parameter.tau1", "numbers"),
    ("network", {}, "", "at least one population"),
    ("network", REMOVED, "", "mapping of population names"),
    ("network", [], "", "population names"),
    ("network.INH", 5, "", "cellNr, celltype and synapses"),
    (SILENCE, {"silence_synapses_by_somadst": {}}, f"{SILENCE}.silence_synapses_by_somadst", "by_somadist"),
    (SILENCE, {"hush": {}}, f"{SILENCE}.hush", "silence_synapses_by_somadist, silence_synapses_by_somadist_and_spike"),
    (
        SILENCE,
        {"silence_synapses_by_somadist": {"soma_dist_ranges": {"INH": [3, 1]}}},
        f"{SILENCE}.silence_synapses_by_somadist.soma_dist_ranges.INH",
        "min <= max",
    ),
    (
        SILENCE,
        {"silence_synapses_by_somadist": {"soma_dist_ranges": {"VPM_C3": [1, 3]}}},
        f"{SILENCE}.silence_synapses_by_somadist.soma_dist_ranges.VPM_C3",
        "expected VPM_C2",
    ),
    (
        SILENCE,
        {"silence_synapses_by_somadist_and_spike_source": {"soma_dist_ranges": {}, "spike_sources": ["PSTH"]}},
        f"{SILENCE}.silence_synapses_by_somadist_and_spike_source.spike_sources[0]",
        "poissontrain, pointcell_normal",
    ),
]


@pytest.mark.parametrize(("key", "value", "named", "expected"), WRONG, ids=[f"{w[0]}={w[1]!r:.30}" for w in WRONG])
def test_a_wrong_value_is_refused_with_its_file_line_key_and_what_was_expected(
    key: str, value: Any, named: str, expected: str, small_network: dict[str, Any], write_network: Write
):
    path = write_network(small_network)  # with the .syn and .con of the right network
    text = json.dumps(changed(small_network, key, value), indent=4)
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_network(path)
    message, named = str(caught.value), named or key
    assert "\n" not in message
    assert message.startswith(str(path))
    assert re.search(rf": {re.escape(named)}(?= )", message), message
    assert expected in message
    # The reader of the folder knows no lines, and an absent top-level key has none.
    if "does not exist" not in message and not (named == "network" and value is REMOVED):
        assert caught.value.line is not None
        line = text.splitlines()[caught.value.line - 1]
        steps = [f'"{step}"' for step in re.sub(r"\[\d+\]", "", named).split(".")]
        listed = "[" in named  # a list's items stand on the lines below its key
        assert listed or steps[-1] in line or (len(steps) > 1 and steps[-2] in line) or value is REMOVED
    if not isinstance(value, dict) and value is not REMOVED and caught.value.value is not None:
        assert repr(caught.value.value)[:70] in message


SYN = "# Synapses\n\nVPM_C2\t1\t0.5\nINH\t2\t0.25\nVPM_C2\t3\t1\n"
CON = "# Connections\n# cell.syn\n\nVPM_C2\t3\t1\nINH\t0\t0\n"
WRONG_ROWS = [
    (SYN + "INH\t2\t1.2\n", CON, "cell.syn:6: x = 1.2", "from 0 to 1"),
    (SYN + "INH\t2\t-0.1\n", CON, "cell.syn:6: x = -0.1", "from 0 to 1"),
    (SYN + "INH\t2\tnan\n", CON, "cell.syn:6: x = nan", "from 0 to 1"),
    (SYN + "INH\t2\tmiddle\n", CON, "cell.syn:6: x = 'middle'", "a number"),
    (SYN + "INH\t2.5\t0.1\n", CON, "cell.syn:6: section id = '2.5'", "an integer"),
    (SYN + "INH\t-2\t0.1\n", CON, "cell.syn:6: section id = -2", "an integer >= 0"),
    (SYN + "\nINH\t2\n", CON, "cell.syn:7: 'INH 2'", "type, section id, x"),
    (SYN + "INH 2 0.1 0 9\n", CON, "cell.syn:6: 'INH 2 0.1 0 9'", "type, section id, x"),
    (SYN, CON + "INH\t0\t1\n", "cell.con:6: synapse 1 of INH does not exist", "below 1"),
    (SYN, CON + "INH\t30\t0\n", "cell.con:6: cell 30 of INH does not exist", "cellNr, 30"),
    (SYN, CON + "VPM_C2\t5\t1\n", "cell.con:6: synapse 1 of VPM_C2 has a presynaptic cell already", "one row"),
    (SYN, CON + "INH\t0\t0.0\n", "cell.con:6: synapse id = '0.0'", "an integer"),
    (SYN, CON + "INH\t0\t-1\n", "cell.con:6: synapse id = -1", "an integer >= 0"),
    (SYN, CON + "INH\t-1\t0\n", "cell.con:6: cell id = -1", "an integer >= 0"),
    (SYN, CON + "INH\t99999999999999999999\t0\n", "cell.con:6: cell id = '9999", "an integer"),
    (SYN, CON + "INH\t0\t0\t7\n", "cell.con:6: 'INH 0 0 7'", "type, cell id, synapse id"),
]


@pytest.mark.parametrize(("syn", "con", "where", "expected"), WRONG_ROWS, ids=[w[2] for w in WRONG_ROWS])
def test_a_wrong_row_is_refused_with_its_file_and_line(
    syn: str, con: str, where: str, expected: str, small_network: dict[str, Any], write_network: Write
):
    path = write_network(small_network, syn=syn, con=con)
    with pytest.raises(InputError) as caught:
        load_network(path)
    assert str(caught.value).startswith(str(path.parent / where))
    assert expected in str(caught.value)


def test_a_file_that_is_not_text_is_refused(small_network: dict[str, Any], write_network: Write):
    path = write_network(small_network)
    (path.parent / "cell.syn").write_bytes(b"\xff\xfe\x00INH")
    with pytest.raises(InputError, match=r"cell\.syn: is not a text file"):
        load_network(path)


def test_types_of_the_embedding_that_the_network_does_not_name_stay_out(
    small_network: dict[str, Any], write_network: Write
):
    other = "OTHER\t900\t0.5\n"
    model = load_network(write_network(small_network, syn=SYN + other, con=CON + "OTHER\t5000\t77\n"))
    assert model == load_network(write_network(small_network, syn=SYN, con=CON))


def test_a_type_that_the_con_does_not_hold_has_no_connections(small_network: dict[str, Any], write_network: Write):
    model = load_network(write_network(small_network, syn=SYN, con="# nothing\n#\n"))
    assert len(model.connections) == 0
    assert model.synapses.offsets.tolist() == [0, 2, 3]
    assert model.synapses.population.tolist() == [0, 0, 1]


def test_files_are_found_by_name_where_a_stored_absolute_path_does_not_exist(
    small_network: dict[str, Any], write_network: Write
):
    path = write_network(small_network)
    folder = path.parent / "elsewhere"
    folder.mkdir()
    (path.parent / "cell.syn").rename(folder / "cell.syn")
    first = load_network(path, search_paths=[folder])
    for entry in small_network["network"].values():
        entry["synapses"]["distributionFile"] = "/gpfs/author/nowhere/cell.syn"
    path.write_text(json.dumps(small_network))
    again = load_network(path, search_paths=[folder])
    assert again == first
    assert np.array_equal(again.synapses.x, first.synapses.x)
    assert network_from_inputs(again.inputs) == again
