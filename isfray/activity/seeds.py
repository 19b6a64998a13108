"""Seeds: every trial, and within it every population and every kind of draw, has its own random stream.

A stream depends on the trial's seed, the population's name and what is drawn, and on nothing else. So a trial is the
same wherever and in whatever order it is drawn, changing or removing one population leaves all others as they were, and
changing a release probability leaves the spikes as they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from isfray.check import whole

U32 = NDArray[np.uint32]


class Stage(IntEnum):
    """What a stream is for; part of its key."""

    SPIKETRAIN = 0
    POINTCELL = 1
    RELEASE = 2
    WEIGHT = 3


Key = tuple[str, Stage, int]
"""Of a stream: the population's name, what is drawn, and which of several draws of that kind."""


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
    entropy, key = whole("seed", run_seed, 0), whole("trial", trial, 0)
    sequence = np.random.SeedSequence(entropy, spawn_key=(key,))
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


def streams(seed: int, keys: tuple[Key, ...]) -> Iterator[np.random.Generator]:
    """Yield `stream(seed, *key)` of every key, in a fraction of the time: a trial has hundreds.

    Parameters
    ----------
    seed : int
        Seed of the trial, 0 <= seed < 2**64.
    keys : tuple of Key
        What follows from them alone is kept for the next trial.
    """
    for words in _seed_words(seed, keys):
        yield np.random.Generator(np.random.PCG64(_Words(words)))  # type: ignore[arg-type]  # any ISeedSequence


class _Words(ISeedSequence):
    """A seed sequence of which the first four words of 64 bits are known."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        return self.words


# numpy's SeedSequence (M. E. O'Neill's seed_seq_fe on a pool of four words), for many keys at once.
def _powers(first: int, factor: int, count: int) -> U32:
    return np.array([first * pow(factor, i, 2**32) % 2**32 for i in range(count)], np.uint32)


_FOR_ENTROPY, _FOR_STATE = _powers(0x43B0D7E5, 0x931E8875, 57), _powers(0x8B51F9DD, 0x58F38DED, 9)


def _hashed(words: U32, constants: U32, nth: int) -> U32:
    words = (words ^ constants[nth]) * constants[nth + 1]
    return words ^ words >> np.uint32(16)


def _mixed(into: U32, hashed: U32) -> U32:
    mixed: U32 = into * np.uint32(0xCA01F9DD) - hashed * np.uint32(0x4973F715)
    return mixed ^ mixed >> np.uint32(16)


def _seed_words(seed: int, keys: tuple[Key, ...]) -> NDArray[np.uint64]:
    """Return the four words of every key: uint64[keys, 4]."""
    entropy = np.array([[seed & 0xFFFFFFFF], [seed >> 32], [0], [0]], np.uint32)
    pool = [_hashed(entropy[i], _FOR_ENTROPY, i) for i in range(4)]
    nth = 4
    for i in range(4):
        for k in range(4):
            if i != k:
                pool[k] = _mixed(pool[k], _hashed(pool[i], _FOR_ENTROPY, nth))
                nth += 1
    for word in _hashed_keys(keys):
        pool = [_mixed(into, hashed) for into, hashed in zip(pool, word, strict=True)]
    state = np.stack([_hashed(pool[k % 4], _FOR_STATE, k) for k in range(8)], axis=1).astype(np.uint64)
    return state[:, ::2] | state[:, 1::2] << np.uint64(32)


@lru_cache(maxsize=16)
def _hashed_keys(keys: tuple[Key, ...]) -> U32:
    """Every word of the keys, as hashed for every word of the pool: uint32[words, 4, keys]."""
    words = np.array([[*_name_words(name), stage, index] for name, stage, index in keys], np.uint32).reshape(-1, 10).T
    return np.array(
        [[_hashed(word, _FOR_ENTROPY, 16 + 4 * i + k) for k in range(4)] for i, word in enumerate(words)], np.uint32
    )


@lru_cache(maxsize=4096)
def _name_words(name: str) -> NDArray[np.uint32]:
    return np.frombuffer(hashlib.sha256(name.encode()).digest(), "<u4").astype(np.uint32)


def check_seed(seed: int) -> None:
    """Raise InputError unless `seed` is a trial's seed."""
    whole("seed", seed, 0, 2**64 - 1)
