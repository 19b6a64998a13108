"""The whisker grid: who is whose neighbour."""

from __future__ import annotations

import pytest

from isfray.edits.barrels import PLACE, RECORDED_IN_C2, neighbourhood
from isfray.errors import InputError


@pytest.mark.parametrize(
    ("whisker", "around"),
    [
        ("C2", "B1:1 B2:2 B3:3 C1:4 C2:5 C3:6 D1:7 D2:8 D3:9"),
        ("B1", "Alpha:1 A1:2 A2:3 Beta:4 B1:5 B2:6 C1:8 C2:9"),
        ("Beta", "Alpha:2 Beta:5 B1:6 Gamma:8 C1:9"),
        ("E1", "Delta:1 D1:2 D2:3 E1:5 E2:6"),
        ("A4", "A3:4 A4:5 B3:7 B4:8"),
    ],
)
def test_neighbours_have_the_positions_of_the_format_description(whisker: str, around: str):
    assert " ".join(f"{column}:{position}" for column, position in neighbourhood(whisker).items()) == around


def test_the_grid_has_24_columns():
    assert len(PLACE) == 24


@pytest.mark.parametrize("whisker", PLACE)
def test_every_neighbour_lies_where_its_position_says(whisker: str):
    around = neighbourhood(whisker)
    row, arc = PLACE[whisker]
    for column, position in around.items():
        dr, da = divmod(position - 1, 3)
        assert PLACE[column] == (row + dr - 1, arc + da - 1)
    assert around[whisker] == 5
    assert not (arc == 1 and 7 in around.values())
    assert not (arc == 0 and 3 in around.values())


def test_a_column_takes_what_c2_did_when_the_whisker_opposite_was_deflected():
    # Seen from a column at position k, the deflected whisker lies at the opposite position, 10 - k.
    around_c2 = {position: column for column, position in neighbourhood("C2").items()}
    assert {k: around_c2[10 - k] for k in range(1, 10)} == RECORDED_IN_C2


@pytest.mark.parametrize("whisker", ["F1", "C5", "c2", "", None, 2])
def test_what_is_no_whisker_is_refused(whisker: object):
    with pytest.raises(InputError, match="is not a whisker"):
        neighbourhood(whisker)  # type: ignore[arg-type]
