"""Pictures of an exact size, and what stands where on them."""

from __future__ import annotations

import pytest

from isfray.errors import InputError
from isfray.look.canvas import axes, blank, look


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: look("poster"), "preset = 'poster' is no preset; expected one of paper, talk, square"),
        (lambda: look("paper", (1001, 800)), r"size = \(1001, 800\) is no size; expected \(width, height\), two even"),
        (lambda: look("talk", theme="sepia"), "theme = 'sepia' is no theme"),
    ],
)
def test_what_is_no_look_is_refused(wrong, told):
    with pytest.raises(InputError, match=told):
        wrong()


def test_axes_are_where_they_are_asked_for():
    figure = blank(look("paper"))
    ax = axes(figure, look("paper"), (100, 200, 500, 600))
    assert ax.get_window_extent().bounds == pytest.approx((100, 200, 400, 400))
