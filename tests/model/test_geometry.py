"""Geometry equals NEURON's, computed without NEURON (golden numbers of ISF)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from isfray.formats.isf.cell import load_cell
from isfray.model.cell import CellModel, conductances


@pytest.fixture(scope="module")
def cell(reference: Path) -> CellModel:
    return load_cell(reference / "model" / "86_C2_center.param")


@pytest.fixture(scope="module")
def golden(reference: Path) -> list[dict]:
    return json.loads((reference / "golden" / "geometry.json").read_text())["sections"]


def test_sections_labels_and_parents_are_isfs(cell, golden):
    assert list(cell.morphology.labels) == [s["label"] for s in golden]
    assert cell.morphology.parent.tolist() == [-1 if s["parent"] is None else s["parent"] for s in golden]
    assert [s.parent_x for s in cell.morphology.sections[1:]] == [s["parentx"] for s in golden[1:]]


def test_lengths_and_segment_counts_are_exact(cell, golden):
    assert cell.geometry.L.tolist() == [s["L"] for s in golden]
    assert cell.geometry.nseg.tolist() == [s["nseg"] for s in golden]
    assert cell.geometry.n_segments == 1142


def test_segment_centres_and_distances_are_neurons(cell, golden):
    assert cell.geometry.segment_x.tolist() == [x for s in golden for x in s["seg_x"]]
    ends = [s["h_distance_soma0_to_x1"] for s in golden]
    np.testing.assert_allclose(cell.geometry.end, ends, rtol=1e-12)


def test_relative_positions_of_3d_points_are_exact(cell, reference):
    golden = np.load(reference / "golden" / "relpts.npz")
    for i, relpts in enumerate(cell.geometry.relpts):
        np.testing.assert_array_equal(relpts, golden[f"sec_{i:03d}"])


def test_the_apical_reach_and_hot_zone_are_those_of_the_reference(cell):
    g = cell.geometry
    assert g.max_distance("ApicalDendrite") == pytest.approx(1576.552850108214, rel=1e-12)
    apical = np.array([cell.morphology.labels[i] == "ApicalDendrite" for i in g.section_of_segment])
    from_root = g.segment_distance - g.root("ApicalDendrite")
    assert np.sum(apical & (from_root >= 900) & (from_root <= 1100)) == 39


def test_the_recording_site_is_isfs(cell, reference):
    (site,) = json.loads((reference / "golden" / "recording_sites.json").read_text())
    (ours,) = cell.sites
    assert (ours.label, ours.section, ours.segment, ours.x) == (site["label"], site["section"], site["seg"], site["x"])


def test_every_conductance_is_isfs(cell, reference):
    golden = np.load(reference / "golden" / "conductances.npz")
    ours = conductances(cell)
    set_there = {k for k in golden.files if "_" in k and k not in ("depth_CaDynamics_E2", "minCai_CaDynamics_E2")}
    assert set(ours) == set_there
    for name, values in ours.items():
        np.testing.assert_allclose(values, golden[name], rtol=1e-12, err_msg=name)


def test_the_apical_scaling_reaches_the_33_sections_isf_scales(cell, golden):
    assert np.flatnonzero(cell.diameter_scale == 2.5).tolist() == [i for i, s in enumerate(golden) if s["scaled"]]


def test_the_main_bifurcation_is_at_the_end_of_the_trunk(cell):
    assert cell.geometry.main_bifurcation == 38


def test_the_cell_is_read_back_from_its_stored_files(cell):
    from isfray.formats.isf.cell import cell_from_inputs

    again = cell_from_inputs(cell.inputs)
    assert again.sites == cell.sites
    assert again.membranes == cell.membranes
    assert set(cell.inputs.references) == {"86_C2_center.hoc", "apical_proximal_distal_rec_sites.landmarkAscii"}
