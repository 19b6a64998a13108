"""A variable against soma distance, a line per branch, and the releases below: every frame of a 2D film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from isfray.arrays import F32, U8
from isfray.films.branches import Columns, columns, paths
from isfray.films.flashes import Flashes
from isfray.films.strip import Clock, Strip, decimals, finish, strip
from isfray.look.canvas import Box, Look, axes, bar, blank, disc, points, rgb
from isfray.look.segments import SegmentTraces, SomaTrace
from isfray.look.style import STRUCTURE_NAMES, STRUCTURES, colour_of
from isfray.model.cell import CellModel

_NAMED = 25  # groups of synapses at most, for their names to be written


@dataclass(frozen=True)
class Scene2D:
    """Everything but the values: small, and the same for all frames.

    Attributes
    ----------
    paper : ndarray of uint8, shape (height, width, 3)
        What stands still.
    lines : tuple of (Columns, colour)
        Branches of one structure each, those behind first.
    rows : tuple of float
        Row at value 0, and rows per unit.
    room : tuple of int
        First row of the axes, and the first below them.
    across : tuple of float
        Column at the soma, and columns per um.
    lanes : tuple of Box
        Room for the releases of each group.
    """

    look: Look
    paper: U8
    lines: tuple[tuple[Columns, F32], ...]
    rows: tuple[float, float]
    room: tuple[int, int]
    across: tuple[float, float]
    lanes: tuple[Box, ...]
    flashes: Flashes
    strip: Strip | None
    clock: Clock

    def frame(self, number: int, traces: SegmentTraces) -> U8:
        """Draw one frame; shape (height, width, 3)."""
        time, values = float(traces.times[number]), traces.values[number]
        picture, unit = self.paper.copy(), self.look.unit
        for branch, colour in self.lines:
            branch.paint(picture, values, self.rows, self.room, colour, 1.7 * unit)
        soma = self.rows[0] + self.rows[1] * float(values[0])
        if self.room[0] <= soma <= self.room[1]:
            ink, paper = rgb(self.look.theme.ink), rgb(self.look.theme.paper)
            disc(picture, self.across[0], soma, 5.5 * unit, ink, paper)
        shown, opacity = self.flashes.at(time)
        fills = [rgb(colour) for colour in self.flashes.colours]
        for i, alpha in zip(shown, opacity, strict=True):
            group = self.flashes.group[i]
            _, top, _, bottom = self.lanes[group]
            x = self.across[0] + self.across[1] * float(self.flashes.distance[i])
            bar(picture, (x - 0.8 * unit, top, x + 0.8 * unit, bottom), fills[group], alpha=float(alpha))
        if self.strip is not None:
            self.strip.paint(picture, time)
        self.clock.paint(picture, time)
        return picture


def scene_2d(
    cell: CellModel,
    traces: SegmentTraces,
    releasing: Flashes,
    look: Look,
    *,
    soma: SomaTrace | None = None,
    stimulus: float | None = None,
    limits: tuple[float, float] | None = None,
    axon: bool = False,
    label: str = "Membrane potential (mV)",
) -> Scene2D:
    """Prepare the frames of a film.

    Parameters
    ----------
    cell : CellModel
    traces : SegmentTraces
        All frames.
    releasing : Flashes
    look : Look
    soma : SomaTrace, optional
        Shown in a strip of its own.
    stimulus : float, optional
        ms.
    limits : tuple of float, optional
        Least and greatest value on the axis; by default all that the film shows.
    axon : bool
        Draw the artificial axon's myelin too.
    label : str
        Of the axis.
    """
    (width, height), unit, theme = look.size, look.unit, look.theme
    lines = paths(cell.geometry, axon=axon)
    labels = cell.morphology.labels
    shown = np.unique(np.concatenate([[0], *(line.segment for line in lines)]))
    low, high = limits or _limits(traces.values[:, shown])
    reach = max(float(line.distance[-1]) for line in lines)
    lane = _lane(len(releasing.names)) * unit
    below = len(releasing.names) * lane + (30 * unit if releasing.names else 0)
    box = (92 * unit, 204 * unit, width - 28 * unit, height - 62 * unit - below)
    figure = blank(look)
    ax = axes(figure, look, box)
    ax.set(xlim=(-0.012 * reach, 1.012 * reach), ylim=(low, high), ylabel=label, label="branches")
    structures = list(dict.fromkeys(labels[line.section] for line in lines))
    colours = {s: colour_of(s, STRUCTURES, theme) for s in structures}
    _legend(ax, look, colours)
    lanes = _lanes(ax, look, box, lane, releasing)
    line = None
    if soma is not None:
        above = (max(370 * unit, 0.4 * width), 34 * unit, width - 28 * unit, 112 * unit)
        line = strip(figure, look, above, soma, stimulus)
    paper, moving = finish(figure, look, soma, line)
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    across = (float(x0), float(x1 - x0))
    drawings = tuple(
        (columns([line for line in lines if labels[line.section] == s], *across), rgb(colours[s])) for s in structures
    )
    return Scene2D(
        look,
        paper,
        drawings,
        (float(height - y0), float(y0 - y1)),
        (int(box[1]), int(np.ceil(box[3]))),
        across,
        lanes,
        releasing,
        moving,
        Clock(look, (28 * unit, 62 * unit), decimals(traces.times), stimulus),
    )


def _lane(groups: int) -> float:
    """Height of a group's lane on a picture of 800: names are legible up to some 25 groups, beyond that not written."""
    return 26.0 if groups < 5 else max(11.5, 104 / groups) if groups <= _NAMED else 150 / groups


