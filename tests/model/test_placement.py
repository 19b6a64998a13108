"""Synapses land where ISF puts them (docs/formats.md, Placement)."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.model.placement import place, place_at_points
from tests.model.test_membrane import G


def test_every_synapse_of_the_golden_trials_lands_where_isf_put_it(reference):
    cell, network = (
        load_cell(reference / "model" / "86_C2_center.param"),
        load_network(reference / "model" / "network.param"),
    )
    placement = place(network.synapses.section_id, network.synapses.x, cell.geometry)
    first = dict(zip(network.names, network.synapses.offsets.tolist(), strict=False))
    rows = 0
    for k in (1, 2):
        with (reference / "golden" / f"replay{k}_placement.csv").open() as file:
            for row in csv.DictReader(file):
                i = first[row["synapse_type"]] + int(row["synapse_ID"])
                found = (placement.section_id[i], placement.section_pt_id[i], placement.segment[i], placement.x[i])
                told = (
                    int(row["section_ID"]),
                    int(row["section_pt_ID"]),
                    int(row["segment_index"]),
                    float(row["x_clamped"]),
                )
                assert found == told
                rows += 1
        lines = (reference / "golden" / f"replay{k}_synapses.csv").read_text().splitlines()[1:]
        for name, synapse, distance, *_ in (line.split("\t") for line in lines):
            assert placement.soma_distance[first[name] + int(synapse)] == pytest.approx(float(distance), rel=1e-12)
    assert rows > 7000


@given(st.lists(st.tuples(st.integers(0, len(G.nseg) - 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_a_synapse_goes_to_the_nearest_traced_point_within_the_outermost_centres(synapses):
    section = np.array([s for s, _ in synapses], np.int32)
    x = np.array([x for _, x in synapses])
    placement = place(section, x, G)
    for i, (s, at) in enumerate(synapses):
        relpts = G.relpts[s].tolist()
        nearest = min(range(len(relpts)), key=lambda j: (abs(relpts[j] - at), j))
        assert placement.section_pt_id[i] == nearest
        centre = 0.5 / G.nseg[s]
        assert placement.x[i] == min(max(relpts[nearest], centre), 1 - centre)
        assert placement.segment[i] == G.segment_index(s, placement.x[i])


def test_soma_distance_starts_at_the_somas_surface():
    # Section 2 hangs on section 1, which hangs on the soma.
    placement = place(np.array([0, 1, 2], np.int32), np.array([0.7, 0.25, 0.5]), G)
    assert placement.soma_distance.tolist() == [0.0, 0.25 * G.L[1], 0.5 * G.L[2] + G.L[1]]


def test_places_that_are_not_on_the_cell_are_refused():
    with pytest.raises(InputError, match=r"section_id = 8 is not a section.*0 to 7"):
        place(np.array([8], np.int32), np.array([0.5]), G)
    with pytest.raises(InputError, match=r"section_pt_id = 3 is not a 3D point of section 1.*0 to 2"):
        place_at_points(np.array([1], np.int32), np.array([3], np.int32), G)
