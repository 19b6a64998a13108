"""What a catalog says is not believed: whatever stands in its objects, nothing outside is read, written or deleted."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from isfray.catalog import Catalog
from isfray.catalog.isf_export import export_isf
from isfray.catalog.isf_folder import find_folders
from isfray.catalog.location import open_storage
from isfray.catalog.runs import Session
from isfray.cli import main
from isfray.errors import InputError
from isfray.model.inputs import InputFile
from isfray.tables import SCHEMAS
from tests.catalog.synthetic import batch, commit_unseen, spec

OUTSIDE = ["../outside", "../../outside/x", "a/../../outside", "/etc/passwd", "a//b", "./x", "a/./b", "..", "a\0b"]
HOSTILE = ["../../x", "/etc/passwd", "..", "", "a\0b", "x" * 999, None, True, -1, 1.5, 2**70, [], [[1]], {}, {"a": "b"}]
"""What stands in JSON where something else belongs."""


@pytest.mark.parametrize("key", OUTSIDE)
def test_no_key_leads_out_of_a_catalog_in_any_way(place, key):
    storage = open_storage(place)
    ways = {
        "read": lambda: storage.read(key),
        "read_many": lambda: storage.read_many([key]),
        "listing": lambda: storage.listing(f"{key}/"),
        "folders": lambda: storage.folders(f"{key}/"),
        "put": lambda: storage.put(key, b"x"),
        "create": lambda: storage.create(key, b"x"),
        "delete": lambda: storage.delete([key]),
        "source": lambda: storage.source(key),
    }
    for way in ways.values():
        with pytest.raises(InputError, match="leads outside of the catalog"):
            way()


def test_nothing_is_written_or_deleted_through_a_link_that_leads_out(tmp_path):
    storage = open_storage(tmp_path / "c")
    storage.put("a/mine", b"x")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_bytes(b"theirs")
    (tmp_path / "c" / "link").symlink_to(tmp_path / "theirs")
    for way in (lambda: storage.put("link/new", b""), lambda: storage.create("link/new", b"")):
        with pytest.raises(InputError, match="link/new: leads outside of the catalog by a link"):
            way()
    with pytest.raises(InputError, match="link/file: leads outside of the catalog by a link"):
        storage.delete(["link/file"])
    assert [p.name for p in (tmp_path / "theirs").iterdir()] == ["file"]
    (tmp_path / "elsewhere").symlink_to(tmp_path / "c")  # where the catalog itself is, is its owner's choice
    open_storage(tmp_path / "elsewhere").put("a/mine", b"y")
    assert storage.read("a/mine") == b"y"


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Path:
    """A catalog of one run, in a folder with a neighbour."""
    folder = tmp_path_factory.mktemp("stored")
    catalog = Catalog(folder / "c")
    session = catalog.open_run(spec(trials=2, provenance={"host": "here", "versions": {"isfray": "1"}}))
    for trial in (0, 1):
        catalog.commit("stim_C2", batch([trial], synapses=3, cells=3, samples=5))
    catalog.close_run("stim_C2", session)
    (folder / "outside").mkdir()
    (folder / "outside" / "x").write_bytes(b"a neighbour's")
    return folder


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a JSON value, the value itself among them."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, of in inner:
        yield from leaves(of, (*at, key))


def replaced(value: Any, at: tuple[Any, ...], by: Any) -> Any:
    if not at:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = replaced(value[at[0]], at[1:], by)
    return copy


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _told(catalog: Catalog) -> None:
    status = [main(["info", catalog.uri, "stim_C2"]), main(["info", catalog.uri])]
    assert set(status) <= {0, 2}


def doors(folder: Path) -> Iterator[InputError | None]:
    """Everything that is done with a catalog, and what it is refused with."""
    catalog = Catalog(folder / "c")
    calls = {
        "info": lambda: (str(catalog), catalog.info("stim_C2").provenance.get("host"), catalog.load_inputs("stim_C2")),
        "scan": lambda: catalog.scan("spike_times", "stim_C2").collect(),
        "verify": lambda: catalog.verify("stim_C2", repair=True, grace_s=-1),
        "compact": lambda: catalog.compact("stim_C2", grace_s=-1),
        "export": lambda: export_isf(catalog, "stim_C2", folder / "out"),
        "told": lambda: _told(catalog),
        "sweep": lambda: catalog.sweep(grace_s=-1),
    }
    for call in calls.values():
        try:
            call()
        except InputError as error:
            yield error
        else:
            yield None


@pytest.mark.parametrize("name", ["run.json", "commits/00000001.json", "sessions/*.json"])
def test_whatever_stands_in_an_object_it_is_read_or_refused_in_a_line_and_the_neighbours_are_safe(
    stored, tmp_path, name
):
    (object_,) = (stored / "c" / "runs" / "stim_C2").glob(name)
    sound = json.loads(object_.read_bytes())
    neighbours = contents(stored / "outside")
    refused = 0
    for i, at in enumerate(leaves(sound)):
        for k, by in enumerate(HOSTILE):
            if (i + k) % 3:
                continue  # each thing at a third of the places, each place with a third of the things
            folder = tmp_path / f"{i}_{k}"
            shutil.copytree(stored, folder, copy_function=os.link)  # what is written replaces links, never their files
            path = folder / object_.relative_to(stored)
            path.unlink()
            path.write_text(json.dumps(replaced(sound, at, by)))
            told = [error for error in doors(folder) if error is not None]
            assert contents(folder / "outside") == neighbours
            assert {p.name for p in folder.iterdir()} <= {"c", "outside", "out"}
            for error in told:
                assert "\n" not in str(error)
                assert len(str(error)) < 400
            refused += bool(told)
            shutil.rmtree(folder)
    assert refused > 20


def test_a_commit_that_lists_files_elsewhere_is_refused_by_its_name_before_anything_is_read(stored, tmp_path, capsys):
    for path in ("../../outside/x", "/etc/passwd", "trials/run=other/batch=000000-000000-00000000-00.parquet"):
        folder = shutil.copytree(stored, tmp_path / str(len(path)))
        commit = folder / "c" / "runs" / "stim_C2" / "commits" / "00000001.json"
        body = json.loads(commit.read_bytes())
        body["files"][0] |= {"path": path, "table": "trials"}
        commit.write_text(json.dumps(body))
        for command in ("verify", "compact", "info", "export"):
            more = [str(folder / "out")] if command == "export" else []
            assert main([command, str(folder / "c"), "stim_C2", *more]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert re.search(r"commits/00000001\.json: .*" + re.escape(path), line)


def test_hosts_and_sites_that_are_no_names_never_become_files(stored, tmp_path):
    for column, table, told in (("host", "trials", "host"), ("site", "voltage_traces", "site")):
        catalog = Catalog(tmp_path / column / "c")
        catalog.open_run(spec())
        tables = batch([0], synapses=3, cells=3, samples=5)
        schema = SCHEMAS[table]
        values = ["soma", "../../../outside"] if column == "site" else ["../../../outside"]
        field = schema.field(column)
        at = schema.get_field_index(column)
        changed = tables[table].set_column(at, field, pa.array(values).cast(field.type))
        commit_unseen(catalog, "stim_C2", [0], {**tables, table: changed})
        with pytest.raises(InputError, match=rf"{told} = '\.\./\.\./\.\./outside' cannot be the name of a file"):
            export_isf(catalog, "stim_C2", tmp_path / column / "out")
        assert not [p for p in tmp_path.rglob("*outside*")]


@pytest.mark.parametrize("name", ["../x", "a/b", "/etc/x", "..", "", "a\0b", "a\nb", "a\\b"])
def test_no_input_has_a_name_that_is_a_path(name):
    with pytest.raises(InputError, match="cannot be the name of a file"):
        InputFile(name, b"")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "another"])
def test_only_a_run_that_is_there_is_closed_and_only_as_a_session(stored, tmp_path, name):
    folder = shutil.copytree(stored, tmp_path / "s")
    catalog = Catalog(folder / "c")
    (session,) = catalog.info("stim_C2").sessions
    before = contents(folder)
    with pytest.raises(InputError, match="run = "):
        catalog.close_run(name, session)
    with pytest.raises(InputError, match=r"id = '\.\./\.\./x' cannot be the name of a file"):
        catalog.close_run("stim_C2", Session("../../x", session.started, None, 1, {}))
    assert contents(folder) == before


def test_folders_and_files_that_isfray_does_not_write_are_passed_over(stored, tmp_path):
    catalog = Catalog(shutil.copytree(stored, tmp_path / "s") / "c")
    root = tmp_path / "s" / "c"
    for key in ("runs/two words/run.json", "runs/stim_C2/commits/notes.txt", "trials/run=two words/x", "trials/run=/y"):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_text("{}")
    assert catalog.runs() == ["stim_C2"]
    assert catalog.sweep(grace_s=-1) == ()
    assert catalog.committed_trials("stim_C2").tolist() == [0, 1]
    (root / "runs/stim_C2/commits/99999999.json").write_text("{}")  # not a hundred million to be read
    with pytest.raises(InputError, match=r"00000002\.json: is missing"):
        Catalog(root).committed_trials("stim_C2")


def test_an_isf_folder_whose_numbers_cannot_be_a_trial_or_a_seed_is_refused(tmp_path):
    for name, sweep, told in (("seed9_pid1", "9" * 12, "trial in"), ("seed" + "9" * 30 + "_pid1", "0000", "seed = ")):
        folder = tmp_path / str(len(name)) / "results"
        folder.mkdir(parents=True)
        (folder / f"{name}_vm_all_traces.csv").write_text("t\tVm run 00\n0.0\t-70.0\n")
        (folder / f"{name}_neuron_model.param").write_bytes(b"{}")
        (folder / f"simulation_run{sweep}_synapses.csv").write_text("")
        (found,) = find_folders(folder)
        with pytest.raises(InputError, match=told):
            (found.sweeps(), found.seed)
