"""Which trials are asked for: checked, and costing by what is stored, never by how many numbers are named."""

from __future__ import annotations

import tracemalloc
import uuid

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.analysis import run_tables
from isfray.catalog import Catalog
from isfray.catalog.log import numbers
from isfray.catalog.scan import holding
from isfray.errors import InputError
from tests.catalog.synthetic import batch, spec
from tests.catalog.test_catalog import RUN

THERE = (0, 1, 2, 5, 6, 9, 10, 11, 12, 20)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    catalog = Catalog(f"memory://{uuid.uuid4()}/r")
    catalog.open_run(spec())
    for some in (THERE[:4], THERE[4:7], THERE[7:]):
        catalog.commit(RUN, batch(some, synapses=2, cells=2, samples=3))
    return catalog


def found(catalog: Catalog, trials) -> list[int]:
    return catalog.scan("trials", RUN, trials).select(pl.col("trial").sort()).collect()["trial"].to_list()


@given(st.builds(range, st.integers(0, 25), st.integers(0, 25), st.sampled_from([-7, -3, -2, -1, 1, 2, 3, 7])))
def test_a_range_of_any_step_holds_what_its_numbers_hold(catalog, trials):
    wanted = sorted(set(trials) & set(THERE))
    assert found(catalog, trials) == found(catalog, list(trials)) == wanted
    of_run = run_tables(catalog, RUN)
    assert of_run.scan("trials", trials).collect().height == len(wanted)
    if wanted:
        assert run_tables(catalog, RUN, trials).trials.tolist() == wanted


@given(st.builds(range, st.integers(0, 25), st.integers(0, 25), st.integers(1, 7)))
def test_files_without_any_of_the_trials_are_not_opened(catalog, trials):
    files = [file for commit in catalog.snapshot(RUN).commits[RUN] for file in commit.files]
    holders = [file for file in files if set(trials) & set(numbers(file.trials).tolist())]
    assert holding(files, trials) == holding(files, list(trials)) == holders


@pytest.mark.parametrize(
    "trials",
    [
        2**40,
        2**31,
        -1,
        [0, 2**32],
        [0, -1],
        np.array([2**40]),
        np.array([2**63], dtype=np.uint64),
        range(10**12),
        range(-1, 5),
        range(5, -2, -1),
        True,
        [0, True],
        np.array([True, False]),
        1.0,
        [0.0],
        np.array([0.5]),
        float("nan"),
        "0",
        "",
        ["0"],
        {0},
        [None],
        10**400,
    ],
    ids=repr,
)
def test_what_cannot_be_a_trial_number_is_refused_in_one_line(catalog, trials):
    for ask in (
        lambda: catalog.scan("trials", RUN, trials),
        lambda: run_tables(catalog, RUN, trials),
        lambda: run_tables(catalog, RUN).scan("trials", trials),
    ):
        with pytest.raises(
            InputError, match=r"trials = .* is none of the possible trial numbers; expected whole n"
        ) as e:
            ask()
        assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "trials", [[], (), range(0), np.array([]), np.array([], dtype=np.int64), range(5, 2)], ids=repr
)
def test_no_trials_are_no_rows(catalog, trials):
    assert found(catalog, trials) == []


@pytest.mark.parametrize(
    "trials", [3, np.int64(5), [np.uint8(6), 9], np.array(5), np.array([9, 5, 5]), pl.Series([1, 2])]
)
def test_numbers_of_numpy_and_of_polars_are_trial_numbers(catalog, trials):
    assert found(catalog, trials) == sorted(set(np.atleast_1d(np.asarray(trials)).tolist()) & set(THERE))


@pytest.mark.parametrize("trials", [range(2**31), range(0, 2**31, 2), range(2**31 - 1, -1, -1)], ids=repr)
def test_a_huge_range_takes_no_memory(catalog, trials):
    tracemalloc.start()
    try:
        assert found(catalog, trials) == [t for t in THERE if t in trials]
        assert run_tables(catalog, RUN, trials).n_trials == len([t for t in THERE if t in trials])
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
