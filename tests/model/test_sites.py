"""Names of places: what they mean on a cell, and what is said of those that mean nothing there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.engine.recording import read_recording
from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.model.cell import CellModel
from isfray.model.clamp import read_clamps
from isfray.model.sites import every_segment, named_site, segment_named, site
from tests.model import small_cell

fractions = st.floats(0.0, 1.0)


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> CellModel:
    return load_cell(small_cell.write(tmp_path_factory.mktemp("cell")))


def test_every_segment_is_found_by_its_name_and_by_its_centre(cell: CellModel):
    g = cell.geometry
    found = every_segment(g)
    assert [(s.section, s.x) for s in found] == list(zip(g.section_of_segment, g.segment_x, strict=True))
    for one in found:
        assert named_site(one.label, g) == one
        there = named_site(f"{one.section}({one.x!r})", g)
        assert there is not None
        assert (there.section, there.segment, there.soma_distance) == (one.section, one.segment, one.soma_distance)


@given(st.data(), fractions)
def test_a_label_means_its_first_section(cell: CellModel, data: st.DataObject, x: float):
    label = data.draw(st.sampled_from(sorted(set(cell.morphology.labels))))
    by_label, by_id = (named_site(f"{of}({x!r})", cell.geometry) for of in (label, cell.morphology.labels.index(label)))
    assert by_label is not None
    assert by_id is not None
    assert (by_label.section, by_label.segment, by_label.x) == (by_id.section, by_id.segment, by_id.x)
    assert read_clamps([{"section": label}], cell.morphology.labels)[0].section == by_id.section


def test_the_label_of_a_landmark_says_where_it_was(cell: CellModel):
    (landmark,) = cell.sites
    assert segment_named(landmark.label) == (landmark.section, landmark.segment)
    assert named_site(landmark.label, cell.geometry) == landmark
    assert site(landmark.section, landmark.segment, cell.geometry, landmark.label) == landmark


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("99(0.5)", r"record = '99\(0\.5\)' is no place of the cell; expected a section below 8 and x from 0 to 1"),
        ("1(1.5)", r"record = '1\(1\.5\)' is no place of the cell; expected a section below 8 and x from 0 to 1"),
        ("sec_000_seg_999", r"record = 'sec_000_seg_999' is no place of the cell; expected up to sec_000_seg_\d{3}"),
        ("sec_099_seg_000", r"record = 'sec_099_seg_000' is no place of the cell; expected a section below 8"),
        ("Sma(0.5)", r"record = 'Sma\(0\.5\)' is no place of the cell; expected Soma"),
        ("som", r"record = 'som' is no place of the cell; expected soma"),
        ("1(-0.5)", r"record = '1\(-0\.5\)' is no place of the cell"),
        ("1(nan)", r"record = '1\(nan\)' is no place of the cell"),
    ],
)
def test_a_place_that_is_not_on_the_cell_is_refused(cell: CellModel, name: str, said: str):
    with pytest.raises(InputError, match=rf"^{said}"):
        read_recording(cell, name)


def test_what_is_recorded_is_called_what_was_asked_for(cell: CellModel, tmp_path: Path):
    asked = ["4(0.99)", "Soma(0.5)", "sec_005_seg_001"]
    sites = read_recording(cell, asked).sites
    assert [s.label for s in sites] == ["soma", *asked]
    assert np.isclose(sites[2].soma_distance, sites[0].soma_distance, atol=20.0)
    assert (sites[2].section, sites[3].section) == (0, 5)
