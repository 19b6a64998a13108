"""The checks of what is given to isfray."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray import check
from isfray.errors import InputError

BELOW = [True, None, "1", [1.0], float("nan"), float("inf"), -1, 10**400, np.bool_(True), np.array([1.0, 2.0])]


@given(st.integers(0, 2**31 - 1))
def test_a_number_of_numpy_is_a_number_of_python(n):
    for kind in (np.int32, np.int64, np.uint64, np.float64):
        found = check.number("t_stop", kind(n), least=0.0)
        assert found == n
        assert type(found) is float
    assert check.whole("trials", np.int64(n), 0) == n
    assert type(check.whole("trials", np.int64(n), 0)) is int


@pytest.mark.parametrize("value", BELOW, ids=repr)
def test_what_is_no_number_above_zero_is_refused_in_one_line(value):
    with pytest.raises(InputError, match=r"^t_stop = .* is .*; expected a number > 0 ms$") as told:
        check.number("t_stop", value, above=0.0, unit="ms")
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("value", [1.0, "3", True, -1, 2**40, None], ids=repr)
def test_what_is_no_whole_number_in_its_bounds_is_refused(value):
    with pytest.raises(InputError, match="expected a whole number from 0 to 9"):
        check.whole("trials", value, 0, 9)


def test_a_path_begins_at_home_where_it_begins_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert str(check.path("folder", "~/example")) == "/somewhere/example"


@pytest.mark.parametrize("value", ["", " ", "a\0b", "x" * 300, 3, None, b"bytes", "~nobody-of-this-name/x"], ids=repr)
def test_what_can_be_no_path_is_refused(value):
    with pytest.raises(InputError, match="path"):
        check.path("folder", value)


@pytest.mark.parametrize("value", ["", "..", "a/b", "a\\b", "/etc/passwd", "a\0", "a\nb", "x" * 256, 3, None], ids=repr)
def test_a_name_that_leads_elsewhere_is_no_name_of_a_file(value):
    with pytest.raises(InputError, match="cannot be the name of a file"):
        check.name_of_file("name", value)


@given(st.text(), st.lists(st.text(max_size=40), max_size=600))
def test_what_is_suggested_is_short_whatever_is_known(word, known):
    told = check.nearest(word, known)
    assert len(told) <= 3 * 40 + 40
    assert any(name in told for name in known) or not known


def test_the_nearest_name_is_offered_and_how_many_more_there_are():
    populations = [f"{kind}_{column}" for kind in ("L5tt", "L6cc", "VPM") for column in ("B1", "C2", "D3")]
    assert check.nearest("VMP_C2", populations) == "VPM_C2"
    assert check.nearest("VPN", populations) == "one of VPM_B1, VPM_C2, VPM_D3 or 6 more"
