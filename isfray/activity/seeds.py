"""Seeds: every trial, and within it every population and every kind of draw, has its own random stream.

A stream depends on the trial's seed, the population's name and what is drawn, and on nothing else. So a trial is the
same wherever and in whatever order it is drawn, changing or removing one population leaves all others as they were, and
changing a release probability leaves the spikes as they were.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isfray.model.errors import InputError


class Stage(IntEnum):
    """What a stream is for; part of its key."""

    SPIKETRAIN = 0
    POINTCELL = 1
    RELEASE = 2
    WEIGHT = 3


def trial_seed(run_seed: int, trial: int) -> int:
    """Return the seed of one trial of a run: 64 bits that identify all of its input.

    Parameters
    ----------
    run_seed : int
        Seed of the run, >= 0.
    trial : int
        Number of the trial, >= 0.

    Returns
    -------
    int
        64 bits: what `numpy.random.SeedSequence(run_seed, spawn_key=(trial,))` gives.

    Raises
    ------
    InputError
        If either is no whole number, or below 0.

    Examples
    --------
    >>> isfray.trial_seed(7, trial=0)
    3386250816931739734
    """
    _check_whole("seed", run_seed)
    _check_whole("trial", trial)
    sequence = np.random.SeedSequence(run_seed, spawn_key=(trial,))
    return int(sequence.generate_state(1, np.uint64)[0])


def stream(seed: int, population: str, stage: Stage, index: int = 0) -> np.random.Generator:
    """Return the random stream of one population for one kind of draw.

    Its state is that of `SeedSequence(seed, spawn_key=(*sha256(name) as 8 little-endian words, stage, index))`.

    Parameters
    ----------
    seed : int
        Seed of the trial, 0 <= seed < 2**64.
    population : str
        Name of the population.
    stage : Stage
        What is drawn.
    index : int
        Which of several draws of that kind: the nth component, or the nth receptor.
    """
    words = np.empty(14, np.uint32)
    words[:4] = (
        seed & 0xFFFFFFFF,
        seed >> 32,
        0,
        0,
    )  # as SeedSequence lays out entropy before a spawn key, in 1/3 the time
    words[4:12] = _name_words(population)
    words[12:] = stage, index
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


@lru_cache(maxsize=4096)
def _name_words(name: str) -> NDArray[np.uint32]:
    return np.frombuffer(hashlib.sha256(name.encode()).digest(), "<u4").astype(np.uint32)


def check_seed(seed: int) -> None:
    """Raise InputError unless `seed` is a trial's seed."""
    _check_whole("seed", seed, "an integer from 0 to 2**64 - 1", limit=2**64)


def _check_whole(key: str, value: int, expected: str = "an integer >= 0", limit: int | None = None) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < 0 or (limit is not None and value >= limit):
        raise InputError("is not valid", key=key, value=value, expected=expected)
