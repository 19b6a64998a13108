"""The network model: what is read from network files, and what is refused."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isfray.formats.isf.network import load_network, network_from_inputs
from isfray.model.activity import PSTH, LogNormal, ModulatedPoisson, Normal, PSTHPoissonTrainV2, SpikeTrain
from isfray.model.network import NetworkModel
from isfray.model.population import split_name
from isfray.model.silencing import SilenceBySomaDistance, SilenceBySomaDistanceAndSource

Write = Callable[..., Path]


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
    assert load_network(write_network(small_network)) == first
    assert load_network(write_network(small_network, con="INH\t0\t0\n")) != first
    small_network["network"]["INH"]["synapses"]["receptors"]["gaba_syn"]["weight"] = 1.1
    assert load_network(write_network(small_network)) != first


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
    small_network["network"]["VPM_C2"]["celltype"] = {"pointcell": cell}
    (activity,) = load_network(write_network(small_network)).populations[0].activity
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
    entry = small_network["network"]["VPM_C2"]
    entry["celltype"] = {"pointcell": keys}
    a = load_network(write_network(small_network)).populations[0].activity
    entry |= {"celltype": "pointcell"} | keys
    b = load_network(write_network(small_network)).populations[0].activity
    assert a == b
    assert isinstance(a[0], LogNormal | PSTHPoissonTrainV2 | ModulatedPoisson)


@pytest.mark.parametrize("value", [0.0, 1, "dynamic", None])
def test_release_is_certain_drawn_or_left_to_the_synapse(
    value: Any, small_network: dict[str, Any], write_network: Write
):
    synapses = small_network["network"]["INH"]["synapses"]
    synapses["releaseProb"] = value
    assert load_network(write_network(small_network)).populations[1].release_probability == value
    del synapses["releaseProb"]
    assert load_network(write_network(small_network)).populations[1].release_probability is None


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


SYN = "# Synapses\n\nVPM_C2\t1\t0.5\nINH\t2\t0.25\nVPM_C2\t3\t1\n"
CON = "# Connections\n# cell.syn\n\nVPM_C2\t3\t1\nINH\t0\t0\n"


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
