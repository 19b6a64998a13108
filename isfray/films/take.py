"""One trial as it is asked to be drawn: found, simulated again, made into scenes and into a film."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from isfray.catalog import Catalog
from isfray.engine.neuron.integration import prepare
from isfray.films.film import Film, Kind, write_whole
from isfray.films.flashes import FLASH, Flashes, check_groups, flashes
from isfray.films.scene2d import scene_2d
from isfray.films.scene3d import scene_3d
from isfray.films.shot import Shot, shot
from isfray.films.style import Common, Eye, Style3D, checked
from isfray.look.canvas import Look
from isfray.look.segments import SomaTrace
from isfray.runs import session
from isfray.runs.frames import Scene, render, simulate_again
from isfray.runs.progress import Steps
from isfray.runs.replay import TOLERANCE, Replayed

Limits = tuple[float, float]
SceneOf = Callable[[Replayed], Scene]


@dataclass(frozen=True)
class Take:
    """What is drawn, and how.

    Attributes
    ----------
    shown : Shot
        The trial and the times.
    how : Look
        Size and colours.
    given : mapping
        The style as asked for, with its defaults where they differ between films.
    """

    shown: Shot
    how: Look
    given: Common | Style3D

    @contextmanager
    def ray(self) -> Iterator[None]:
        """Be connected to Ray, with the mechanisms built before one is started here."""
        if session.would_start():
            factory = self.shown.replay.factory
            prepare(factory.engine, factory.cell.mechanisms)
        session.join(self.given.get("workers"))
        try:
            yield
        finally:
            session.leave()

    def again(self) -> Replayed:
        """Simulate the trial again."""
        with self.ray():
            return simulate_again(self.shown.replay)[1]

    def film(self, scene: SceneOf, path: Path, kind: Kind, fps: float) -> Film:
        """Simulate the trial again, draw every frame of it, write the film."""
        shown, times = self.shown, [float(t) for t in self.shown.times]
        title = f"{shown.run}, trial {shown.trial}, {shown.window[0]:g} to {shown.window[1]:g} ms"
        show = self.given.get("progress", True)
        with self.ray(), Steps(len(times), "frame", path.name, show=show) as bar:
            bar.note(f"simulating trial {shown.trial} again")
            ref, replayed = simulate_again(shown.replay)
            made = scene(replayed)
            bar.note("")
            frames = render(made, ref, len(times), kind.pack, bar.update)
            write_whole(path, lambda part: kind.write(part, frames, times, fps, title))
        return Film(path, tuple(times), float(fps), self.how.size, replayed.compared)

    def scene_2d(self, replayed: Replayed, limits: Limits) -> Scene:
        """Return what draws frames against soma distance."""
        return scene_2d(**self._shown(replayed), limits=limits)

    def scene_3d(self, replayed: Replayed, limits: Limits | None, turn: float = 0.0) -> Scene:
        """Return what draws frames in space."""
        eye = {key: self.given[key] for key in Eye.__annotations__ if key in self.given}  # type: ignore[literal-required]
        return scene_3d(**self._shown(replayed), limits=limits, turn=turn, **eye)

    def _shown(self, replayed: Replayed) -> dict[str, Any]:
        """What either kind of frame shows."""
        return {
            "cell": self.shown.cell,
            "traces": replayed.traces,
            "releasing": self._releases(),
            "look": self.how,
            "soma": self._soma(replayed),
            "stimulus": self.shown.stimulus,
            "axon": self.given.get("axon", False),
            "label": self.shown.label,
        }

    @property
    def release_rows(self) -> pl.DataFrame | None:
        """The stored releases that are simulated again."""
        rows = self.shown.replay.releases
        return None if rows is None else pl.DataFrame(rows)

    def _soma(self, replayed: Replayed) -> SomaTrace | None:
        return replayed.soma if self.given.get("trace", True) and len(replayed.soma.time) > 1 else None

    def _releases(self) -> Flashes:
        times = self.shown.times
        step = float(times[1] - times[0]) if len(times) > 1 else 0.0
        return flashes(
            self.release_rows,
            self.shown.cell.geometry,
            self.shown.network,
            (float(times[0]), float(times[-1])),
            by=self.given["by"],
            colours=self.given.get("colours"),
            duration=max(float(self.given.get("flash", FLASH)), step),
            theme=self.how.theme,
        )


def take(
    catalog: Catalog | str | os.PathLike[str], run: str, trial: int, given: Common | Style3D, **when: float | None
) -> Take:
    """Find what is asked for; InputError before anything is started if it cannot be drawn."""
    how = checked(given)
    shown = shot(
        catalog,
        run,
        trial,
        variable=given.get("variable", "v"),
        stimulus=given.get("stimulus", "network"),
        tolerance=given.get("tolerance", TOLERANCE),
        **when,  # type: ignore[arg-type]
    )
    if "by" in given:
        check_groups(shown.network, given["by"], given.get("colours"))
    return Take(shown, how, given)


def extremes(replayed: Replayed, margin: float = 0.0) -> Limits:
    """Least and greatest value of all segments and samples in the window, and a share of their distance beyond."""
    low, high = float(np.nanmin(replayed.low)), float(np.nanmax(replayed.high))
    if high <= low:
        low, high = low - max(abs(low), 1e-6) / 2, high + max(abs(high), 1e-6) / 2
    return low - margin * (high - low), high + margin * (high - low)
