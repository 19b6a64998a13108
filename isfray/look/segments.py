"""What every segment of a cell did during one trial: what films and pages are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isfray.arrays import F64


@dataclass(frozen=True)
class SegmentTraces:
    """A variable in every segment, frame by frame.

    Attributes
    ----------
    times : ndarray, shape (frames,)
        ms.
    values : ndarray of float32, shape (frames, segments)
        Segments section by section, from the 0-end to the 1-end, as `cell.geometry` has them;
        nan where a segment lacks the variable.
    variable : str
        "v", or a range variable such as "Ca_HVA.ica".
    unit : str
        Of the values, such as "mV".
    """

    times: NDArray[np.float64]
    values: NDArray[np.float32]
    variable: str = "v"
    unit: str = "mV"


@dataclass(frozen=True)
class SomaTrace:
    """Voltage of the soma.

    Attributes
    ----------
    time : ndarray, shape (samples,)
        ms.
    voltage : ndarray, shape (samples,)
        mV.
    """

    time: F64
    voltage: F64
