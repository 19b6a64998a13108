"""Intervals around proportions and statistics of trials."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from isfray.arrays import F64
from isfray.check import number, whole

_DRAWN_AT_ONCE = 4_000_000
_MOST_PAIRS, _MOST_RESAMPLES = 10_000_000, 10_000_000


def normal_quantile(confidence: float) -> float:
    """Return how many standard deviations either side hold this fraction of a normal distribution."""
    return NormalDist().inv_cdf((1 + number("confidence", confidence, above=0.0, below=1.0)) / 2)


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, J Am Stat Assoc 22:209).

    Parameters
    ----------
    successes, n : int
    confidence : float
        Between 0 and 1.

    Returns
    -------
    float, float

    Raises
    ------
    InputError
        If the confidence is no fraction.

    Examples
    --------
    >>> [round(p, 3) for p in analysis.wilson(81, 263)]
    [0.255, 0.366]
    """
    n = whole("n", n, 1)
    z, p = normal_quantile(confidence), whole("successes", successes, 0, n) / n
    centre, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if successes == 0 else (centre - half) / scale
    high = 1.0 if successes == n else (centre + half) / scale
    return low, high


def newcombe(k1: int, n1: int, k2: int, n2: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the difference k2/n2 - k1/n1 of independent proportions (Newcombe 1998, Stat Med 17:873: 10).

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Successes and size of either sample.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    float, float

    Raises
    ------
    InputError
        If the confidence is no fraction.

    Examples
    --------
    >>> [round(p, 4) for p in analysis.newcombe(48, 80, 56, 70)]
    [0.0524, 0.3339]
    """
    (l1, u1), (l2, u2) = wilson(k1, n1, confidence), wilson(k2, n2, confidence)
    p1, p2 = k1 / n1, k2 / n2
    low = sqrt((p2 - l2) ** 2 + (u1 - p1) ** 2)
    high = sqrt((u2 - p2) ** 2 + (p1 - l1) ** 2)
    return p2 - p1 - low, p2 - p1 + high


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of paired yes/no outcomes from the pairs that differ (McNemar 1947, Psychometrika 12:153).

    Parameters
    ----------
    only_first, only_second : int
        Pairs in which only one of the two said yes.

    Returns
    -------
    float
        1 if no pair differs.

    Examples
    --------
    >>> round(analysis.mcnemar(1, 9), 4)
    0.0215
    """
    only_first, only_second = (whole("pairs", pairs, 0, _MOST_PAIRS) for pairs in (only_first, only_second))
    n = only_first + only_second
    if n == 0:
        return 1.0
    i = np.arange(1, min(only_first, only_second) + 1)
    log_binomials = np.r_[0.0, np.cumsum(np.log((n - i + 1) / i))] - n * np.log(2.0)
    return min(1.0, 2.0 * float(np.exp(log_binomials).sum()))


def bootstrap(
    values: F64,
    statistic: Callable[..., Any] = np.mean,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a statistic over resampled values (Efron 1979, Ann Stat 7:1); NaN for fewer than two.

    Parameters
    ----------
    values : ndarray, shape (n,)
    statistic : callable
        Takes an array and `axis`, such as `numpy.median`.
    confidence, resamples, seed
        Fraction within; how often to resample; of the random draws.

    Returns
    -------
    float, float

    Raises
    ------
    InputError
        If the confidence is no fraction.

    Examples
    --------
    >>> latencies = np.array([9.8, 10.4, 11.2, 10.1, 12.9])
    >>> [round(t, 1) for t in analysis.bootstrap(latencies, np.median)]
    [9.8, 12.9]
    """
    normal_quantile(confidence)  # checks it
    resamples, seed = whole("resamples", resamples, 1, _MOST_RESAMPLES), whole("seed", seed, 0)
    if len(values) < 2:
        return float("nan"), float("nan")
    rng, at_once = np.random.default_rng(seed), max(1, _DRAWN_AT_ONCE // len(values))
    found: list[F64] = []
    for start in range(0, resamples, at_once):
        drawn = rng.integers(0, len(values), (min(at_once, resamples - start), len(values)))
        found.append(np.asarray(statistic(values[drawn], axis=1)))
    low, high = np.quantile(np.concatenate(found), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
