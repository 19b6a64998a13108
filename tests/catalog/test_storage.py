"""Storage: whole objects, created at most once, on disk and in memory alike."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isfray.catalog import Catalog
from isfray.catalog.local import LocalStorage
from isfray.catalog.location import open_storage
from isfray.errors import InputError
from tests.catalog.synthetic import spec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def storage(place):
    return open_storage(place)


def test_an_object_reads_back_and_a_missing_one_is_none(storage):
    storage.put("a/b/c.json", b"1")
    storage.put("a/b/c.json", b"22")
    assert storage.read("a/b/c.json") == b"22"
    assert storage.read("a/b") is None
    assert storage.read("a/b/d.json") is None
    assert storage.read_many(["a/b/c.json", "a/x"]) == {"a/b/c.json": b"22"}


def test_listing_is_by_prefix_at_any_depth(storage):
    assert storage.empty()
    assert storage.listing("") == {}
    assert storage.folders("runs/") == []
    for key in ("runs/a/run.json", "runs/b/commits/0.json", "catalog.json"):
        storage.put(key, b"xyz")
    assert not storage.empty()
    assert sorted(storage.listing("")) == ["catalog.json", "runs/a/run.json", "runs/b/commits/0.json"]
    assert [e.bytes for e in storage.listing("runs/b/").values()] == [3]
    assert storage.folders("runs/") == ["a", "b"]


def test_creation_has_one_winner_of_many(storage):
    for round_ in range(5):
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda i: storage.create(f"k{round_}", b"%d" % i), range(8)))  # noqa: B023
        assert sum(won) == 1
        assert storage.read(f"k{round_}") == b"%d" % won.index(True)


def test_deleting_what_is_not_there_is_no_error(storage):
    storage.put("a", b"1")
    storage.delete(["a", "b/c"])
    assert storage.read("a") is None


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    storage = LocalStorage(tmp_path)
    storage.put("table/a", b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        storage.put("table/a", b"new")
    monkeypatch.undo()
    assert storage.read("table/a") == b"old"
    assert [p.name for p in (tmp_path / "table").iterdir()] == ["a"]


def test_files_being_written_are_not_listed(tmp_path):
    (tmp_path / ".a.parquet.12.tmp").write_bytes(b"half")
    assert LocalStorage(tmp_path).listing("") == {}
    assert LocalStorage(tmp_path).empty()


def test_a_file_where_a_folder_should_be_is_one_clear_line(tmp_path):
    (tmp_path / "results").write_text("hello")
    for uri in (tmp_path / "results", tmp_path / "results" / "deeper"):
        with pytest.raises(InputError, match=r"results.*a file is in the way"):
            Catalog(uri).open_run(spec())


def test_a_folder_one_may_not_write_is_one_clear_line(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    program = (
        "import os, sys\n"
        "from isfray.catalog import Catalog, RunSpec\n"
        "from isfray.errors import InputError\n"
        "os.getuid() or os.setuid(65534)\n"  # root may write anywhere
        "try: Catalog(sys.argv[1]).open_run(RunSpec('r', 1, {}, {}))\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    assert "Permission denied" in done.stdout
    assert str(folder) in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_foreign_folder_is_refused_and_left_alone(place):
    storage = open_storage(place)
    storage.put("thesis.tex", b"words")
    with pytest.raises(InputError, match=r"holds files but no catalog\.json; expected"):
        Catalog(place)
    assert list(storage.listing("")) == ["thesis.tex"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"format": "isfray-catalog", "version": 2}', "newer isfray; expected at most 1; upgrade"),
        (b'{"format": "delta", "version": 1}', "not an isfray-catalog object"),
        (b"", "not an isfray-catalog object"),
    ],
)
def test_another_format_is_refused_by_name(place, content, message):
    open_storage(place).put("catalog.json", content)
    with pytest.raises(InputError, match=f"catalog.json.*{message}"):
        Catalog(place)


@pytest.mark.parametrize("uri", ["", "s3://", "memory:///"])
def test_a_uri_that_names_no_place_is_refused(uri):
    with pytest.raises(InputError, match="names no place"):
        Catalog(uri)


def test_an_unknown_scheme_is_one_clear_line():
    with pytest.raises(InputError, match="gopher://there"):
        Catalog("gopher://there/results")


def test_options_for_a_local_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="no storage options"):
        Catalog(tmp_path, {"key": "k"})


def test_a_store_that_ignores_conditions_is_refused(place, monkeypatch):
    storage = open_storage(place)
    monkeypatch.setattr(storage, "create", lambda key, data: (storage.put(key, data), True)[1])
    with pytest.raises(InputError, match="ignores conditional writes"):
        Catalog(storage).open_run(spec())


def test_a_local_catalog_has_the_same_place_as_its_file_uri(tmp_path):
    Catalog(tmp_path / "r").open_run(spec())
    assert Catalog(f"file://{tmp_path}/r").runs() == ["stim_C2"]
