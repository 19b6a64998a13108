"""What a sound trial is, said once: the simulator, the catalog's door and its verification all look with this.

A trial has a sample for every step of its time, the first of them at t = 0 from the cell's initial voltage; every
sample is a number, and a voltage is within one volt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

MOST_MV = 1000.0
"""Voltage (mV) beyond which an integration has diverged, on either side of zero; no membrane gets near."""
_SHOWN = 5  # wrong trials that a message tells about


class UnsoundTrialError(RuntimeError):
    """Trials that are not what they must be; they are not stored.

    Attributes
    ----------
    wrong : mapping of int to str
        By trial, what is wrong with it.
    """

    def __init__(self, wrong: Mapping[int, str]) -> None:
        self.wrong = dict(wrong)
        one = [f"trial {trial}: {fault}" for trial, fault in wrong.items()]
        super().__init__(one[0] if len(one) == 1 else f"trials {told(wrong)}")

    def __reduce__(self) -> tuple[type[UnsoundTrialError], tuple[dict[int, str]]]:
        return UnsoundTrialError, (self.wrong,)


def told(wrong: Mapping[int, str]) -> str:
    """Wrong trials with what is wrong with each, the first few of them."""
    first = [f"{trial} ({wrong[trial]})" for trial in sorted(wrong)[:_SHOWN]]
    return ", ".join(first) + (f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else "")


def first_fault(
    traces: Iterable[tuple[str, NDArray[np.float64]]],
    samples: int | None,
    *,
    dt: float,
    t_start: float = 0.0,
    start: float | None = None,
    most: float = math.inf,
    unit: str = "",
) -> str | None:
    """Return what is wrong with some traces of a trial, the earliest fault of all; None if nothing is.

    Parameters
    ----------
    traces : iterable of (str, ndarray of shape (samples,))
        What and where, such as `voltage at soma`, and its values.
    samples : int or None
        How many there must be; None if that is not known.
    dt, t_start : float
        Step, and time of the first sample, ms.
    start : float, optional
        What every trace begins with.
    most : float
        Largest value, on either side of zero.
    unit : str
        What the values are counted in.
    """
    found: list[tuple[int, str]] = []
    for what, values in traces:
        if len(values) != samples if samples is not None else not len(values):
            of = "" if samples is None else f" of {samples}"
            found.append((-1, f"{what} has {len(values)} sample{'s' * (len(values) != 1)}{of}"))
        elif start is not None and values[0] != start:
            found.append((0, f"{what} begins with {values[0]:.6g} {unit} instead of {start:g} {unit}"))
        elif not (-most <= (low := values.min()) and values.max() <= most and math.isfinite(low + values.max())):
            at = int(np.argmax(~(np.isfinite(values) & (np.abs(values) <= most))))
            value, time = float(values[at]), t_start + at * dt
            number = f"reaches {value:.4g} {unit}" if math.isfinite(value) else f"is {value}"
            found.append((at, f"{what} {number.strip()} at {time:.10g} ms"))
    return min(found, key=lambda fault: fault[0])[1] if found else None


def times_fault(what: str, times: NDArray[np.float64], t_stop: float) -> str | None:
    """Return what is wrong with times (ms) of events of a trial that ends at `t_stop`; None if nothing is."""
    if not len(times) or (times.min() >= 0 and times.max() <= t_stop):
        return None
    strange = float(times[np.argmax(~((times >= 0) & (times <= t_stop)))])
    return f"{what} at {strange:g} ms is not within the {t_stop:g} ms of the trial"
