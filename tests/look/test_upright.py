"""The cell stands upright in every picture."""

from __future__ import annotations

import numpy as np
import pytest

import isfray
from isfray.look.upright import own_points, upright


def test_the_trunk_points_up_and_nothing_is_stretched(reference):
    cell = isfray.load_cell(reference / "model" / "86_C2_center.param")
    points = upright(cell.geometry)
    bifurcation, raw = cell.geometry.main_bifurcation, cell.morphology.sections
    centre = raw[0].points[:, :3].mean(axis=0)
    assert points[bifurcation][-1] == pytest.approx([0, np.linalg.norm(raw[bifurcation].points[-1, :3] - centre)])
    own = own_points(cell.geometry, points)
    for i, section in enumerate(raw):
        flat = np.linalg.norm(np.diff(own[i], axis=0), axis=1)
        solid = np.linalg.norm(np.diff(section.points[:, :3], axis=0), axis=1)
        assert (flat <= solid + 1e-9).all()
