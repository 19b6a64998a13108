import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isfray.analysis.binning import bins


@settings(deadline=None)
@given(
    st.floats(-300, 300),
    st.floats(0.01, 400),
    st.sampled_from([0.025, 0.1, 0.3, 1.0, 1 / 3, 7.0]),
    st.sampled_from(["isfray", "isf", "isf_aligned"]),
    st.lists(st.floats(-400, 800), max_size=30),
)
def test_every_value_is_in_the_bin_that_numpy_finds_also_on_a_border(start, span, width, rule, values):
    if rule == "isfray" and span < width:
        span += width
    if rule == "isf_aligned" and span < 2 * width:
        span += 2 * width
    grid = bins(start, start + span, width, rule)
    x = np.concatenate([values, grid.edges, np.nextafter(grid.edges, -np.inf), np.nextafter(grid.edges, np.inf)])
    wanted = np.searchsorted(grid.edges, x, side="right") - 1
    if grid.closed:
        wanted[x == grid.edges[-1]] = grid.count - 1
    found = pl.DataFrame({"x": x}).select(grid.index("x")).to_series()
    inside = (wanted >= 0) & (wanted < grid.count)
    assert found.to_list() == [int(w) if ok else None for w, ok in zip(wanted, inside, strict=True)]


def test_isf_borders_are_its_aranges():
    assert np.array_equal(bins(12.3, 99.7, 0.7, "isf").edges, np.arange(12.3, 99.7 + 0.7, 0.7))
    assert np.array_equal(bins(12.3, 99.7, 0.7, "isf_aligned").edges, np.arange(17 * 0.7, 143 * 0.7, 0.7))
    assert bins(-2.5, 5.0, 1.0, "isf_aligned").start == -3.0


def test_our_bins_are_whole_and_end_in_time():
    assert bins(245.0, 300.0, 0.1).edges[-1] == pytest.approx(300.0)
    assert bins(0.0, 10.0, 3.0).edges.tolist() == [0.0, 3.0, 6.0, 9.0]
