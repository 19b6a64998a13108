"""Runs: told apart by content, resumed, extended, loaded back, removed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isfray import edits
from isfray.catalog import Catalog, RunSpec, provenance
from isfray.edits.from_measurements import build_network
from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.model.inputs import InputFile, ModelInputs
from tests.catalog.synthetic import Faulty, Stopped, batch, spec
from tests.edits import small_measurements
from tests.formats.test_swc import NEURITES, SOMA
from tests.model import small_cell

RUN = "stim_C2"
CELL = "86_C2_center.param"
ROOT = Path(__file__).resolve().parents[2]


def test_a_run_resumes_and_can_be_extended(opened):
    catalog = opened()
    catalog.open_run(spec(trials=16, provenance={"host": "a"}))
    catalog.commit(RUN, batch(range(16)))
    catalog.open_run(spec(trials=64, provenance={"host": "b"}))
    info = catalog.info(RUN)
    assert (info.trials_asked, info.trials_committed) == (64, 16)
    assert set(range(64)) - set(catalog.committed_trials(RUN).tolist()) == set(range(16, 64))


def test_info_tells_what_was_run_when_and_with_what(opened):
    catalog = opened("other")
    session = catalog.open_run(spec(trials=4, provenance={"host": "a", "command_line": ["isfray", "run"]}))
    assert catalog.info(RUN).sessions == (session,)
    assert session.ended is None
    ended = catalog.close_run(RUN, session)
    catalog.commit(RUN, batch(range(4)))
    info = catalog.info(RUN)
    assert info.sessions == (ended,)
    assert ended.ended >= ended.started == session.started
    assert info.provenance == {"host": "a", "command_line": ["isfray", "run"]}
    assert (info.seed, info.settings["t_stop"]) == (7, 300.0)
    assert info.inputs["cell"]["main"]["name"] == "86_C2_center.param"
    assert info.rows["trials"] == 4
    assert all(size > 0 for size in info.bytes.values())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 8}, "seed 7 there, 8 here"),
        (
            {"settings": {"t_stop": 345.0, "dt": 0.025, "engine": "neuron", "clamp": []}},
            "content: t_stop 300.0 there, 345.0 here; expected",
        ),
        (
            {"settings": {"t_stop": 300.0, "dt": 0.025, "engine": "neuron", "clamp": [], "note": {"x": 1}}},
            "note.x not set there, 1 here",
        ),
        (
            {"morphology": b"{create axon}"},
            "cell: cell.hoc differs .SHA-256 [0-9a-f]{12} there, SHA-256 [0-9a-f]{12} here",
        ),
    ],
)
def test_a_name_with_other_content_is_refused_saying_what_differs(opened, changed, message):
    catalog = opened()
    before = dict(catalog.storage.listing(""))
    with pytest.raises(InputError, match=f"run = '{RUN}' exists with other .*{message}"):
        catalog.open_run(spec(**changed))
    assert catalog.storage.listing("").keys() == before.keys()


def test_a_model_more_or_less_is_a_difference(opened):
    catalog = opened()
    alone = {"cell": spec().inputs["cell"]}
    with pytest.raises(InputError, match="network model given there, missing here"):
        catalog.open_run(dataclasses.replace(spec(), inputs=alone))


def test_whole_numbers_written_as_decimals_are_the_same_setting(opened):
    opened().open_run(spec(settings={"t_stop": 300, "dt": 0.025, "engine": "neuron", "clamp": ()}))


def test_inputs_come_back_byte_for_byte_under_their_references(opened):
    same = b"one content"
    inputs = ModelInputs(
        InputFile("m.param", b"\x00\xff main"),
        {"a\\b.hoc": InputFile("b.hoc", same), "/home/x/c.hoc": InputFile("c.hoc", same)},
    )
    catalog = opened()
    catalog.open_run(RunSpec("bytes", 1, {}, {"cell": inputs}))
    assert strip(catalog.load_inputs("bytes")["cell"]) == inputs


def strip(inputs: ModelInputs) -> ModelInputs:
    def bare(file):
        return dataclasses.replace(file, path="")

    return ModelInputs(bare(inputs.main), {k: bare(v) for k, v in inputs.references.items()})


def test_models_load_as_they_were_run_without_their_files(reference, tmp_path):
    cell, network = (f(reference / "model" / n) for f, n in ((load_cell, CELL), (load_network, "network.param")))
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(RunSpec("stim_C2", 7, {}, {"cell": cell.inputs, "network": network.inputs}))
    stored_cell, stored_network = Catalog(tmp_path / "r").load_models("stim_C2")
    assert strip(stored_cell.inputs) == strip(cell.inputs)
    assert strip(stored_network.inputs) == strip(network.inputs)
    assert stored_network.populations == network.populations
    assert np.array_equal(stored_network.synapses.x, network.synapses.x)
    assert np.array_equal(stored_network.connections.synapse, network.connections.synapse)
    catalog.open_run(RunSpec("alone", 7, {}, {"cell": stored_cell.inputs}))
    assert catalog.load_models("alone")[1] is None


def test_built_and_edited_models_load_as_they_were_run(tmp_path):
    (tmp_path / "cell.swc").write_text(SOMA + NEURITES)
    cell = load_cell(tmp_path / "cell.swc", biophysics=small_cell.write(tmp_path))
    built = build_network(**small_measurements.write(tmp_path))
    network = edits.silence_by_soma_distance(edits.move_stimulus(built, 100.0), 0.0, 50.0)
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(RunSpec("edited", 7, {}, {"cell": cell.inputs, "network": network.inputs}))
    assert Catalog(tmp_path / "r").load_models("edited") == (cell, network)
    with pytest.raises(InputError, match="edited"):
        catalog.open_run(RunSpec("edited", 7, {}, {"cell": cell.inputs, "network": built.inputs}))


def test_each_input_content_is_kept_once(opened):
    catalog = opened("a")
    count = len(catalog.storage.listing("inputs/"))
    opened("b")
    assert len(catalog.storage.listing("inputs/")) == count == 3


def test_an_input_that_changed_or_went_is_reported(opened):
    catalog = opened()
    (key,) = (k for k in catalog.storage.listing("inputs/") if k.endswith("cell.hoc"))
    catalog.storage.put(key, b"tampered")
    with pytest.raises(InputError, match=r"cell\.hoc: has changed since it was stored"):
        catalog.load_inputs(RUN)
    catalog.storage.delete([key])
    with pytest.raises(InputError, match=r"cell\.hoc: is missing"):
        catalog.load_inputs(RUN)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "run=1", "ä", "x" * 101, "..", None])
def test_a_name_that_is_no_folder_name_is_refused(name):
    with pytest.raises(InputError, match="not a run name"):
        spec(name)


def test_settings_that_are_not_json_are_refused(opened):
    with pytest.raises(InputError, match=r"settings\.t_stop = nan is not a finite number"):
        opened().open_run(spec("other", settings={"t_stop": float("nan")}))
    assert opened().runs() == [RUN]


def test_a_deleted_run_is_gone_and_its_name_is_free(opened):
    catalog = opened()
    catalog.commit(RUN, batch(range(4)))
    opened("other")
    catalog.commit("other", batch([1]))
    late = opened()
    catalog.delete(RUN)
    assert catalog.runs() == ["other"]
    assert [k for k in catalog.storage.listing("") if f"run={RUN}/" in k] == []
    with pytest.raises(InputError, match="not in the catalog"):
        late.commit(RUN, batch([5]))
    catalog.open_run(spec(seed=8))
    assert late.committed_trials(RUN).size == catalog.committed_trials(RUN).size == 0
    catalog.commit(RUN, batch([2]))
    assert late.scan("trials", run=RUN).collect()["trial"].to_list() == [2]
    assert late.committed_trials("other").tolist() == [1]
    with pytest.raises(InputError, match="not in the catalog"):
        catalog.delete("never")


@pytest.mark.parametrize("after", [False, True])
def test_a_removal_stopped_at_any_operation_is_whole_or_not_at_all(tmp_path, after):
    k, stopped = 0, True
    while stopped:
        catalog = Catalog(tmp_path / f"{k}")
        catalog.open_run(spec())
        catalog.commit(RUN, batch(range(3)))
        try:
            Catalog(Faulty(catalog.storage, k, after=after)).delete(RUN)
            stopped = False
        except Stopped:
            pass
        reader = Catalog(catalog.uri)
        if RUN in reader.runs():
            assert reader.committed_trials(RUN).tolist() == [0, 1, 2]
            assert reader.verify(RUN).problems == ()
        else:
            assert reader["trials"].collect().height == 0
            Catalog(catalog.uri).open_run(spec(seed=9))  # nothing old comes back under the name
            assert reader.committed_trials(RUN).size == 0
        k += 1
    assert k > 8


def test_provenance_names_versions_source_host_and_command():
    found = provenance()
    assert found["versions"]["numpy"]
    assert found["host"]
    assert found["command_line"] == sys.argv
    inside = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    if inside.returncode == 0:
        assert found["git_commit"] == inside.stdout.strip()
        assert isinstance(found["git_dirty"], bool)
