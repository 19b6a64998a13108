"""Cell modify functions act on diameters and electrodes only (docs/formats.md, Cell modify functions)."""

from __future__ import annotations

import numpy as np
import pytest

from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.model.clamp import CurrentClamp, EpspCurrent
from tests.model.small_cell import write


def cell(tmp_path, **functions):
    return load_cell(write(tmp_path, lambda p: p["neuron"].update(cell_modify_functions=functions)))


def test_scaling_the_apical_dendrite_changes_diameters_and_nothing_else(tmp_path):
    scaled, plain = cell(tmp_path, scale_apical={"scale": 2.0}), cell(tmp_path)
    assert scaled.diameter_scale.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    np.testing.assert_array_equal(scaled.geometry.nseg, plain.geometry.nseg)
    np.testing.assert_array_equal(scaled.geometry.L, plain.geometry.L)


def test_the_trunk_ends_at_the_main_bifurcation(tmp_path):
    scaled = cell(tmp_path, scale_apical={"scale": 2.0, "compartment": "Trunk"})
    assert scaled.geometry.main_bifurcation == 4
    assert scaled.diameter_scale.tolist() == [1, 1, 1, 1, 2, 1, 1, 1]


def test_the_rule_of_cell_86_skips_what_ends_beyond_1000_um(tmp_path):
    # The two tuft sections end beyond 1000 um from soma(0).
    assert cell(tmp_path, scale_apical_morph_86={}).diameter_scale.tolist() == [1, 1, 1, 1, 2.5, 1, 1, 2.5]


def test_a_current_at_the_soma(tmp_path):
    one = cell(tmp_path, soma_current_injection={"amplitude": 0.5, "delay": 10, "duration": 20})
    assert one.stimuli == (CurrentClamp(0, 0.5, 10, 20, 0.5),)


def test_a_current_on_the_apical_path_sits_at_its_soma_distance(tmp_path):
    one = cell(tmp_path, apical_current_injection={"amplitude": 0.5, "delay": 10, "duration": 20, "dist": 400})
    (clamp,) = one.stimuli
    assert clamp.section == 4
    assert one.geometry.start[4] + clamp.x * one.geometry.L[4] == pytest.approx(400)


def test_an_epsp_has_isfs_default_kinetics(tmp_path):
    one = cell(tmp_path, apical_epsp_injection={"dist": 700, "amplitude": 0.5, "delay": 50})
    (epsp,) = one.stimuli
    assert (epsp.onset, epsp.imax, epsp.tau0, epsp.tau1) == (50, 0.5, 1, 5)
    assert epsp.section == 5  # of the two tuft sections, the one that ends nearer


def test_bac_injection_pairs_a_soma_step_with_a_distal_epsp_5_ms_later(tmp_path):
    step, epsp = cell(tmp_path, BAC_injection={"dist": 700}).stimuli
    assert step == CurrentClamp(0, 0.5, 295.0, 5.0, 1.9)
    assert isinstance(epsp, EpspCurrent)
    assert (epsp.onset, epsp.imax) == (300.0, 0.5)


@pytest.mark.parametrize(
    ("functions", "told"),
    [
        ({"scale_apical": {}}, ["scale_apical.scale", "is missing"]),
        ({"scale_apical": {"scale": -1}}, ["scale_apical.scale = -1", "> 0"]),
        ({"scale_apical": {"scale": 2, "compartment": "Tuft"}}, ["compartment = 'Tuft'", "Trunk"]),
        ({"scale_apical": {"scal": 2}}, ["scale_apical.scal", "expected scale"]),
        ({"BAC_injection": {"dist": 5000}}, ["BAC_injection.dist = 5000", "not on the apical path"]),
        ({"apical_epsp_injection": {"dist": 700, "amplitude": 1, "delay": 5, "rise": 5}}, ["decay", "equals rise"]),
        ({"scale_morphology": {}}, ["scale_morphology", "not supported"]),
    ],
)
def test_a_wrong_function_is_refused(tmp_path, functions, told):
    with pytest.raises(InputError) as error:
        cell(tmp_path, **functions)
    for part in told:
        assert part in str(error.value)
