"""Cell files: paths, discretization, recording sites and defaults.

(docs/formats.md, Parameter files, Cell files, Landmarks, Discretization)
"""

from __future__ import annotations

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest

from isfray.errors import InputError
from isfray.formats.isf.cell import cell_from_inputs, load_cell
from isfray.formats.nmodl import own_mechanisms
from tests.model.small_cell import write


def test_files_are_found_beside_the_param_whatever_the_working_folder(tmp_path, monkeypatch):
    path = write(tmp_path)
    monkeypatch.chdir("/")
    assert len(load_cell(path).morphology) == 8


def test_an_absolute_path_of_another_machine_is_found_by_name_in_the_search_paths(tmp_path):
    path = write(tmp_path, lambda p: p["neuron"].update(filename="/gpfs/home/somebody/cells/small.hoc"))
    (tmp_path / "morphologies").mkdir()
    shutil.move(tmp_path / "small.hoc", tmp_path / "morphologies" / "small.hoc")
    with pytest.raises(InputError, match=r"neuron\.filename.*somebody.*small\.hoc"):
        load_cell(path)
    cell = load_cell(path, search_paths=[tmp_path / "morphologies"])
    assert list(cell.inputs.references) == ["/gpfs/home/somebody/cells/small.hoc", "sites.landmarkAscii"]
    assert cell_from_inputs(cell.inputs).geometry.nseg.tolist() == cell.geometry.nseg.tolist()


def test_a_cell_with_other_mechanisms_is_another_cell(tmp_path):
    cell = load_cell(write(tmp_path))
    assert cell.mechanisms == own_mechanisms()
    others = replace(cell.mechanisms, files=cell.mechanisms.files[1:])
    assert cell_from_inputs(cell.inputs, others) != cell == cell_from_inputs(cell.inputs, own_mechanisms())


def test_the_d_lambda_rule_sets_the_segments(tmp_path):
    cell = load_cell(write(tmp_path))
    apical = cell.morphology.sections[4]
    lambda_100 = 1e5 * math.sqrt(apical.points[1, 3] / (4 * math.pi * 100 * 100 * 1))
    expected = 2 * math.floor((600 / (0.1 * lambda_100) + 0.5) / 2) + 1
    assert cell.geometry.nseg[4] == expected
    assert (cell.geometry.nseg % 2 == 1).all()


def test_a_longest_segment_may_make_the_number_even(tmp_path):
    rule = {"f": 100.0, "max_seg_length": 10.0}
    cell = load_cell(write(tmp_path, lambda p: p["neuron"].update(discretization=rule)))
    assert cell.geometry.nseg[4] == 60
    assert (cell.geometry.L / cell.geometry.nseg <= 10.0 + 1e-9).all()


def test_naming_ais_grows_the_artificial_axon(tmp_path):
    def edit(param):
        param["neuron"]["AIS"] = param["neuron"]["Soma"]
        param["neuron"]["Myelin"] = param["neuron"]["Dendrite"]

    cell = load_cell(write(tmp_path, edit))
    assert cell.morphology.labels[-3:] == ("AIS", "AIS", "Myelin")
    assert cell.geometry.nseg[-3:].tolist() == [5, 7, 21]
    np.testing.assert_allclose(cell.geometry.L[-3:], [20, 30, 1000], rtol=1e-6)
    # The soma's middle point is (0, 5, 0) with diameter 14: the axon starts 7 um below it.
    np.testing.assert_allclose(cell.morphology.sections[-3].points[0], [0, 5, -7, 3.0])


def test_a_landmark_becomes_the_segment_nearest_to_its_nearest_point(tmp_path):
    (site,) = load_cell(write(tmp_path)).sites
    # (1, 11, 590) is nearest to the trunk's last point, (0, 10, 600).
    assert site.section == 4
    assert site.label.startswith("sites_ID_000_sec_004_seg_")
    assert site.segment == load_cell(write(tmp_path)).geometry.nseg[4] - 1


def test_inputs_are_kept_byte_for_byte(tmp_path):
    path = write(tmp_path)
    cell = load_cell(path)
    assert cell.inputs.main.data == path.read_bytes()
    assert cell.inputs.references["small.hoc"].data == (tmp_path / "small.hoc").read_bytes()


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda p: p.pop("sim"), ["sim", "is missing"]),
        (lambda p: p["sim"].update(dt=0), ["sim.dt = 0", "> 0 and <= 2.5 ms"]),
        (lambda p: p["sim"].update(Vinit="-75"), ["sim.Vinit", "not a number"]),
        (lambda p: p["neuron"].update(discretization={"f": 100}), ["max_seg_length", "is missing"]),
        (lambda p: p["neuron"]["Soma"]["properties"].update(spines={"density": 1}), ["spines.area", "is missing"]),
        (lambda p: p["neuron"]["Soma"].update(mechanism={}), ["Soma.mechanism ", "mechanisms"]),
        (
            lambda p: p["neuron"]["ApicalDendrite"]["mechanisms"]["range"].update(
                Ih={
                    "spatial": "uniform_range",
                    "begin": 0,
                    "end": 9,
                    "outsidescale": 1,
                    "outsidescale_sections": [99],
                    "gIhbar": 1,
                }
            ),
            ["outsidescale_sections", "ids below 8"],
        ),
    ],
)
def test_a_wrong_cell_file_is_refused(tmp_path, edit, told):
    with pytest.raises(InputError) as error:
        load_cell(write(tmp_path, edit))
    for part in told:
        assert part in str(error.value)
