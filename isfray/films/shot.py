"""What a film is to show, checked before anything is started."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np

from isfray.analysis import RunTables, run_tables
from isfray.arrays import F64
from isfray.catalog import Catalog
from isfray.check import number
from isfray.errors import InputError
from isfray.figures.histogram import Stimulus
from isfray.figures.models import shown_time
from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel
from isfray.runs.replay import TOLERANCE, Replay, read_replay

AROUND = 25.0
"""A film shows this much before and after the stimulus unless told otherwise, ms."""


_MOST_FRAMES = 100_000


@dataclass(frozen=True)
class Shot:
    """One trial and the times at which it is looked at.

    Attributes
    ----------
    run : str
    trial : int
    cell : CellModel
    network : NetworkModel or None
    tables : RunTables
    times : ndarray, shape (frames,)
        ms.
    window : tuple of float
        First and last time, ms.
    stimulus : float or None
        ms.
    replay : Replay
    """

    run: str
    trial: int
    cell: CellModel
    network: NetworkModel | None
    tables: RunTables
    times: F64
    window: tuple[float, float]
    stimulus: float | None
    replay: Replay

    @property
    def label(self) -> str:
        """What the variable is called on an axis."""
        traces = self.replay.variable
        if traces == "v":
            return "Membrane potential (mV)"
        return f"{traces} ({self.replay.unit})" if self.replay.unit else traces


def shot(
    catalog: Catalog | str | os.PathLike[str],
    run: str,
    trial: int,
    *,
    t_start: float | None = None,
    t_stop: float | None = None,
    t_step: float = 0.2,
    at: float | None = None,
    variable: str = "v",
    stimulus: Stimulus = "network",
    tolerance: float = TOLERANCE,
) -> Shot:
    """Find the trial and the times of a film, or of a still `at` one time.

    Raises
    ------
    InputError
        If the run, the trial or the variable is not there, or the times are none of the trial's.
    """
    catalog = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    tables = run_tables(catalog, run)
    trial = tables.finished("trial", trial)
    row = tables.scan("trials", trial).select("t_stop", "dt").collect()
    length, dt = float(row["t_stop"][0]), float(row["dt"][0])
    cell, network = catalog.load_models(run)
    touched = shown_time(stimulus, network)
    if at is not None:
        begin, end, times = _moment(at, length)
    else:
        begin, end, times = _frames(t_start, t_stop, t_step, dt, length, touched)
    replay = read_replay(
        catalog, tables, (cell, network), trial, times, end, begin=begin, variable=variable, tolerance=tolerance
    )
    return Shot(run, trial, cell, network, tables, times, (begin, end), touched, replay)


def _moment(at: float, length: float) -> tuple[float, float, F64]:
    at = number("t", at, least=0.0, most=length, unit="ms")
    return max(0.0, at - AROUND), min(length, at + AROUND), np.array([at])


def _frames(
    t_start: float | None, t_stop: float | None, t_step: float, dt: float, length: float, stimulus: float | None
) -> tuple[float, float, F64]:
    """Times of the frames: from the start on, the end excluded."""
    there = stimulus is not None and 0 < stimulus < length
    middle = stimulus if there and stimulus is not None else length / 2
    around = AROUND if there else length / 2
    begin = max(0.0, middle - around) if t_start is None else number("t_start", t_start, unit="ms")
    end = min(length, middle + around) if t_stop is None else number("t_stop", t_stop, unit="ms")
    if not 0 <= begin < length:
        raise InputError("is no time of the trial", key="t_start", value=begin, expected=f"0 to {length:g} ms")
    if end > length + 1e-9:
        raise InputError("is after the trial's end", key="t_stop", value=end, expected=f"at most {length:g} ms")
    if end <= begin:
        raise InputError("is not after t_start", key="t_stop", value=end, expected=f"above {begin:g} ms")
    t_step = number("t_step", t_step, above=0.0, unit="ms")
    if t_step < dt - 1e-12:
        raise InputError(
            "is shorter than a step of the simulation", key="t_step", value=t_step, expected=f">= {dt:g} ms"
        )
    count = max(1, math.ceil((end - begin) / t_step - 1e-6))
    if count > _MOST_FRAMES:
        raise InputError(f"makes {count:,} frames", key="t_step", value=t_step, expected=f"at most {_MOST_FRAMES:,}")
    return begin, end, np.array([begin + t_step * i for i in range(count)])
