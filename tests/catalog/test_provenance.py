"""What a run keeps of how it was made is what docs/schemas/provenance.json says."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from isfray.catalog import Catalog, provenance
from isfray.catalog.provenance import made_with
from isfray.cli import main
from isfray.engine.neuron.build import build_facts, build_key, compiler_flags
from isfray.errors import InputError
from isfray.formats.nmodl import own_mechanisms
from tests.finished_run import RUN, FinishedRun, finished_run

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "provenance.json").read_text())
COMPILER = "g++" if shutil.which("g++") else "c++"
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def stored(folder: Path) -> list[dict[str, Any]]:
    """Provenance of every run and session of a catalog, as it stands in its files."""
    files = [*folder.glob("runs/*/run.json"), *folder.glob("runs/*/sessions/*.json")]
    return [json.loads(path.read_text())["provenance"] for path in files]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXX", COMPILER)
        return finished_run(tmp_path_factory.mktemp("run"))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_a_run_and_its_session_keep_is_described_whole(done):
    found = stored(done.folder / "results")
    assert len(found) == 2
    for told in found:
        VALIDATOR.validate(told)
        assert told.keys() == SCHEMA["properties"].keys()
        assert told["engine"].keys() <= SCHEMA["$defs"]["engine"]["properties"].keys()


def test_a_run_that_was_not_simulated_here_tells_of_no_engine():
    VALIDATOR.validate(json.loads(json.dumps(provenance())))
    VALIDATOR.validate(provenance({"name": "somebody's own"}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], 2),
        (["host"], None),
        (["versions", "numpy"], 2),
        (["git_commit"], "main"),
        (["command_line"], "isfray run"),
        (["engine", "mechanisms"], "none"),
        (["engine", "build_keys", "neuron"], "x"),
        (["engine", "build_keys"], {}),
        (["engine", "compiler"], ...),
        (["engine"], ...),
    ],
)
def test_the_schema_refuses_what_is_not_so(done, path, value):
    told = copy.deepcopy(stored(done.folder / "results")[0])
    inner = told
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    if value is ...:
        del inner[path[-1]]
    assert not VALIDATOR.is_valid(told)


def test_it_names_the_very_build_that_the_run_used(done):
    engine = done.catalog.info(RUN).provenance["engine"]
    own = own_mechanisms()
    said = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True).stdout
    assert engine["compiler"] == said.splitlines()[0]
    assert engine["mechanisms"] == own.sha256
    assert engine["flags"] == compiler_flags()
    expected = {"neuron": False} | ({"coreneuron": True} if engine["name"] == "coreneuron" else {})
    keys = {name: build_key(own, compiler_flags(), COMPILER, coreneuron=core) for name, core in expected.items()}
    assert engine["build_keys"] == keys


def test_without_a_compiler_it_is_told_all_the_same(monkeypatch):
    monkeypatch.setenv("CXX", "/no/such/c++")
    facts = build_facts("coreneuron", own_mechanisms())
    assert (facts["compiler"], facts["build_keys"]) == (None, {"neuron": None, "coreneuron": None})
    VALIDATOR.validate(provenance(facts))


def test_info_tells_versions_compiler_processor_and_build(done, capsys):
    assert main(["info", done.catalog.uri, RUN]) == 0
    shown, told = capsys.readouterr().out, done.catalog.info(RUN).provenance
    engine = told["engine"]
    for word in (f"isfray {told['versions']['isfray']}", f"neuron {told['versions']['neuron']}"):
        assert word in shown
    for word in (engine["compiler"], engine["processor"], engine["build_keys"][engine["name"]]):
        assert word in shown


@pytest.mark.parametrize(
    "told",
    [{}, {"engine": {}}, {"versions": {"isfray": None}}, {"engine": {"build_keys": 3}}, {"engine": {"name": "a\nb"}}],
)
def test_what_is_not_told_is_not_shown(told):
    assert made_with(told) == []


def test_an_engine_that_is_no_mapping_is_told_as_damage(tmp_path):
    path = finished_run(tmp_path).folder / "results" / "runs" / RUN / "run.json"
    body = json.loads(path.read_text())
    body["provenance"]["engine"] = "neuron"
    path.write_text(json.dumps(body))
    with pytest.raises(InputError, match=r"is no whole run\.json"):
        Catalog(tmp_path / "results").info(RUN)
