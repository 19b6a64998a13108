"""The clock of samples: NEURON adds half a step at a time to t, in floating point (docs/formats.md, Integration)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from isfray.arrays import F64


def sample_times(n: int, t_start: float, dt: float) -> F64:
    """Return the times (ms) of n samples, one after each step from `t_start` on, as NEURON counts them."""
    return np.cumsum(np.r_[t_start, np.full(2 * max(n - 1, 0), dt / 2)])[::2][:n]


@lru_cache(maxsize=256)
def n_steps(t_stop: float, dt: float) -> int:
    """Return how many fixed steps NEURON takes while t < t_stop."""
    return int(np.searchsorted(sample_times(int(t_stop / dt) + 4, 0.0, dt)[1:], t_stop)) + 1


def n_samples(t_stop: float, dt: float) -> int:
    """Return how many samples a trial has: one at t = 0 and one after each step."""
    return n_steps(t_stop, dt) + 1
