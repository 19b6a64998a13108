"""Removal takes only what nobody will ever see, however slow anybody is."""

from __future__ import annotations

from pathlib import Path

import pytest

from isfray.catalog import Catalog
from isfray.cli import main
from isfray.errors import InputError
from tests.catalog.synthetic import batch, spec
from tests.catalog.test_catalog import RUN, assert_holds


def just_before(storage, monkeypatch, operation: str, part: str, act) -> None:
    """Do something once, the moment before an operation on a key that contains `part`."""
    original = getattr(storage, operation)

    def late(key, *arguments):
        if part in str(key):
            monkeypatch.setattr(storage, operation, original)
            act()
        return original(key, *arguments)

    monkeypatch.setattr(storage, operation, late)


def test_a_repair_while_a_writer_sleeps_before_its_commit_takes_nothing_from_it(opened, monkeypatch):
    writer = opened()
    writer.commit(RUN, batch([0]))

    def repair() -> None:
        report = opened().verify(RUN, repair=True, grace_s=0)
        assert len(report.removed) == 5

    just_before(writer.storage, monkeypatch, "create", "/commits/", repair)
    assert writer.commit(RUN, batch([1, 2])).trials.tolist() == [1, 2]
    assert_holds(opened(), range(3))
    report = opened().verify(RUN, repair=True, grace_s=0)
    assert (report.problems, report.leftovers) == ((), ())


def test_a_repair_while_a_merge_sleeps_before_its_commit_takes_nothing_from_it(opened, monkeypatch):
    merger = opened()
    for trial in range(4):
        merger.commit(RUN, batch([trial]))

    def repair() -> None:
        assert len(opened().verify(RUN, repair=True, grace_s=0).removed) == 5

    just_before(merger.storage, monkeypatch, "create", "/commits/", repair)
    assert merger.compact(RUN).files_after == 5
    assert_holds(opened(), range(4))
    assert opened().verify(RUN, repair=True, grace_s=0).problems == ()
    assert_holds(opened(), range(4))


def test_a_removal_and_a_new_run_of_the_name_while_a_writer_sleeps_keep_its_trials_out(opened, monkeypatch):
    writer = opened()
    writer.commit(RUN, batch([0]))

    def begin_anew() -> None:
        other = opened()
        other.delete(RUN)
        other.open_run(spec(seed=8))
        other.commit(RUN, batch([5]))

    just_before(writer.storage, monkeypatch, "create", "/commits/", begin_anew)
    with pytest.raises(InputError, match="run = 'stim_C2' was deleted and made again"):
        writer.commit(RUN, batch([1, 2]))
    with pytest.raises(InputError, match="was deleted and made again"):
        writer.commit(RUN, batch([3]))
    assert_holds(opened(), [5])


def test_a_removal_that_sleeps_takes_nothing_from_a_new_run_of_the_name(opened, monkeypatch):
    remover = opened()
    remover.commit(RUN, batch([0, 1]))

    def begin_anew() -> None:
        other = opened("other")
        other.open_run(spec())
        other.commit(RUN, batch([0, 1]))  # the same rows, and so the same bytes

    just_before(remover.storage, monkeypatch, "listing", "sessions/", begin_anew)
    remover.delete(RUN)
    assert_holds(opened(), [0, 1])
    assert opened().verify(RUN).problems == ()


def test_inputs_that_no_run_names_go_when_they_are_old_and_others_stay(opened):
    catalog = opened()
    catalog.open_run(spec("other", morphology=b"{create axon}"))
    assert len(catalog.storage.listing("inputs/")) == 4
    catalog.delete("other")
    assert catalog.sweep() == ()
    (removed,) = catalog.sweep(grace_s=0)
    assert removed.startswith("inputs/")
    assert catalog.load_inputs(RUN)
    catalog.delete(RUN)
    assert len(catalog.sweep(grace_s=0)) == 3
    assert catalog.storage.listing("inputs/") == {}


def test_a_run_that_is_opened_during_a_sweep_has_its_inputs(opened, monkeypatch):
    for operation, part in (("read_many", "inputs/"), ("delete", "inputs/"), ("folders", "runs/")):
        catalog = opened()
        catalog.delete(RUN)
        with monkeypatch.context() as patch:
            just_before(catalog.storage, patch, operation, part, lambda: opened("new"))
            catalog.sweep(grace_s=0)
        assert opened("new").load_inputs("new")
        opened().delete("new")


def test_what_a_late_writer_left_of_a_removed_run_goes(opened, monkeypatch):
    writer = opened()
    just_before(writer.storage, monkeypatch, "create", "/commits/", lambda: opened().delete(RUN))
    with pytest.raises(InputError, match="not in the catalog"):
        writer.commit(RUN, batch([0]))
    writer.storage.put(f"trials/run={RUN}/batch=000000-000000-00000000-0123456789abcdef.parquet", b"late")
    catalog = opened("other")
    catalog.sweep()
    assert any(f"run={RUN}/" in key for key in catalog.storage.listing(""))
    catalog.sweep(grace_s=0)
    assert not any(f"run={RUN}/" in key for key in catalog.storage.listing(""))
    assert catalog.runs() == ["other"]


def test_writes_that_never_ended_are_removed_from_a_disk(tmp_path):
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    half = tmp_path / "r" / "trials" / f"run={RUN}" / ".batch=000000.parquet.0123456789ab.tmp"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"PAR1")
    mine = half.with_name(".notes.tmp")
    mine.write_bytes(b"not of isfray")
    assert catalog.sweep() == ()
    assert catalog.sweep(grace_s=0) == (f"trials/run={RUN}/{half.name}",)
    assert mine.exists()


def test_uploads_that_never_ended_are_removed_from_s3(s3_server, tmp_path):
    catalog = Catalog(f"s3://isfray/{tmp_path.name}/r", s3_server.options)
    catalog.open_run(spec())
    names = {"Bucket": "isfray", "Key": f"{tmp_path.name}/r/trials/run={RUN}/batch=0.parquet"}
    other = {"Bucket": "isfray", "Key": f"{tmp_path.name}/elsewhere"}
    for which in (names, other):
        catalog.storage.fs.call_s3("create_multipart_upload", **which)
    assert catalog.sweep() == ()
    assert catalog.sweep(grace_s=0) == (f"trials/run={RUN}/batch=0.parquet",)
    assert catalog.sweep(grace_s=0) == ()


def test_the_command_line_removes_a_run_and_what_is_left_of_it(tmp_path, capsys):
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    catalog.commit(RUN, batch([0, 1]))
    assert main(["verify", str(tmp_path / "r"), "--repair"]) == 0
    assert capsys.readouterr().out.startswith("stim_C2: sound; 2 trials, 5 files")
    Path(tmp_path, "r", "voltage_traces").rename(tmp_path / "aside")
    assert main(["verify", str(tmp_path / "r"), RUN]) == 1
    assert "is missing" in capsys.readouterr().out
    assert main(["delete", str(tmp_path / "r"), RUN]) == 0
    assert main(["delete", str(tmp_path / "r"), RUN]) == 2
    assert "run = 'stim_C2' is not in the catalog" in capsys.readouterr().err
    assert catalog.runs() == []
