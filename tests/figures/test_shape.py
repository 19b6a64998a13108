"""Dendrogram and morphology against the published geometry of the reference cell."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.collections import PathCollection

import isfray
from isfray.errors import InputError
from isfray.figures import plot_dendrogram, plot_morphology
from isfray.figures.dendrogram import layout, length_by_distance, synapse_places
from isfray.look.style import STRUCTURES
from tests.analysis.recorded import published_rows
from tests.model.small_cell import write


@pytest.fixture(scope="module")
def cell(reference):
    return isfray.load_cell(reference / "model" / "86_C2_center.param")


@pytest.fixture(scope="module")
def network(reference):
    return isfray.load_network(reference / "model" / "network.param")


@pytest.fixture
def small(tmp_path):
    return isfray.load_cell(write(tmp_path))


def test_every_end_of_a_branch_has_a_height_of_its_own_and_no_line_crosses(small):
    y = layout(small.geometry)
    children, labels = small.morphology.children, small.morphology.labels
    ends = [i for i in range(len(labels)) if not children[i] and labels[i] not in ("AIS", "Myelin")]
    assert sorted(y[ends]) == list(range(len(ends)))
    for i in np.flatnonzero(~np.isnan(y)):
        below = [y[c] for c in children[i] if not np.isnan(y[c])]
        assert not below or min(below) <= y[i] <= max(below)


def test_binned_length_is_the_dendrites_published_length(reference, cell):
    sections = json.loads((reference / "golden" / "geometry.json").read_text())["sections"]
    published = sum(s["L"] for s in sections if s["label"] in ("Dendrite", "ApicalDendrite"))
    assert length_by_distance(cell.geometry, np.arange(0, 2000, 50.0)).sum() == pytest.approx(published)


def test_synapses_stand_at_their_published_soma_distance(reference, cell, network):
    distance, excites = synapse_places(cell.geometry, network)
    offset = dict(zip(network.names, network.synapses.offsets, strict=False))
    for row in published_rows(reference / "golden" / "replay1_synapses.csv"):
        index = offset[row[0]] + int(row[1])
        assert distance[index] == pytest.approx(float(row[2]), abs=1e-6)
        assert excites[index] == (
            row[0].startswith(("L2_", "L3", "L4p", "L4s", "L5", "L6", "VPM")) and "T" not in row[0]
        )


def test_the_dendrogram_draws_every_dendrite_at_its_length(cell):
    ax = plot_dendrogram(cell)
    dendrites = [i for i, label in enumerate(cell.morphology.labels) if label in ("Dendrite", "ApicalDendrite")]
    drawn = ax.collections[0].get_segments()[::2]
    lengths = [line[1, 0] - line[0, 0] for line in drawn]
    assert lengths == pytest.approx([cell.geometry.L[i] for i in dendrites])
    assert ax.get_xlabel() == "Distance from the soma (µm)"


def test_the_dendrogram_of_a_run_shows_all_its_synapses(golden, network):
    ax = plot_dendrogram(golden, "replays")
    ticks = sum(len(c.get_segments()) for c in ax.collections[1:])
    assert ticks == len(network.synapses.section_id)
    assert len(ax.figure.axes) == 2


def test_every_dendrite_is_drawn_in_the_colour_of_its_structure(small):
    ax = plot_morphology(small)
    names = {line.get_label(): line.get_color() for line in ax.get_legend().get_lines()}
    assert names["basal dendrite"] == STRUCTURES["Dendrite"]
    assert names["apical dendrite"] == STRUCTURES["ApicalDendrite"]
    assert ax.get_aspect() == 1.0


def test_the_synapses_of_a_trial_are_marked_where_they_released(reference, golden):
    ax = plot_morphology(golden, "replays", trial=0)
    (marks,) = (group for group in ax.collections if isinstance(group, PathCollection))
    assert len(marks.get_offsets()) == len(published_rows(reference / "golden" / "replay1_synapses.csv"))


def test_what_a_cell_alone_cannot_show_is_refused(small, golden):
    with pytest.raises(InputError, match="needs a run with a network"):
        plot_morphology(small, trial=0)
    with pytest.raises(InputError, match="trial = 9 is not there"):
        plot_morphology(golden, "replays", trial=9)
    with pytest.raises(InputError, match="run is missing; expected one of replays"):
        plot_dendrogram(golden)
