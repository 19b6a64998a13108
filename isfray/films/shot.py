"""One trial as it is asked to be shown: found and checked, simulated again, made into scenes and into a film."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from isfray.analysis import run_tables
from isfray.arrays import F64
from isfray.catalog import Catalog
from isfray.check import number
from isfray.errors import InputError
from isfray.films.film import Film, Kind, write_whole
from isfray.films.flashes import Flashes, check_groups, flashes
from isfray.films.scene2d import scene_2d
from isfray.films.scene3d import scene_3d
from isfray.films.style import Style
from isfray.look.segments import SomaTrace
from isfray.look.stimulus import shown_time
from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel
from isfray.runs import session
from isfray.runs.frames import Scene, render, simulate_again
from isfray.runs.progress import Steps
from isfray.runs.replay import Replay, Replayed, read_replay

AROUND = 25.0
"""A film shows this much before and after the stimulus unless told otherwise, ms."""

_MOST_FRAMES = 100_000


@dataclass(frozen=True)
class Shot:
    """One trial, the times at which it is looked at, and how.

    Attributes
    ----------
    run : str
    trial : int
    cell : CellModel
    network : NetworkModel or None
    times : ndarray, shape (frames,)
        ms.
    window : tuple of float
        First and last time, ms.
    stimulus : float or None
        ms.
    replay : Replay
    style : Style
    """

    run: str
    trial: int
    cell: CellModel
    network: NetworkModel | None
    times: F64
    window: tuple[float, float]
    stimulus: float | None
    replay: Replay
    style: Style

    @property
    def label(self) -> str:
        """What the variable is called on an axis."""
        traces = self.replay.variable
        if traces == "v":
            return "Membrane potential (mV)"
        return f"{traces} ({self.replay.unit})" if self.replay.unit else traces

    @property
    def releases(self) -> pl.DataFrame | None:
        """The stored releases that are simulated again."""
        rows = self.replay.releases
        return None if rows is None else pl.DataFrame(rows)

    @contextmanager
    def ray(self) -> Iterator[None]:
        """Be connected to Ray, with the mechanisms built before one is started here."""
        if session.would_start():
            self.replay.factory.engine.prepare(self.replay.factory.cell.mechanisms)
        session.join(self.style.workers)
        try:
            yield
        finally:
            session.leave()

    def again(self) -> Replayed:
        """Simulate the trial again."""
        with self.ray():
            return simulate_again(self.replay)[1]

    def film(self, scene: Callable[[Replayed], Scene], path: Path, kind: Kind, fps: float) -> Film:
        """Simulate the trial again, draw every frame of it, write the film."""
        times = [float(t) for t in self.times]
        title = f"{self.run}, trial {self.trial}, {self.window[0]:g} to {self.window[1]:g} ms"
        with self.ray(), Steps(len(times), "frame", path.name, show=self.style.progress) as bar:
            bar.note(f"simulating trial {self.trial} again")
            ref, replayed = simulate_again(self.replay)
            made = scene(replayed)
            bar.note("")
            frames = render(made, ref, len(times), kind.pack, bar.update)
            write_whole(path, lambda part: kind.write(part, frames, times, fps, title))
        return Film(path, tuple(times), float(fps), self.style.look.size, replayed.compared)

    def scene_2d(self, replayed: Replayed) -> Scene:
        """Return what draws frames against soma distance."""
        limits = self.style.limits or extremes(replayed, margin=0.03)
        return scene_2d(**self._shown(replayed), limits=limits)

    def scene_3d(self, replayed: Replayed, limits: tuple[float, float] | None = None, turn: float = 0.0) -> Scene:
        """Return what draws frames in space; `limits` if the style has none."""
        style = self.style
        return scene_3d(
            **self._shown(replayed),
            limits=style.limits or limits,
            cmap=style.cmap,
            azimuth=style.azimuth,
            elevation=style.elevation,
            thickness=style.thickness,
            turn=turn,
        )

    def _shown(self, replayed: Replayed) -> dict[str, Any]:
        """What either kind of frame shows."""
        return {
            "cell": self.cell,
            "traces": replayed.traces,
            "releasing": self._flashes(),
            "look": self.style.look,
            "soma": self._soma(replayed),
            "stimulus": self.stimulus,
            "axon": self.style.axon,
            "label": self.label,
        }

    def _soma(self, replayed: Replayed) -> SomaTrace | None:
        return replayed.soma if self.style.trace and len(replayed.soma.time) > 1 else None

    def _flashes(self) -> Flashes:
        times = self.times
        step = float(times[1] - times[0]) if len(times) > 1 else 0.0
        return flashes(
            self.releases,
            self.cell.geometry,
            self.network,
            (float(times[0]), float(times[-1])),
            by=self.style.by,
            colours=self.style.colours,
            duration=max(float(self.style.flash), step),
            theme=self.style.look.theme,
        )


def shot(
    catalog: Catalog | str | os.PathLike[str],
    run: str,
    trial: int,
    style: Style | None = None,
    *,
    t_start: float | None = None,
    t_stop: float | None = None,
    t_step: float = 0.2,
    at: float | None = None,
) -> Shot:
    """Find the trial and the times of a film, or of a still `at` one time.

    Raises
    ------
    InputError
        If the run, the trial or the variable is not there, the times are none of the trial's, or the network has no
        such groups of synapses: before anything is started.
    """
    style = style or Style()
    catalog = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    tables = run_tables(catalog, run)
    trial = tables.finished("trial", trial)
    row = tables.scan("trials", trial).select("t_stop", "dt").collect()
    length, dt = float(row["t_stop"][0]), float(row["dt"][0])
    cell, network = catalog.load_models(run)
    stimulus = shown_time(style.stimulus, network)
    if at is not None:
        begin, end, times = _moment(at, length)
    else:
        begin, end, times = _frames(t_start, t_stop, t_step, dt, length, stimulus)
    replay = read_replay(
        catalog,
        tables,
        (cell, network),
        trial,
        times,
        end,
        begin=begin,
        variable=style.variable,
        tolerance=style.tolerance,
    )
    check_groups(network, style.by, style.colours)
    return Shot(run, trial, cell, network, times, (begin, end), stimulus, replay, style)


def extremes(replayed: Replayed, margin: float = 0.0) -> tuple[float, float]:
    """Least and greatest value of all segments and samples in the window, and a share of their distance beyond."""
    low, high = float(np.nanmin(replayed.low)), float(np.nanmax(replayed.high))
    if high <= low:
        low, high = low - max(abs(low), 1e-6) / 2, high + max(abs(high), 1e-6) / 2
    return low - margin * (high - low), high + margin * (high - low)


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
