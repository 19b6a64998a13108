"""Saving: a model written and read again is the same model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from isfray.errors import InputError
from isfray.formats.isf.cell import cell_from_inputs, load_cell
from isfray.formats.isf.network import load_network, network_from_inputs
from tests.model import random_networks, small_cell

slow = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow
@given(random_networks.networks())
def test_a_network_reads_back_as_it_was_saved(files: dict[str, str]):
    with tempfile.TemporaryDirectory() as folder:
        network = load_network(random_networks.write(Path(folder) / "there", files))
        saved = network.save(Path(folder) / "here" / "my.param")
        again = load_network(saved)
        assert again == network
        assert network_from_inputs(again.inputs) == network_from_inputs(network.inputs) == network
        kept = {file.data for file in network.inputs.references.values()}
        assert {file.data for file in again.inputs.references.values()} == kept
        assert again.save(saved) == saved
        assert load_network(saved) == network


@slow
@given(random_networks.networks(), random_networks.some_edits)
def test_an_edited_network_is_what_its_files_say(files: dict[str, str], changes: list[tuple[str, tuple[Any, ...]]]):
    with tempfile.TemporaryDirectory() as folder:
        original = network = load_network(random_networks.write(Path(folder) / "there", files))
        before = original.inputs.main.data
        for name, arguments in changes:
            with suppress(InputError):  # many an edit does not suit the network
                network = random_networks.edit(network, name, arguments)
        assert network_from_inputs(network.inputs) == network
        assert load_network(network.save(Path(folder) / "here" / "network.param")) == network
        assert load_network(Path(folder) / "there" / "network.param") == original
        assert original.inputs.main.data == before


def test_the_reference_network_reads_back_as_it_was_saved(reference: Path, tmp_path: Path):
    network = load_network(reference / "model" / "network.param")
    saved = network.save(tmp_path / "network.param")
    assert saved.read_bytes() == network.inputs.main.data  # bare names already: byte for byte
    assert load_network(saved) == network


def test_the_reference_cell_reads_back_as_it_was_saved(reference: Path, tmp_path: Path):
    cell = load_cell(reference / "model" / "86_C2_center.param")
    assert load_cell(cell.save(tmp_path / "86.param")) == cell
    assert cell_from_inputs(cell.inputs) == cell


def test_a_cell_reads_back_as_it_was_saved(tmp_path: Path):
    def nested(param: dict[str, Any]) -> None:
        param["neuron"]["filename"] = "shapes/small.hoc"
        param["sim"]["recordingSites"] = ["one/sites.landmarkAscii", "two/sites.landmarkAscii"]

    for sub in ("shapes", "one", "two"):
        (tmp_path / sub).mkdir()
    path = small_cell.write(tmp_path, nested)
    (tmp_path / "small.hoc").rename(tmp_path / "shapes" / "small.hoc")
    landmarks = (tmp_path / "sites.landmarkAscii").read_text()
    (tmp_path / "one" / "sites.landmarkAscii").write_text(landmarks)
    (tmp_path / "two" / "sites.landmarkAscii").write_text(landmarks + "0 10 100\n")
    cell = load_cell(path)
    saved = cell.save(tmp_path / "saved" / "cell.param")
    again = load_cell(saved)
    assert again == cell
    assert [site.label for site in again.sites] == [site.label for site in cell.sites]
    assert (saved.parent / "small.hoc").read_bytes() == (tmp_path / "shapes" / "small.hoc").read_bytes()
    assert len(cell.sites) == 3


@pytest.mark.parametrize("changed", ["cm", "site", "point", "name"])
def test_cells_are_equal_if_the_same_neuron_is_simulated(changed: str, tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    def edit(param: dict[str, Any]) -> None:
        if changed == "cm":
            param["neuron"]["Dendrite"]["properties"]["cm"] = 1.1
        if changed == "site":
            param["sim"]["recordingSites"] = []
        param["info"] = {"name": "another"}

    one = load_cell(small_cell.write(tmp_path / "a"))
    morphology = small_cell.hoc().replace("80.000000,5.000000,5.000000", "80.000000,5.000000,5.500000")
    other = load_cell(small_cell.write(tmp_path / "b", edit, morphology if changed == "point" else None))
    assert (one == other) == (changed == "name")


def test_saving_never_writes_over_another_models_files(
    small_network: dict[str, Any], write_network: Callable[..., Path], tmp_path: Path
):
    network = load_network(write_network(small_network))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "cell.syn").write_text("VPM_C2\t0\t0.5\n")
    with pytest.raises(InputError, match=r"cell\.syn: exists already and differs"):
        network.save(tmp_path / "other" / "network.param")
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["cell.syn"]
    with pytest.raises(InputError, match=r"a name ending in \.param"):
        network.save(tmp_path / "network.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        network.save(tmp_path / "file" / "network.param")


def test_a_saved_file_is_plain_json(small_network: dict[str, Any], write_network: Callable[..., Path], tmp_path: Path):
    small_network["network"]["INH"]["synapses"]["distributionFile"] = "./cell.syn"
    network = load_network(write_network(small_network))
    content = json.loads(network.save(tmp_path / "saved" / "network.param").read_text())
    assert content["network"]["INH"]["synapses"]["distributionFile"] == "cell.syn"
    assert content["info"] == small_network["info"]
