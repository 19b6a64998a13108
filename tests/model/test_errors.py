from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isfray import edits
from isfray.activity.stored import read_releases
from isfray.engine.recording import read_recording
from isfray.errors import InputError
from isfray.examples import example
from isfray.formats.files import FolderSource, StoredSource
from isfray.model.cell import CellModel
from isfray.model.clamp import read_clamps
from isfray.model.network import NetworkModel


@pytest.mark.parametrize("kind", [str, Path])
def test_the_name_of_a_file_is_told_whole_however_long(kind):
    name = kind("/data/" + "deep/" * 30 + "cell.param")
    assert repr(name) in str(InputError("does not exist", key="path", value=name))


def test_another_long_value_is_told_by_its_beginning():
    said = str(InputError("is no number", key="cellNr", value="seven" * 100))
    assert said.startswith("cellNr = 'sevenseven")
    assert len(said) < 120


def told(call: Callable[[], Any]) -> str:
    with pytest.raises(InputError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 400, message
    return message


@pytest.fixture(scope="module")
def built_in() -> tuple[CellModel, NetworkModel]:
    return example()


def test_what_is_misspelt_in_a_large_model_is_told_by_the_nearest_names(built_in: tuple[CellModel, NetworkModel]):
    cell, network = built_in
    assert cell.geometry.n_segments == 554
    assert "or 55" in told(lambda: read_recording(cell, "dend[3]"))
    assert told(lambda: read_recording(cell, "sec_013_seg_99")).count("sec_") <= 4
    assert "expected Soma" in told(lambda: read_clamps([{"section": "Sma"}], cell.morphology.labels))
    for call in (
        lambda: edits.select(network, "VPN"),
        lambda: edits.scale_weights(network, 2.0, ["VPN_C2"]),
        lambda: edits.silence_populations(network, "VPN"),
    ):
        assert "VPM" in told(call)
    row = {"synapse_id": 0, "section_id": 0, "section_pt_id": 0, "soma_distance": 0.0, "times": [1.0]}
    rows = pl.DataFrame([{"synapse_type": "VPN_C2", **row}])
    assert "VPM_C2" in told(lambda: read_releases(rows, network, cell.geometry, seed=1))
    files = {f"{i}.syn": network.inputs.main for i in range(1000)}
    assert "997 more" in told(lambda: StoredSource(files).read("x", file="network.param", key="distributionFile"))
    folders = [f"/some/where/{i}" for i in range(1000)]
    looked = FolderSource(Path("here"), folders)
    assert "998 more" in told(lambda: looked.read("x.syn", file="network.param", key="distributionFile"))


def test_a_key_and_a_reason_are_cut_and_what_steers_a_terminal_is_shown():
    said = str(InputError("x\x1b[31m" * 1000, file="cell.param", key="k" * 1000, value="v" * 1000, expected="e" * 1000))
    assert said.isprintable()
    assert len(said) <= 600
    assert str(InputError("is odd", key="a\ud800b")) == r"a\ud800b is odd"
    assert str(InputError("is too large", value=10**5000)).startswith("<int> is too large")
