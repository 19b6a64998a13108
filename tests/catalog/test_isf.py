"""Runs to ISF's raw layout and back; the published trials of the reference cell in that layout, byte for byte."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from isfray.catalog import Catalog
from isfray.catalog.isf_export import export_isf
from isfray.catalog.isf_import import import_isf
from isfray.cli import main
from isfray.errors import InputError
from tests.catalog.synthetic import TABLES, spec

PREFIX = "seed01234_pid77"
NOT_OF_ISF = ["seed", "engine", "host", "wall_s", "finished_at"]


def times(field: str) -> list[float]:
    assert field.endswith(",")
    return [float(time) for time in field[:-1].split(",")]


def read(folder: Path) -> dict[str, dict[int, list[tuple]]]:
    """Read a result folder by the format description alone, with the standard library."""
    (soma,) = folder.glob("*_vm_all_traces.csv")
    prefix = soma.name.removesuffix("_vm_all_traces.csv")
    found: dict[str, dict[int, list[tuple]]] = {"synapses": {}, "cells": {}}
    for path in sorted(folder.glob("simulation_run????_synapses.csv")):
        number = int(path.name[14:18])
        header, *lines = path.read_text().split("\n")[:-1]
        assert header.startswith("# synapse type\tsynapse ID\tsoma distance\tsection ID\tsection pt ID\tdendrite label")
        rows = [line.split("\t") for line in lines]
        found["synapses"][number] = [(a, int(b), float(c), int(d), int(e), f, times(g)) for a, b, c, d, e, f, g in rows]
        path = path.with_name(path.name.replace("synapses", "presynaptic_cells"))
        header, *lines = path.read_text().split("\n")[:-1]
        assert header == "# presynaptic cell type\tcell ID\tspike times"
        found["cells"][number] = [(a, int(b), times(c)) for a, b, c in (line.split("\t") for line in lines)]
    for path in [soma, *folder.glob("*_vm_dend_traces.csv")]:
        site = "soma" if path == soma else path.name.removeprefix(f"{prefix}_").removesuffix("_vm_dend_traces.csv")
        with path.open() as file:
            header, *lines = list(csv.reader(file, delimiter="\t"))
        columns = np.array(lines, dtype=float).T
        assert header[0] == "t"
        found[f"t {site}"] = {0: columns[0].tolist()}
        found[f"v {site}"] = {
            int(re.fullmatch(r"Vm run (\d\d+)", h)[1]): c for h, c in zip(header[1:], columns[1:], strict=True)
        }
    return found


@pytest.fixture(scope="module")
def raw(reference, tmp_path_factory) -> Path:
    """The two published trials as one process of ISF would have left them."""
    folder = tmp_path_factory.mktemp("isf") / "stim_C2" / "results" / f"20250822-1452_{PREFIX}"
    folder.mkdir(parents=True)
    golden, model = reference / "golden", reference / "model"
    (folder / "hostname_node7").touch()
    (label,) = (site["label"] for site in json.loads((golden / "recording_sites.json").read_text()))
    for name, site in (("vm_all_traces", "soma"), (f"{label}_vm_dend_traces", "rec0")):
        columns = [np.load(golden / "replay1_t.npy"), *(np.load(golden / f"replay{i}_{site}_v.npy") for i in (1, 2))]
        lines = ["\t".join(map(repr, row)) for row in zip(*(c.tolist() for c in columns), strict=True)]
        text = "\n".join(["t\tVm run 00\tVm run 01", *lines, ""])
        (folder / f"{PREFIX}_{name}.csv").write_text(text)
    for sweep in (0, 1):
        for kind in ("synapses", "presynaptic_cells"):
            shutil.copy(golden / f"replay{sweep + 1}_{kind}.csv", folder / f"simulation_run{sweep:04d}_{kind}.csv")
    cell = (model / "86_C2_center.param").read_text().replace('"tStop": 250.0', '"tStop": 300.0')
    (folder / f"{PREFIX}_neuron_model.param").write_text(cell)
    shutil.copy(model / "network.param", folder / f"{PREFIX}_network_model.param")
    return folder.parent.parent


@pytest.fixture(scope="module")
def imported(raw, reference, tmp_path_factory) -> Catalog:
    catalog = Catalog(tmp_path_factory.mktemp("catalog") / "r")
    import_isf(catalog, "published", raw, [reference / "model"])
    return catalog


def test_published_trials_come_in_with_every_release_spike_and_sample(imported, raw, reference):
    (folder,) = (raw / "results").iterdir()
    independent = read(folder)
    columns = ["synapse_type", "synapse_id", "soma_distance", "section_id", "section_pt_id", "dendrite_label", "times"]
    for trial in (0, 1):
        rows = imported.scan("synapse_activation", trials=trial, columns=columns).collect().rows()
        assert rows == independent["synapses"][trial]
        rows = imported.scan("cell_activation", trials=trial, columns=["synapse_type", "cell_id", "times"]).collect()
        assert rows.rows() == independent["cells"][trial]
    traces = imported.scan("voltage_traces").filter(pl.col("site") == "soma").sort("trial").collect()
    assert np.array_equal(traces["voltage"][1].to_numpy(), np.load(reference / "golden" / "replay2_soma_v.npy"))
    site = imported.scan("voltage_traces", trials=0).filter(pl.col("site") != "soma").collect()
    assert site.select("section_id", "x").row(0) == (38, 0.9285714285714286)
    assert site["soma_distance"][0] == pytest.approx(920.7, abs=0.05)
    spikes = imported.scan("spike_times").filter(pl.col("site") == "soma").collect()
    published = json.loads((reference / "golden" / "replays.json").read_text())
    assert spikes["time"].to_list() == [t for replay in published for t in replay["spike_times"]]


def test_an_imported_run_is_sound_and_keeps_its_models(imported):
    assert imported.verify("published").problems == ()
    about = imported.info("published")
    assert (about.seed, about.settings["t_stop"], about.settings["engine"]) == (1234, 300.0, "isf")
    cell, network = imported.load_models("published")
    assert len(network.populations) == 278
    assert cell.sites[0].section == 38
    trials = imported.scan("trials").collect()
    assert trials["host"].to_list() == ["node7", "node7"]
    assert trials["wall_s"].is_nan().all()


def test_an_exported_run_is_what_isf_wrote_to_the_byte(imported, raw, tmp_path):
    done = export_isf(imported, "published", tmp_path / "out")
    (folder,) = done.folders
    (original,) = (raw / "results").iterdir()
    assert re.fullmatch(r"\d{8}-\d{4}_seed1234_pid\d+", folder.name)
    assert folder.parent == tmp_path / "out" / "results"
    prefix = folder.name.partition("_")[2]
    renamed = {path.name.replace(PREFIX, prefix): path for path in original.iterdir()}
    assert {path.name for path in folder.iterdir()} == renamed.keys()
    for name, path in renamed.items():
        if not name.endswith(".param"):
            assert (folder / name).read_bytes() == path.read_bytes(), name
    param = json.loads((folder / f"{prefix}_neuron_model.param").read_text())
    assert param["sim"]["tStop"] == 300.0
    assert Path(param["neuron"]["filename"]).is_absolute()
    assert Path(param["neuron"]["filename"]).read_bytes().startswith(b"{create soma}")


def test_an_export_comes_back_with_equal_tables_and_equal_models(imported, tmp_path):
    export_isf(imported, "published", tmp_path / "out")
    again = Catalog(tmp_path / "again")
    import_isf(again, "published", tmp_path / "out")
    for table in TABLES:
        both = [catalog.scan(table).drop(*(NOT_OF_ISF if table == "trials" else [])) for catalog in (imported, again)]
        assert_frame_equal(both[0].collect(), both[1].collect())
    first, second = imported.load_models("published"), again.load_models("published")
    assert np.array_equal(first[1].synapses.x, second[1].synapses.x)
    assert first[1].populations == second[1].populations
    assert [s.points.tolist() for s in first[0].morphology] == [s.points.tolist() for s in second[0].morphology]


def test_importing_again_adds_nothing_and_importing_more_adds_what_is_new(raw, reference, tmp_path):
    catalog = Catalog(tmp_path / "r")
    first = import_isf(catalog, "published", raw, [reference / "model"])
    assert (first.trials, first.already_there) == (2, 0)
    copied = tmp_path / "raw"
    shutil.copytree(raw, copied)
    (folder,) = (copied / "results").iterdir()
    shutil.copytree(folder, folder.with_name(folder.name.replace("pid77", "pid99_running")))
    again = import_isf(catalog, "published", copied, [reference / "model"])
    assert (again.trials, again.already_there) == (2, 2)
    folder.with_name(folder.name.replace("pid77", "pid99_running")).rename(folder.with_name("20250823-0000_x"))
    more = import_isf(catalog, "published", copied, [reference / "model"])
    assert (more.trials, more.already_there) == (4, 2)
    assert catalog.committed_trials("published").tolist() == [0, 1, 2, 3]


def spoiled(raw: Path, to: Path, name: str, old: str, new: str) -> Path:
    shutil.copytree(raw, to)
    (path,) = (to / "results").glob(f"*/*{name}")
    path.write_text(path.read_text().replace(old, new, 1))
    return to


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("run0000_synapses.csv", "L1_C1\t0\t", "L1_C1\tzero\t", r"run0000_synapses\.csv:4: broken line 'L1_C1\\tzero"),
        ("run0000_synapses.csv", "L1_B1\t7", "L9_B1\t7", r"run0000_synapses\.csv: 'L9_B1' is no population"),
        ("run0000_presynaptic_cells.csv", "\t2\t", "\t", r"cells\.csv:2: broken line 'L1_B1"),
        ("vm_all_traces.csv", "Vm run 01", "Vm run 05", r"vm_all_traces\.csv: has 2 traces; expected a trace for each"),
        ("vm_all_traces.csv", "-75.0", "high", r"vm_all_traces\.csv: cannot be read"),
        ("vm_all_traces.csv", "t\t", "v\t", r"vm_all_traces\.csv: is no trace file"),
        ("vm_dend_traces.csv", "\n0.0", "\n0.5", r"dend_traces\.csv: t has other times than the soma"),
    ],
)
def test_a_spoiled_folder_is_refused_naming_file_and_line(raw, reference, tmp_path, name, old, new, message):
    folder = spoiled(raw, tmp_path / "raw", name, old, new)
    with pytest.raises(InputError, match=message):
        import_isf(Catalog(tmp_path / "r"), "published", folder, [reference / "model"])
    assert Catalog(tmp_path / "r").runs() == []


def test_a_trial_that_is_no_result_is_left_out_and_told(raw, reference, tmp_path, capsys):
    folder = spoiled(raw, tmp_path / "raw", "vm_all_traces.csv", "\t-75.0\n", "\tnan\n")
    command = ["import", str(folder), "--catalog", str(tmp_path / "r"), "--run", "published"]
    assert main([*command, "--search-path", str(reference / "model")]) == 1
    said = capsys.readouterr()
    assert "1 trials in run published, 0 of them there before" in said.out
    assert "1 others are wrong and were left out: 1 (voltage at soma is nan at 0 ms)" in said.err
    catalog = Catalog(tmp_path / "r")
    assert catalog.committed_trials("published").tolist() == [0]
    assert catalog.verify("published").problems == ()
    assert catalog.mend("published") == {}


def test_folders_of_different_models_are_not_mixed(raw, reference, tmp_path):
    shutil.copytree(raw, tmp_path / "raw")
    (folder,) = (tmp_path / "raw" / "results").iterdir()
    other = shutil.copytree(folder, folder.with_name(f"other_{PREFIX}"))
    path = other / f"{PREFIX}_neuron_model.param"
    path.write_text(path.read_text().replace('"tStop": 300.0', '"tStop": 345.0'))
    with pytest.raises(InputError, match="is of another model; expected the model of 20250822"):
        import_isf(Catalog(tmp_path / "r"), "published", tmp_path / "raw", [reference / "model"])


def test_what_is_no_isf_folder_and_what_cannot_be_exported_is_one_clear_line(tmp_path, imported):
    with pytest.raises(InputError, match="holds no finished ISF results"):
        import_isf(Catalog(tmp_path / "r"), "x", tmp_path)
    catalog = Catalog(tmp_path / "r")
    catalog.open_run(spec())
    with pytest.raises(InputError, match="run = 'stim_C2' has no trial with a soma trace"):
        export_isf(catalog, "stim_C2", tmp_path / "out")
    export_isf(imported, "published", tmp_path / "out")
    with pytest.raises(InputError, match=r"results/.*seed1234.* is there already; expected another folder"):
        export_isf(imported, "published", tmp_path / "out")


def test_the_command_line_exports_and_imports(imported, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["export", imported.uri, "published", out, "--to", "isf"]) == 0
    assert "2 trials of published in " in capsys.readouterr().out
    assert main(["import", out, "--catalog", str(tmp_path / "r"), "--run", "back"]) == 0
    assert "2 trials in run back, 0 of them there before" in capsys.readouterr().out
    assert main(["import", str(tmp_path / "r"), "--catalog", str(tmp_path / "r"), "--run", "x"]) == 2
    assert "holds no finished ISF results" in capsys.readouterr().err


def test_many_trials_are_spread_over_folders_and_come_back_under_their_numbers(imported, tmp_path, monkeypatch):
    monkeypatch.setattr("isfray.catalog.isf_export.FOLDER_TRIALS", 2)
    done = export_isf(imported, "published", tmp_path / "a")
    assert len(done.folders) == 1
    monkeypatch.setattr("isfray.catalog.isf_export.FOLDER_TRIALS", 1)
    done = export_isf(imported, "published", tmp_path / "b")
    assert len(done.folders) == 2
    again = Catalog(tmp_path / "r")
    import_isf(again, "published", tmp_path / "b")
    assert_frame_equal(again.scan("cell_activation").collect(), imported.scan("cell_activation").collect())
