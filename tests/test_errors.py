"""An error can be told of another place, and loses nothing on the way."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.param import parse_param
from tests.model import small_cell

steps = st.lists(st.text(st.characters(categories=["Lu", "Ll"]), min_size=1) | st.integers(0, 99), max_size=3)
places = st.none() | st.sampled_from(["cell.param", "network.param"])


@given(st.data(), steps.map(tuple), steps.map(tuple), places, places, st.booleans())
def test_an_error_told_of_another_place_says_what_it_said_and_the_place(
    data: st.DataObject, own: Any, under: Any, file: str | None, there: str | None, passing: bool
):
    said: dict[str, Any] = {"expected": "> 0 ms", "passing": passing}
    said |= data.draw(st.sampled_from([{}, {"value": None}, {"value": -3.0}]))
    line, there_line = data.draw(st.none() | st.integers(1, 9)), data.draw(st.none() | st.integers(1, 9))
    moved = InputError("is negative", file=file, line=line, key=own, **said).at(
        file=there, line=there_line, under=under
    )
    whole = InputError("is negative", file=there or file, line=there_line or line, key=(*under, *own), **said)
    assert str(moved) == str(whole)
    assert vars(moved) == vars(whole)
    sent = pickle.loads(pickle.dumps(moved))
    assert str(sent.at(file="other.param")) == str(moved.at(file="other.param"))


def test_a_key_of_a_file_is_written_with_dots_and_numbers_in_brackets():
    error = InputError("is odd", key=("intervals", 3), value=1).at(under=("network", "VPM_C2"))
    assert str(error) == "network.VPM_C2.intervals[3] = 1 is odd"
    assert error.key == "network.VPM_C2.intervals[3]"


def test_a_parameter_file_tells_the_line_of_the_key():
    param = parse_param('{\n"network": {\n"INH": {"noise": 1,\n"interval": -3}}}', "a.param")
    error = InputError("is negative", key="interval", value=-3)
    assert str(param.placed(error, ("network", "INH"))) == "a.param:4: network.INH.interval = -3 is negative"


def test_a_place_that_is_not_on_the_cell_is_told_with_the_line_that_names_it(tmp_path: Path):
    path = small_cell.write(
        tmp_path, lambda data: data["neuron"].update({"cell_modify_functions": {"BAC_injection": {"dist": 9e4}}})
    )
    with pytest.raises(InputError, match=r"BAC_injection\.dist = 90000\.0 is not on the apical path") as caught:
        load_cell(path)
    assert "dist" in path.read_text().splitlines()[(caught.value.line or 0) - 1]
