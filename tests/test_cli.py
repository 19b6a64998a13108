"""The command line: a user's mistake ends with status 2 and one line that says where, what and what instead."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isfray.cli import main
from tests.model.small_cell import hoc, write

ROOT = Path(__file__).resolve().parent.parent


class Case:
    """A user's files and options, right until a test makes one of them wrong."""

    def __init__(self, folder: Path, network: dict[str, Any], write_network: Callable[..., Path]) -> None:
        self.folder, self.network, self._write_network = folder, network, write_network
        self.edit_cell: Callable[[dict[str, Any]], None] = lambda param: None
        self.morphology = hoc()
        self.syn: str | None = None
        self.con: str | None = None
        self.options = {
            "--trials": "2",
            "--seed": "7",
            "--t-stop": "20",
            "--run": "r",
            "--catalog": str(folder / "results"),
        }
        self.then: Callable[[], None] = lambda: None

    def run(self) -> int:
        cell = write(self.folder, self.edit_cell, self.morphology)
        network = self._write_network(self.network, self.syn, self.con)
        self.then()
        options = [f"{key}={value}" for key, value in self.options.items()]
        return main(["run", "--cell", str(cell), "--network", str(network), *options])


def vpm(case: Case) -> dict[str, Any]:
    return case.network["network"]["VPM_C2"]


def missing_syn(case: Case) -> None:
    vpm(case)["synapses"]["distributionFile"] = "nowhere.syn"


def absent_section(case: Case) -> None:
    case.syn = "VPM_C2\t1\t0.5\nVPM_C2\t900\t0.5\n"
    case.con = "VPM_C2\t0\t0\n"


def x_beyond_the_section(case: Case) -> None:
    case.syn = "# a comment\nVPM_C2\t1\t1.2\n"


def con_row_without_synapse(case: Case) -> None:
    case.con = "VPM_C2\t0\t0\nVPM_C2\t1\t4000\n"


def release_probability(case: Case) -> None:
    vpm(case)["synapses"]["releaseProb"] = 1.5


def misspelt_network_key(case: Case) -> None:
    vpm(case)["cellnr"] = vpm(case).pop("cellNr")


def misspelt_cell_key(case: Case) -> None:
    case.edit_cell = lambda p: p["neuron"]["Soma"]["properties"].update(RA=100.0)


def negative_interval(case: Case) -> None:
    case.network["network"]["INH"]["interval"] = -3.0


def unequal_lengths(case: Case) -> None:
    vpm(case)["celltype"]["pointcell"]["probabilities"] = [0.5]


def unknown_distribution(case: Case) -> None:
    vpm(case)["celltype"]["pointcell"]["distribution"] = "PSHT"


def unknown_mechanism(case: Case) -> None:
    case.edit_cell = lambda p: p["neuron"]["Soma"]["mechanisms"]["range"].update(
        NaTa={"spatial": "uniform", "gNaTa_tbar": 1.0}
    )


def unknown_parameter(case: Case) -> None:
    case.edit_cell = lambda p: p["neuron"]["Soma"]["mechanisms"]["range"]["NaTa_t"].update(gNaTa_bar=1.0)


def unknown_spatial(case: Case) -> None:
    case.edit_cell = lambda p: p["neuron"]["Soma"]["mechanisms"]["range"]["NaTa_t"].update(spatial="exponental")


def unknown_label(case: Case) -> None:
    case.edit_cell = lambda p: p["neuron"].update(Apical=p["neuron"].pop("ApicalDendrite"))


def unknown_receptor(case: Case) -> None:
    receptors = vpm(case)["synapses"]["receptors"]
    receptors["glutamate"] = receptors.pop("glutamate_syn")


def wrong_weights(case: Case) -> None:
    vpm(case)["synapses"]["receptors"]["glutamate_syn"]["weight"] = 1.0


def receptor_parameter(case: Case) -> None:
    vpm(case)["synapses"]["receptors"]["glutamate_syn"]["parameter"]["tau5"] = 1.0


def dynamic_release(case: Case) -> None:
    vpm(case)["synapses"]["releaseProb"] = "dynamic"


def broken_hoc_line(case: Case) -> None:
    case.morphology = hoc().replace("{pt3dadd(40.000000,5.000000", "{pt3dadd(40.000000;5.000000")


def broken_param(case: Case) -> None:
    def spoil() -> None:
        (case.folder / "small.param").write_text('{"neuron": {\n "filename": \n}}')

    case.then = spoil


def missing_landmarks(case: Case) -> None:
    case.then = lambda: (case.folder / "sites.landmarkAscii").unlink()


def unknown_modification(case: Case) -> None:
    case.edit_cell = lambda p: p["neuron"].update(cell_modify_functions={"scale_apicl": {"scale": 2.0}})


def zero_t_stop(case: Case) -> None:
    case.options["--t-stop"] = "0"


def negative_trials(case: Case) -> None:
    case.options["--trials"] = "-1"


def fractional_trials(case: Case) -> None:
    case.options["--trials"] = "2.5"


def no_workers(case: Case) -> None:
    case.options["--workers"] = "0"