def _limits(values: F32) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.03 * (high - low) or max(abs(low) * 0.05, 1e-9)
    return low - margin, high + margin


def _legend(ax: Axes, look: Look, colours: dict[str, str]) -> None:
    thick = points(3 * look.unit)
    dot = {"marker": "o", "markersize": points(10 * look.unit), "linestyle": "none", "label": "soma"}
    handles = [Line2D([], [], color=look.theme.ink, **dot)]  # type: ignore[arg-type]
    handles += [Line2D([], [], color=c, linewidth=thick, label=STRUCTURE_NAMES.get(s, s)) for s, c in colours.items()]
    ax.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=len(handles),
        frameon=False,
        fontsize=points(13 * look.unit),
        labelcolor=look.theme.ink,
        handlelength=1.4,
        columnspacing=1.4,
        borderaxespad=0.1,
    )


def _lanes(ax: Axes, look: Look, box: Box, lane: float, releasing: Flashes) -> tuple[Box, ...]:
    """Make a lane below the axes for each group of synapses; the distance axis is written below the last."""
    unit = look.unit
    if not releasing.names:
        ax.set_xlabel("Soma distance (µm)")
        return ()
    figure = ax.get_figure(root=True)
    assert figure is not None
    top = box[3] + 22 * unit
    bottom = top + lane * len(releasing.names)
    strip_ax = axes(figure, look, (box[0], top, box[2], bottom))
    strip_ax.set(xlim=ax.get_xlim(), ylim=(len(releasing.names), 0), xlabel="Soma distance (µm)", label="releases")
    strip_ax.spines["left"].set_visible(False)
    size = points(min(12.5 * unit, 0.95 * lane))
    names = releasing.names if len(releasing.names) <= _NAMED else [""] * len(releasing.names)
    strip_ax.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=size)
    strip_ax.tick_params(axis="y", length=0)
    for text, colour in zip(strip_ax.get_yticklabels(), releasing.colours, strict=True):
        text.set_color(colour)
    ax.tick_params(labelbottom=False)
    gap = min(3 * unit, 0.12 * lane)
    return tuple(
        (box[0], top + i * lane + gap, box[2], top + (i + 1) * lane - gap) for i in range(len(releasing.names))
    )
