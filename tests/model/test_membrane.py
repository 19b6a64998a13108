"""Spatial distributions follow their formulas (docs/formats.md, Spatial distributions)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.formats.hoc import read_hoc
from isfray.model.geometry import Discretization, Geometry, discretize
from isfray.model.inputs import InputFile
from isfray.model.membrane import RangeMechanism, densities
from tests.model.small_cell import hoc


def geometry() -> Geometry:
    morphology = read_hoc(InputFile("small.hoc", hoc().encode()))
    return discretize(morphology, Discretization(), lambda label: 100.0, lambda label: 1.0)


G = geometry()
APICAL = [i for i in range(G.n_segments) if G.morphology.labels[G.section_of_segment[i]] == "ApicalDendrite"]
SOMA_HALF = G.L[0] / 2


def walk(segment: int) -> float:
    """Path length from soma(0) to a segment centre, section by section, independent of `Geometry.start`."""
    section = int(G.section_of_segment[segment])
    x = (segment - int(G.offsets[section]) + 0.5) / int(G.nseg[section])
    distance = x * G.L[section]
    while section > 0:
        parent, at = int(G.morphology.parent[section]), float(G.morphology.parent_x[section])
        n = int(G.nseg[parent])
        distance += G.L[parent] * (at if at in (0.0, 1.0) else (math.floor(at * n) + 0.5) / n)
        section = parent
    return float(distance)


def value(spatial: str, p: float = 2.0, **steering: object) -> np.ndarray:
    mechanism = RangeMechanism("Ih", spatial, steering, {"gIhbar": p})
    return densities(mechanism, "ApicalDendrite", G)["gIhbar"]


REACH = max(walk(int(G.offsets[i + 1]) - 1) + G.L[i] / G.nseg[i] / 2 for i in (5, 6, 7)) - SOMA_HALF
from_soma = np.array([walk(i) for i in APICAL])
from_root = from_soma - SOMA_HALF


def test_uniform_is_the_value_everywhere():
    np.testing.assert_array_equal(value("uniform"), 2.0)


@given(st.floats(-1, 1), st.floats(0.1, 3), st.floats(-5, 5), st.floats(-0.5, 0.5))
def test_exponential_relative_starts_at_the_root(offset, scale, rate, shift):
    ours = value("exponential", distance="relative", offset=offset, linScale=scale, _lambda=rate, xOffset=shift)
    expected = [2.0 * (offset + scale * math.exp(rate * (d / REACH - shift))) for d in from_root]
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_exponential_absolute_uses_um():
    ours = value("exponential", distance="absolute", offset=0.0, linScale=1.0, _lambda=-0.01, xOffset=100.0)
    np.testing.assert_allclose(ours, 2.0 * np.exp(-0.01 * (from_root - 100.0)), rtol=1e-12)


def test_a_capped_exponential_stops_at_max_g():
    keys = {"distance": "absolute", "offset": 0.0, "linScale": 1.0, "_lambda": 0.01, "xOffset": 0.0}
    ours = value("capped_exponential", max_g=5.0, **keys)
    np.testing.assert_allclose(ours, np.minimum(value("exponential", **keys), 5.0))
    assert (ours == 5.0).any()
    assert (ours < 5.0).any()


def test_linear_starts_at_soma_zero_and_has_a_floor():
    ours = value("linear", distance="absolute", slope=-0.002, offset=0.1)
    np.testing.assert_allclose(ours, np.maximum(2.0 * (-0.002 * from_soma + 1), 0.2), rtol=1e-12)


def test_linear_relative_divides_the_soma_distance_by_the_root_reach():
    ours = value("linear", distance="relative", slope=-0.5, offset=0.0)
    np.testing.assert_allclose(ours, 2.0 * (-0.5 * from_soma / REACH + 1), rtol=1e-12)


def test_linear_capped_writes_only_its_parameter():
    mechanism = RangeMechanism(
        "SKv3_1",
        "linear_capped",
        {
            "distance": "absolute",
            "param_name": "gSKv3_1bar",
            "prox_value": 1.0,
            "dist_value": 0.2,
            "dist_value_distance": 300.0,
        },
        {},
    )
    ours = densities(mechanism, "ApicalDendrite", G)
    assert list(ours) == ["gSKv3_1bar"]
    expected = np.where(from_soma >= 300, 0.2, 1.0 - 0.8 / 300 * from_soma)
    np.testing.assert_allclose(ours["gSKv3_1bar"], expected, rtol=1e-12)


def test_sigmoid():
    ours = value("sigmoid", distance="absolute", offset=0.1, linScale=3.0, xOffset=400.0, width=-50.0)
    np.testing.assert_allclose(ours, 2.0 * (0.1 + 3.0 / (1 + np.exp((from_root - 400.0) / -50.0))), rtol=1e-12)


def test_uniform_range_includes_both_ends_and_listed_sections_are_outside():
    begin, end = float(from_root[3]), float(from_root[9])
    inside = (from_root >= begin) & (from_root <= end)
    np.testing.assert_array_equal(
        value("uniform_range", begin=begin, end=end, outsidescale=0.1), np.where(inside, 2.0, 0.2)
    )
    section = int(G.section_of_segment[APICAL[5]])
    listed = G.section_of_segment[APICAL] == section
    ours = value("uniform_range", begin=begin, end=end, outsidescale=0.1, outsidescale_sections=(section,))
    np.testing.assert_array_equal(ours, np.where(inside & ~listed, 2.0, 0.2))


def test_z_distance_counts_from_the_soma_middle_point():
    ours = value("exponential_by_z_dist", distance="absolute", offset=0.0, linScale=1.0, _lambda=1.0, xOffset=0.0)
    trunk = slice(0, int(G.nseg[4]))
    z = 600.0 * G.segment_x[G.offsets[4] : G.offsets[5]]  # the trunk is straight, from z = 0 to 600
    np.testing.assert_allclose(ours[trunk], 2.0 * np.exp(z / 1000.0), rtol=1e-6)


def test_basal_dendrites_use_path_length_in_the_z_distribution():
    mechanism = RangeMechanism(
        "Ih",
        "exponential_by_z_dist",
        {"distance": "absolute", "offset": 0.0, "linScale": 1.0, "_lambda": 1.0, "xOffset": 0.0},
        {"gIhbar": 2.0},
    )
    ours = densities(mechanism, "Dendrite", G)["gIhbar"]
    basal = [i for i in range(G.n_segments) if G.morphology.labels[G.section_of_segment[i]] == "Dendrite"]
    d = np.array([walk(i) for i in basal]) - SOMA_HALF
    np.testing.assert_allclose(ours, 2.0 * np.exp(d / 1000.0), rtol=1e-12)


def test_the_soma_is_its_own_root():
    mechanism = RangeMechanism(
        "Ih",
        "exponential",
        {"distance": "relative", "offset": 0, "linScale": 1, "_lambda": 1, "xOffset": 0},
        {"g": 1.0},
    )
    (ours,) = densities(mechanism, "Soma", G)["g"]
    assert ours == pytest.approx(math.exp(0.5))
