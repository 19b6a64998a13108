"""What counts as a spike at a recorded place (docs/formats.md, Spike detection)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SOMA_THRESHOLD, DENDRITE_THRESHOLD = 0.0, -30.0
"""Voltages (mV) whose upward crossing is a spike, at the soma and elsewhere."""


def threshold(section: int) -> float:
    """Return the voltage (mV) whose upward crossing counts as a spike in a section; the soma is section 0."""
    return SOMA_THRESHOLD if section == 0 else DENDRITE_THRESHOLD


def detect_spikes(time: NDArray[Any], voltage: NDArray[Any], threshold: float) -> NDArray[np.float64]:
    """Return the times of spikes: `crossings` of a threshold in mV."""
    out: NDArray[np.float64] = time[crossings(voltage, threshold)]
    return out


def crossings(values: NDArray[Any], threshold: float) -> NDArray[np.int64]:
    """Return the indices of samples at or above a threshold whose predecessor is below; never the first."""
    above = values >= threshold
    return np.flatnonzero(above[1:] & ~above[:-1]) + 1
