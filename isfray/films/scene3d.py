"""The neuron in space, coloured by a variable, with its releasing synapses: what every frame of a 3D film shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from isfray.arrays import U8
from isfray.films.camera import Camera, fitted
from isfray.films.capsules import Capsules, capsules
from isfray.films.flashes import Flashes
from isfray.films.pixels import PixelTable, rasterise
from isfray.films.strip import Clock, Strip, decimals, finish, strip
from isfray.look.canvas import Box, Look, blank, disc, points, rgb, write
from isfray.look.colours import ColourScale, colour_scale
from isfray.look.segments import SegmentTraces, SomaTrace
from isfray.model.cell import CellModel

THICKNESS = 2.5
"""How many times as thick as it is a dendrite is drawn, so that its colour shows; the soma is drawn as it is."""
THINNEST = 1.8
"""Least width of a line on a picture of 1000 x 800, pixels."""
MARK = 3.6
"""Radius of a releasing synapse on a picture of 1000 x 800, pixels."""
_PIECE = 2.0  # length of a piece on the picture, pixels


@dataclass(frozen=True)
class Scene3D:
    """Everything but the values: small, and the same for all frames.

    Attributes
    ----------
    paper : ndarray of uint8, shape (height, width, 3)
        What stands still.
    shape : Capsules
        In pieces of a few pixels.
    camera : Camera
        Of the first frame.
    turn : float
        How far the camera moves from one frame to the next, degrees.
    table : PixelTable or None
        What is seen where, if the camera stands still.
    """

    look: Look
    paper: U8
    shape: Capsules
    camera: Camera
    turn: float
    table: PixelTable | None
    scale: ColourScale
    flashes: Flashes
    strip: Strip | None
    clock: Clock

    def frame(self, number: int, traces: SegmentTraces) -> U8:
        """Draw one frame; shape (height, width, 3)."""
        time = float(traces.times[number])
        picture = self.paper.copy()
        camera = self.camera.turned(self.turn * number)
        table = self.table or rasterise(self.shape, camera, self.look.size, THINNEST * self.look.unit)
        table.paint(picture, self.scale(traces.values[number]))
        shown, opacity = self.flashes.at(time)
        where, _ = camera.see(self.flashes.place[shown])
        fills, rim = [rgb(c) for c in self.flashes.colours], rgb(self.look.theme.paper)
        for i, (x, y), alpha in zip(shown, where, opacity, strict=True):
            disc(picture, x, y, MARK * self.look.unit, fills[self.flashes.group[i]], rim, alpha=float(alpha))
        if self.strip is not None:
            self.strip.paint(picture, time)
        self.clock.paint(picture, time)
        return picture


def scene_3d(
    cell: CellModel,
    traces: SegmentTraces,
    releasing: Flashes,
    look: Look,
    *,
    soma: SomaTrace | None = None,
    stimulus: float | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str | None = None,
    azimuth: float = 0.0,
    elevation: float = 0.0,
    turn: float = 0.0,
    thickness: float = THICKNESS,
    axon: bool = False,
    label: str = "Membrane potential (mV)",
) -> Scene3D:
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
        Values of the first and last colour; by default the least and greatest of the frames.
    cmap : str, optional
        A colour map of matplotlib.
    azimuth, elevation, turn : float
        Where the camera stands, and how far it moves from frame to frame, degrees.
    thickness : float
        How many times as thick as they are dendrites are drawn.
    axon : bool
        Draw the artificial axon's myelin too.
    label : str
        Of the colour bar.
    """
    width, height = look.size
    unit = look.unit
    shape = capsules(cell, axon=axon)
    body = (shape.section == 0)[:, None]
    shape = replace(shape, radius=np.where(body, shape.radius, shape.radius * thickness))
    split = round(width - 430 * unit)
    box = (24 * unit, 26 * unit, split - 12 * unit, height - 26 * unit)
    camera = fitted(shape, box, azimuth=azimuth, elevation=elevation, turn=turn * (len(traces.times) - 1))
    shape = shape.pieces(_PIECE * unit / camera.scale)
    scale = colour_scale(traces.values[:, np.unique(shape.segment)], limits, cmap, look.theme)
    figure = blank(look)
    left, right = split + 52 * unit, width - 28 * unit
    line = None
    end = (262 + 0.5 * (height / unit - 800)) * unit
    if soma is not None:
        line = strip(figure, look, (left, 132 * unit, right, end), soma, stimulus)
    _legend(figure, look, (left - 46 * unit, end + 74 * unit, right, height - 130 * unit), releasing)
    _colour_bar(figure, look, (left - 46 * unit, height - 74 * unit, right, height - 60 * unit), scale, label)
    _scale_bar(figure, look, camera, box)
    paper, moving = finish(figure, look, soma, line)
    return Scene3D(
        look,
        paper,
        shape,
        camera,
        turn,
        None if turn else rasterise(shape, camera, look.size, THINNEST * unit),
        scale,
        releasing,
        moving,
        Clock(look, (left - 46 * unit, 56 * unit), decimals(traces.times), stimulus),
    )


