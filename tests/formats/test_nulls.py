"""A key whose value is null says nothing, in every mapping of a parameter file that has keys of its own."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isfray import edits
from isfray.edits.from_measurements import build_network
from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.formats.isf.param import parse_param
from tests.edits import small_measurements
from tests.model import random_networks, small_cell

Write = Callable[..., Path]
DISTRIBUTIONS = ("activeFrac", "spikeT", "window", "mu", "intervals", "probabilities", "bins", "rates", "mean_phase")
ACTIVITY = (*DISTRIBUTIONS, "offset", "distribution", "noise", "start", "nspikes", "number_active_synapses")
ENTRY = ("convergence", "connectivity_seed", "info")
SYNAPSES = ("releaseProb", "weightFile", "connectionFile")
RECEPTOR = ("threshold", "weightDistribution", "parameter")


@st.composite
def with_nulls(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """Files of a network, and the same with nulls in its mappings."""
    files = draw(random_networks.networks())
    data = json.loads(files["network.param"])

    def add(mapping: dict[str, Any], keys: tuple[str, ...]) -> None:
        mapping |= {key: None for key in draw(st.sets(st.sampled_from(keys))) if key not in mapping}

    for name, entry in data["network"].items():
        if name == "network_modify_functions":
            continue
        add(entry, ENTRY)
        add(entry["synapses"], SYNAPSES)
        for receptor in entry["synapses"]["receptors"].values():
            add(receptor, RECEPTOR)
        celltype = entry["celltype"]
        for keys in celltype.values() if isinstance(celltype, dict) else [entry]:
            add(keys, ACTIVITY)
        if isinstance(celltype, dict):
            add(celltype, ("spiketrain", "pointcell"))
    if draw(st.booleans()):
        data["network"].setdefault("network_modify_functions", None)
    return files, files | {"network.param": json.dumps(data)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(with_nulls(), random_networks.some_edits)
def test_a_network_with_nulls_is_the_network_without(both: Any, changes: list[tuple[str, tuple[Any, ...]]]):
    with tempfile.TemporaryDirectory() as folder:
        plain, nulls = (
            load_network(random_networks.write(Path(folder) / name, files))
            for name, files in zip(("plain", "nulls"), both, strict=True)
        )
        assert nulls == plain
        assert load_network(nulls.save(Path(folder) / "saved" / "network.param")) == plain
        for name, arguments in changes:
            results = []
            for network in (plain, nulls):
                try:
                    results.append(random_networks.edit(network, name, arguments))
                except InputError:
                    results.append(None)
            assert results[0] == results[1]


def test_what_isf_writes_beside_bins_and_rates_is_read(small_network: dict[str, Any], write_network: Write):
    ours = {"distribution": "PSTH_poissontrain_v2", "bins": [0, 100, 200, 300], "rates": [5.0, 20.0, 5.0]}
    small_network["network"]["VPM_C2"]["celltype"] = {"pointcell": ours | {"intervals": None}}
    nulls = load_network(write_network(small_network))
    assert nulls.populations[0].activity[0].rates == (5.0, 20.0, 5.0)
    weaker = edits.scale_evoked(nulls, 0.5)
    assert weaker.populations[0].activity[0].rates == (2.5, 10.0, 2.5)
    assert edits.scale_evoked(nulls, 1.0) is nulls


def test_a_sibling_that_says_something_is_refused(small_network: dict[str, Any], write_network: Write):
    keys = {"distribution": "PSTH_poissontrain_v2", "bins": [0, 100], "rates": [5.0], "intervals": [[0, 100]]}
    small_network["network"]["VPM_C2"]["celltype"] = {"pointcell": keys}
    with pytest.raises(InputError, match=r"intervals = .* is not a known key"):
        load_network(write_network(small_network))


@pytest.mark.parametrize("place", ["cellNr", "celltype", "synapses", "synapses.distributionFile", "synapses.receptors",
                                   "synapses.receptors.gaba_syn", "synapses.receptors.gaba_syn.weight",
                                   "synapses.receptors.gaba_syn.delay", "interval", ""])  # fmt: skip
def test_a_null_where_a_network_needs_a_value_is_refused(
    place: str, small_network: dict[str, Any], write_network: Write
):
    *parents, last = f"network.INH.{place}".strip(".").split(".")
    mapping: Any = small_network
    for step in parents:
        mapping = mapping[step]
    path = write_network(small_network)
    mapping[last] = None
    path.write_text(json.dumps(small_network, indent=4))
    named = re.escape(".".join([*parents, last]))
    with pytest.raises(InputError, match=rf"network\.param:\d+: {named} = None is "):
        load_network(path)


def test_the_published_network_is_read(reference: Path):
    path = reference / "study" / "example_network_model.param"
    assert path.read_text().count('"intervals": null') == 180
    assert len(load_network(path).populations) == 180


ABSENT: list[tuple[str, tuple[str, ...]]] = [
    ("", ("info", "mech_globals", "NMODL_mechanisms")),
    ("neuron", ("cell_modify_functions", "discretization", "spatialgraph_modify_functions")),
    ("neuron.Soma.properties", ("spines",)),
    ("neuron.Dendrite.properties", ("ions", "spines")),
    ("neuron.Soma.mechanisms.range.pas", ("distance", "slope", "outsidescale_sections", "_lambda", "max_g")),
    ("sim", ("tStart",)),
]


def test_a_cell_with_nulls_is_the_cell_without(tmp_path: Path):
    def nulls(data: dict[str, Any]) -> None:
        for place, keys in ABSENT:
            mapping = data
            for step in place.split(".") if place else ():
                mapping = mapping[step]
            mapping |= dict.fromkeys(keys)

    (tmp_path / "nulls").mkdir()
    plain, with_nulls = load_cell(small_cell.write(tmp_path)), load_cell(small_cell.write(tmp_path / "nulls", nulls))
    assert with_nulls == plain
    assert load_cell(with_nulls.save(tmp_path / "saved" / "cell.param")) == plain


@pytest.mark.parametrize(
    "place",
    [
        *("neuron", "neuron.filename", "neuron.Soma", "neuron.Soma.properties", "sim", "sim.dt", "sim.Vinit"),
        *(f"neuron.Soma.mechanisms.range.pas{key}" for key in ("", ".g", ".spatial")),
    ],
)
def test_a_null_where_a_cell_needs_a_value_is_refused(place: str, tmp_path: Path):
    def null(data: dict[str, Any]) -> None:
        *parents, last = place.split(".")
        for step in parents:
            data = data[step]
        data[last] = None

    with pytest.raises(InputError, match=rf"small\.param:\d+: {place} = None is "):
        load_cell(small_cell.write(tmp_path, null))


def test_one_landmark_file_needs_no_list(tmp_path: Path):
    def one(data: dict[str, Any]) -> None:
        data["sim"]["recordingSites"] = "sites.landmarkAscii"

    (tmp_path / "one").mkdir()
    listed, alone = load_cell(small_cell.write(tmp_path)), load_cell(small_cell.write(tmp_path / "one", one))
    assert alone == listed
    assert load_cell(alone.save(tmp_path / "saved" / "cell.param")) == listed


def test_templates_with_nulls_are_the_templates_without(tmp_path: Path):
    (tmp_path / "nulls").mkdir()
    files = small_measurements.write(tmp_path / "nulls")
    for path in files["evoked"].glob("*.param"):
        content = parse_param(path.read_text(), path.name).data
        for entry in content.get("network", content).values():
            entry |= {"nspikes": None, "bins": None} if "network" not in content else {"convergence": None}
            if isinstance(entry.get("celltype"), dict):
                entry["celltype"]["pointcell"] = None
        path.write_text(repr(content))
    (tmp_path / "plain").mkdir()
    assert build_network(**files) == build_network(**small_measurements.write(tmp_path / "plain"))