def unknown_engine(case: Case) -> None:
    case.options["--engine"] = "neurom"


def unknown_site(case: Case) -> None:
    case.options["--record"] = "tuft"


def bad_run_name(case: Case) -> None:
    case.options["--run"] = "a/b"


def file_in_the_way(case: Case) -> None:
    (case.folder / "occupied").write_text("not a folder")
    case.options["--catalog"] = str(case.folder / "occupied" / "results")


def unwritable_place(case: Case) -> None:
    # Not even root makes a folder there.
    case.options["--catalog"] = "/proc/results"


def foreign_folder(case: Case) -> None:
    (case.folder / "photos").mkdir()
    (case.folder / "photos" / "cat.jpg").write_text("meow")
    case.options["--catalog"] = str(case.folder / "photos")


WRONG: list[tuple[Callable[[Case], None], list[str]]] = [
    (missing_syn, ["network.param", "distributionFile", "nowhere.syn", "does not exist"]),
    (absent_section, ["cell.syn:2", "900", "expected 0 to 7"]),
    (x_beyond_the_section, ["cell.syn:2", "1.2", "0 to 1"]),
    (con_row_without_synapse, ["cell.con:2", "4000"]),
    (release_probability, ["network.param:", "VPM_C2.synapses.releaseProb", "1.5"]),
    (misspelt_network_key, ["network.param:", "VPM_C2.cellnr", "cellNr"]),
    (misspelt_cell_key, ["small.param:", "neuron.Soma.properties.RA", "Ra"]),
    (negative_interval, ["network.param:", "INH.interval", "-3.0", "> 0"]),
    (unequal_lengths, ["network.param:", "VPM_C2.celltype.pointcell", "probabilities"]),
    (unknown_distribution, ["network.param:", "distribution", "PSHT", "PSTH"]),
    (unknown_mechanism, ["small.param:", "Soma.mechanisms.range.NaTa ", "NaTa_t"]),
    (unknown_parameter, ["small.param:", "NaTa_t.gNaTa_bar", "gNaTa_tbar"]),
    (unknown_spatial, ["small.param:", "NaTa_t.spatial", "exponental", "exponential"]),
    (unknown_label, ["small.param:", "neuron.Apical ", "ApicalDendrite"]),
    (unknown_receptor, ["network.param:", "receptors.glutamate ", "glutamate_syn"]),
    (wrong_weights, ["network.param:", "glutamate_syn.weight", "expected 2"]),
    (receptor_parameter, ["network.param:", "glutamate_syn.parameter.tau5", "expected tau4"]),
    (dynamic_release, ["network.param:", "VPM_C2.synapses.releaseProb", "0 to 1"]),
    (broken_hoc_line, ["small.hoc:", "pt3dadd(x, y, z, diameter)"]),
    (broken_param, ["small.param:3", "neuron.filename"]),
    (missing_landmarks, ["small.param", "sim.recordingSites", "sites.landmarkAscii", "does not exist"]),
    (unknown_modification, ["small.param:", "scale_apicl", "scale_apical"]),
    (zero_t_stop, ["t_stop = 0.0", "> 0 ms"]),
    (negative_trials, ["trials = -1", "at least 1"]),
    (fractional_trials, ["--trials", "2.5"]),
    (no_workers, ["workers = 0", "at least 1"]),
    (unknown_engine, ["engine = 'neurom'", "neuron"]),
    (unknown_site, ["record = 'tuft'"]),
    (bad_run_name, ["a/b", "letters"]),
    (file_in_the_way, ["occupied", "a file is in the way"]),
    (unwritable_place, ["/proc/results"]),
    (foreign_folder, ["photos", "catalog"]),
]


@pytest.mark.parametrize(("spoil", "told"), WRONG, ids=[spoil.__name__ for spoil, _ in WRONG])
def test_a_mistake_ends_with_status_2_and_one_line(
    spoil, told, tmp_path, small_network, write_network, capsys: pytest.CaptureFixture[str]
):
    case = Case(tmp_path, small_network, write_network)
    spoil(case)
    assert case.run() == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    for part in told:
        assert part in line, line
    assert not (tmp_path / "results").exists()


def test_mistakes_reach_python_as_input_errors(tmp_path):
    import isfray

    with pytest.raises(isfray.InputError, match=r"nowhere\.param"):
        isfray.load_cell(tmp_path / "nowhere.param")


@pytest.mark.parametrize("arguments", [["info", "{}"], ["verify", "{}"], ["compact", "{}", "r"]])
def test_a_place_without_a_catalog_is_named(arguments, tmp_path, capsys):
    assert main([a.format(tmp_path / "nothing") for a in arguments]) == 2
    assert "nothing" in capsys.readouterr().err


def test_an_unknown_command_is_one_line(capsys):
    assert main(["rum"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'rum'" in line


def test_importing_isfray_starts_neither_neuron_nor_ray():
    code = "import isfray, sys, json; print(json.dumps([m for m in ('ray', 'neuron', 'polars') if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(done.stdout) == []


def test_everything_the_package_exports_is_there():
    import isfray

    for name in isfray.__all__:
        assert getattr(isfray, name) is not None
