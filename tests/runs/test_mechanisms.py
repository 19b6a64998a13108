"""The mechanisms of a run are inputs of it: told apart by content, stored, and used again wherever it goes on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from isfray import load_cell, load_network, simulate
from isfray.catalog import Catalog
from isfray.errors import InputError
from isfray.formats.nmodl import mod_folder, own_mechanisms
from isfray.model.mechanisms import MechanismSet
from isfray.runs import session
from isfray.runs.resume import resume
from tests.catalog.test_provenance import VALIDATOR, stored
from tests.conftest import two_populations, write_network_files
from tests.finished_run import RUN, SEED, T_STOP, TRIALS, FinishedRun, finished_run
from tests.model import small_cell
from tests.runs.waiting import ROOT


@pytest.fixture
def done(tmp_path: Path) -> FinishedRun:
    return finished_run(tmp_path)


def changed(name: str) -> MechanismSet:
    """isfray's own mechanisms but for a byte more in one file."""
    own = own_mechanisms()
    return replace(own, files=tuple(replace(f, data=f.data + b"\n") if f.name == name else f for f in own.files))


def again(done: FinishedRun, mechanisms: MechanismSet, trials: int = TRIALS) -> None:
    cell = replace(load_cell(done.cell), mechanisms=mechanisms)
    network = load_network(done.network)
    simulate(cell, network, done.catalog, run=RUN, trials=trials, seed=SEED, t_stop=T_STOP, progress=False)


def test_a_run_keeps_the_sources_of_its_mechanisms_byte_for_byte(done):
    stored = {key.rpartition("/")[2] for key in done.catalog.storage.listing("inputs/")}
    assert {file.name for file in own_mechanisms().files} | {"mechanisms.json"} < stored
    assert done.catalog.load_models(RUN)[0].mechanisms == own_mechanisms()
    assert done.catalog.verify(RUN).ok
    ours = own_mechanisms().inputs.references["Ih.mod"]
    (done.folder / "results" / "inputs" / ours.sha256 / "Ih.mod").write_bytes(ours.data[1:])
    with pytest.raises(InputError, match=r"Ih\.mod: has changed since it was stored"):
        done.catalog.load_models(RUN)


@pytest.mark.parametrize("name", ["NaTa_t.mod", "sodium.inc"])
def test_with_one_mechanism_changed_another_run_is_asked_for(done, name, monkeypatch):
    again(done, own_mechanisms())
    before = done.contents()
    monkeypatch.setattr(session, "join", lambda *_: pytest.fail("Ray was started"))
    with pytest.raises(InputError) as refused:
        again(done, changed(name), trials=2 * TRIALS)
    assert f"exists with other content: mechanisms: {name} differs (SHA-256 " in str(refused.value)
    assert "\n" not in str(refused.value)
    assert done.contents() == before


def test_a_run_of_an_older_version_has_no_mechanisms_and_goes_on(done):
    path = done.folder / "results" / "runs" / RUN / "run.json"
    body = json.loads(path.read_text())
    del body["inputs"]["mechanisms"]
    path.write_text(json.dumps(body))
    shutil.rmtree(done.folder / "results" / "inputs")
    old = Catalog(done.folder / "results")
    for files in body["inputs"].values():
        for file in (files["main"], *files["references"].values()):
            source = done.folder / file["name"]
            old.storage.put(f"inputs/{file['sha256']}/{file['name']}", source.read_bytes())
    inputs = old.storage.listing("inputs/").keys()
    assert resume(old, RUN, progress=False).progress().done == TRIALS
    again(done, changed("NaTa_t.mod"))  # it cannot be told which it had
    assert old.load_models(RUN)[0].mechanisms == own_mechanisms()
    assert old.verify(RUN).ok
    assert old.storage.listing("inputs/").keys() == inputs
    assert "mechanisms" not in json.loads(path.read_text())["inputs"]


def test_variants_that_share_processes_have_the_same_mechanisms(done):
    cell = load_cell(done.cell)
    variants = {"a": {}, "b": {"cell": replace(cell, mechanisms=changed("Ih.mod"))}}
    with pytest.raises(InputError, match=r"variants\.b\.cell = 'small' has other mechanisms"):
        simulate(cell, None, done.folder / "sweep", run="s", trials=1, variants=variants)
    assert not (done.folder / "sweep").exists()


BOTH = """
import sys
import isfray
cell, network = isfray.load_cell(sys.argv[1]), isfray.load_network(sys.argv[2])
variants = {"whole": {"trials": 2}, "half": {}}
isfray.simulate(cell, network, sys.argv[3], run="r", trials=1, engine="neuron", variants=variants, workers=1)
"""


def test_a_run_goes_on_with_its_stored_mechanisms_whatever_is_on_the_machine(tmp_path, python):
    """isfray with few mechanisms of its own runs a trial; then one is changed, then all are gone."""
    shutil.copytree(ROOT / "isfray", tmp_path / "house" / "isfray", ignore=shutil.ignore_patterns("__pycache__"))
    mod = tmp_path / "house" / "mod"
    mod.mkdir()
    kept = ["NaTa_t.mod", "SKv3_1.mod", "glutamate_syn.mod", "gaba_syn.mod"]
    for path in mod_folder().iterdir():
        if path.suffix != ".mod" or path.name in kept:
            shutil.copyfile(path, mod / path.name)
    cell = small_cell.write(tmp_path, lambda param: param["sim"].update(tStop=5.0, Vinit=-40.0))

    def isfray(*words: object, cache: str = "cache") -> tuple[int, str]:
        environment = {"PYTHONPATH": f"{tmp_path / 'house'}", "ISFRAY_CXXFLAGS": "-O0"}
        process = python("-P", *map(str, words), ISFRAY_CACHE=str(tmp_path / cache), **environment)
        said = process.communicate()[1]
        return process.returncode, said

    network, catalog = write_network_files(tmp_path, two_populations()), tmp_path / "results"
    status, said = isfray("-c", BOTH, cell, network, catalog)
    assert status == 0, said
    run = ("-m", "isfray", "run", "--cell", cell, "--network", network, "--catalog", catalog, "--engine", "neuron")
    (mod / "NaTa_t.mod").write_text((mod / "NaTa_t.mod").read_text() + "\n")
    status, said = isfray(*run, "--run", "r.half", "--trials", 2)
    assert (status, said.count("\n")) == (2, 1)
    assert "mechanisms: NaTa_t.mod differs" in said
    shutil.rmtree(mod)
    assert "has no mechanisms beside it" in isfray(*run, "--run", "another", "--trials", 1)[1]
    status, said = isfray("-m", "isfray", "resume", catalog, "r.half", "--trials", 2, "--workers", 1, cache="empty")
    assert status == 0, said
    assert "building mechanisms (once per machine" in said
    told = stored(catalog)
    assert len(told) == 2 + 3
    assert {one["engine"]["flags"] for one in told} == {"-O0"}
    for one in told:
        VALIDATOR.validate(one)
    traces = Catalog(catalog)["voltage_traces"].filter(pl.col("site") == "soma").sort("trial", "run").collect()
    assert traces["run"].to_list() == ["r.half", "r.whole"] * 2
    assert traces["voltage"][2].equals(traces["voltage"][3])
    assert traces["voltage"][2].max() > -20  # its channels open
