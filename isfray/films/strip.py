"""The soma's voltage over the time of a film, with a cursor, and the clock above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from isfray.arrays import F64, U8
from isfray.look.canvas import Box, Look, axes, bar, disc, drawn, points, rgb, text
from isfray.look.segments import SomaTrace


@dataclass(frozen=True)
class Strip:
    """The part of the picture that shows the soma's voltage: pale what is to come, in ink what has been.

    Attributes
    ----------
    trace : SomaTrace
    past : ndarray of uint8, shape (height, width, 3)
        The strip as it is at the end.
    corner : tuple of int
        Its left column and upper row.
    line : tuple of float
        Column at time 0 and columns per ms; row at 0 mV and rows per mV.
    room : Box
        Of the axes.
    """

    look: Look
    trace: SomaTrace
    past: U8
    corner: tuple[int, int]
    line: tuple[float, float, float, float]
    room: Box

    def paint(self, picture: U8, time: float) -> None:
        """Draw the strip as it is at a time, ms."""
        column, per_ms, row, per_mv = self.line
        left, top, right, bottom = self.room
        x = float(np.clip(column + per_ms * time, left, right))
        upto = round(x) - self.corner[0]
        height = len(self.past)
        picture[self.corner[1] : self.corner[1] + height, self.corner[0] : self.corner[0] + upto] = self.past[:, :upto]
        ink, paper, unit = rgb(self.look.theme.ink), rgb(self.look.theme.paper), self.look.unit
        bar(picture, (x - 0.5 * unit, top, x + 0.5 * unit, bottom), ink, alpha=0.45)
        here = min(int(np.searchsorted(self.trace.time, time + 1e-9, side="right")), len(self.trace.time)) - 1
        disc(picture, x, row + per_mv * float(self.trace.voltage[max(here, 0)]), 3.4 * unit, ink, paper)


def strip(figure: Figure, look: Look, box: Box, trace: SomaTrace, stimulus: float | None) -> Line2D:
    """Draw the axes and the whole trace, pale, onto the figure; `finish` makes the strip of it."""
    ax = axes(figure, look, box)
    ax.set(xlim=(trace.time[0], trace.time[-1]), xlabel="Time (ms)", ylabel="Soma (mV)", label="strip")
    low, high = float(trace.voltage.min()), float(trace.voltage.max())
    ax.set_ylim(low - 0.06 * (high - low) - 1, high + 0.06 * (high - low) + 1)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_locator(MaxNLocator(4 if box[3] - box[1] > 100 * look.unit else 3))
    if stimulus is not None and trace.time[0] <= stimulus <= trace.time[-1]:
        dashes = {"linewidth": points(1.2 * look.unit), "linestyle": (0, (3, 2)), "color": look.theme.ink}
        ax.axvline(stimulus, **dashes)  # type: ignore[arg-type]
        ax.annotate(
            "stimulus",
            (stimulus, 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, points(4 * look.unit)),
            textcoords="offset points",
            ha="center",
            fontsize=points(12 * look.unit),
            color=look.theme.ink,
        )
    (line,) = ax.plot(trace.time, trace.voltage, color=look.theme.muted, linewidth=points(1.3 * look.unit), alpha=0.55)
    return line


def finish(figure: Figure, look: Look, trace: SomaTrace | None, line: Line2D | None) -> tuple[U8, Strip | None]:
    """Return the picture of the figure with the pale trace, and the strip that moves on it, if there is a trace."""
    paper = drawn(figure)
    if trace is None or line is None:
        return paper, None
    ax = line.axes
    assert ax is not None
    line.set(color=look.theme.ink, alpha=1.0)
    past = drawn(figure)
    height = look.size[1]
    (left, low), (right, high) = ax.transAxes.transform([(0, 0), (1, 1)])
    corner, end = (int(left), int(height - high)), (int(np.ceil(right)), int(np.ceil(height - low)))
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    crop = past[corner[1] : end[1], corner[0] : end[0]].copy()
    room = (float(left), float(height - high), float(right), float(height - low))
    scale = (float(x0), float(x1 - x0), float(height - y0), float(y0 - y1))
    return paper, Strip(look, trace, crop, corner, scale, room)


@dataclass(frozen=True)
class Clock:
    """The time in large letters at a place (pixels), and below it how long before or after the stimulus (ms) it is."""

    look: Look
    place: tuple[float, float]
    decimals: int
    stimulus: float | None

    def paint(self, picture: U8, time: float) -> None:
        """Write a time, ms."""
        (x, y), unit, theme = self.place, self.look.unit, self.look.theme
        text(picture, x, y, f"{time:.{self.decimals}f} ms", rgb(theme.ink), 30 * unit)
        if self.stimulus is not None:
            after = round(time - self.stimulus, self.decimals)
            words = f"{abs(after):.{self.decimals}f} ms {'after' if after >= 0 else 'before'} the stimulus"
            text(picture, x, y + 24 * unit, words, rgb(theme.muted), 14 * unit)


def decimals(times: F64) -> int:
    """Return how many decimals tell the frames' times (ms) apart: up to 3."""
    return next((n for n in range(3) if np.allclose(times, np.round(times, n), atol=1e-6)), 3)
