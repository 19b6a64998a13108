"""Seeds: a trial's streams follow from its run, number, population and kind of draw, and from nothing else."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray.activity import trial_seed
from isfray.activity.seeds import Stage, stream, streams
from isfray.errors import InputError


@given(st.integers(0, 2**128), st.integers(0, 2**31))
def test_a_trial_seed_is_that_of_numpys_spawned_sequence(run_seed: int, trial: int):
    expected = np.random.SeedSequence(run_seed, spawn_key=(trial,)).generate_state(1, np.uint64)[0]
    assert trial_seed(run_seed, trial) == expected


@given(st.integers(0, 2**64 - 1), st.text(max_size=20), st.sampled_from(Stage), st.integers(0, 9))
def test_a_stream_is_that_of_the_documented_spawn_key(seed: int, name: str, stage: Stage, index: int):
    digest = hashlib.sha256(name.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)]
    sequence = np.random.SeedSequence(seed, spawn_key=(*words, stage, index))
    expected = np.random.Generator(np.random.PCG64(sequence)).random(5)
    assert np.array_equal(stream(seed, name, stage, index).random(5), expected)


@given(
    st.integers(0, 2**64 - 1),
    st.lists(st.tuples(st.text(max_size=20), st.sampled_from(Stage), st.integers(0, 9)), max_size=5),
)
def test_streams_made_together_are_those_made_one_by_one(seed: int, keys: list[tuple[str, Stage, int]]):
    together = [rng.random(3) for rng in streams(seed, tuple(keys))]
    assert np.array_equal(
        np.reshape(together, (-1, 3)), np.reshape([stream(seed, *key).random(3) for key in keys], (-1, 3))
    )


def test_ten_thousand_trials_of_neighbouring_runs_share_no_seed():
    assert len({trial_seed(run, trial) for run in (0, 1) for trial in range(5000)}) == 10_000


def test_no_two_streams_of_a_trial_are_alike():
    first = [stream(7, name, stage, index).random() for name in ("A", "B") for stage in Stage for index in range(3)]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize(("seed", "trial"), [(-1, 0), (1.5, 0), (True, 0), (0, -1), (0, "3")])
def test_a_seed_or_trial_that_is_none_is_refused(seed, trial):
    with pytest.raises(InputError, match=r"(seed|trial) = .* expected a whole number of at least 0"):
        trial_seed(seed, trial)