def _legend(figure: Figure, look: Look, box: Box, releasing: Flashes) -> None:
    """Name the groups of synapses in up to two columns."""
    if not releasing.names:
        return
    left, top, right, bottom = box
    unit, names = look.unit, releasing.names
    write(figure, look, left, top, f"Synapses, for {releasing.duration:g} ms after a release", 13.5)
    room = int((bottom - top) / (20 * unit)) - 1
    columns = 1 if len(names) <= min(room, 8) else 2
    rows = min(-(-len(names) // columns), room)
    width, height = look.size
    for i, (name, colour) in enumerate(zip(names[: rows * columns], releasing.colours, strict=False)):
        x, y = left + (i // rows) * (right - left) / columns, top + (i % rows + 1.15) * 20 * unit
        mark = Line2D(
            [(x + 7 * unit) / width],
            [1 - (y - 4.5 * unit) / height],
            marker="o",
            markersize=points(2 * MARK * unit),
            color=colour,
            markeredgewidth=0,
        )
        figure.add_artist(mark)
        write(figure, look, x + 22 * unit, y, name, 13.0)
    if len(names) > rows * columns:
        write(figure, look, left, bottom, f"and {len(names) - rows * columns} more", 13.0, color=look.theme.muted)


def _colour_bar(figure: Figure, look: Look, box: Box, scale: ColourScale, label: str) -> None:
    (width, height), (left, top, right, bottom), unit = look.size, box, look.unit
    ax = figure.add_axes(
        (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height), label="colours"
    )
    bar = figure.colorbar(ScalarMappable(scale.norm, scale.map), cax=ax, orientation="horizontal")
    bar.locator = MaxNLocator(6)
    bar.formatter = ScalarFormatter(useMathText=True)
    bar.formatter.set_powerlimits((-2, 3))
    bar.update_ticks()
    bar.ax.xaxis.get_offset_text().set(fontsize=points(12.5 * unit), color=look.theme.ink)
    bar.outline.set_visible(False)
    bar.ax.tick_params(
        colors=look.theme.ink, labelsize=points(12.5 * unit), width=points(0.9 * unit), length=points(4 * unit)
    )
    write(figure, look, left, top - 8 * unit, label, 13.5)
    ends = f"{scale.low:.4g} to {scale.high:.4g}".replace("-", "−")
    write(figure, look, right, top - 8 * unit, ends, 12.5, color=look.theme.muted, ha="right")


def _scale_bar(figure: Figure, look: Look, camera: Camera, box: Box) -> None:
    width, height = look.size
    left, _, _, bottom = box
    length = 100.0 if 100 * camera.scale < 0.4 * (box[2] - left) else 20.0
    ends, y = (left, left + length * camera.scale), bottom - 2 * look.unit
    line = Line2D([x / width for x in ends], [1 - y / height] * 2, color=look.theme.ink, solid_capstyle="butt")
    line.set_linewidth(points(2.5 * look.unit))
    figure.add_artist(line)
    write(figure, look, left, y - 8 * look.unit, f"{length:g} µm", 13.0)
