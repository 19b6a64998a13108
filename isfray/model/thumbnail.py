"""Thumbnails for notebooks: a cell from the side, a trace. Plain SVG in the colour of the text around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from isfray.arrays import F64
from isfray.model.geometry import Geometry
from isfray.model.morphology import AIS, MYELIN

HEIGHT = 130.0
"""Of every thumbnail, px."""
_COLUMNS = 160


@dataclass(frozen=True)
class Drawing:
    """Lines in px, y downwards.

    Attributes
    ----------
    width : float
        px.
    lines : sequence of (ndarray of shape (points, 2), float)
        Points and line width.
    caption : str
        Says what it is, with units.
    """

    width: float
    lines: Sequence[tuple[F64, float]]
    caption: str


def svg(drawing: Drawing) -> str:
    """Return the drawing as inline SVG with its caption."""
    paths = []
    for points, width in drawing.lines:
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        paths.append(f'<polyline points="{text}" stroke-width="{width:.2f}"/>')
    return (
        f'<div style="flex:none"><svg role="img" aria-label="{escape(drawing.caption)}" width="{drawing.width:.0f}" '
        f'height="{HEIGHT:.0f}" viewBox="0 0 {drawing.width:.0f} {HEIGHT:.0f}" fill="none" stroke="currentColor" '
        f'stroke-linejoin="round" stroke-linecap="round" style="max-width:100%">{"".join(paths)}</svg>'
        f'<div style="opacity:.65;font-size:.85em">{escape(drawing.caption)}</div></div>'
    )


def side_view(geometry: Geometry) -> Drawing:
    """Return a cell's soma and dendrites as they lie in the file, z upwards, seen along y; without the axon."""
    shown = [s for s in geometry.morphology if s.label not in (AIS, MYELIN)]
    every = np.concatenate([s.points for s in shown])
    low, high = every[:, [0, 2]].min(axis=0), every[:, [0, 2]].max(axis=0)
    scale = (HEIGHT - 6.0) / max(high[1] - low[1], (high[0] - low[0]) / 2.0, 1.0)
    lines = []
    for section in shown:
        points = (section.points[:, [0, 2]] - low) * scale + 3.0
        points[:, 1] = HEIGHT - points[:, 1]
        lines.append((thinned(points), float(np.clip(section.points[:, 3].mean() * scale, 0.6, 9.0))))
    extent = high[1] - low[1]
    return Drawing(float((high[0] - low[0]) * scale + 6.0), lines, f"{extent:,.0f} um high")


def thinned(points: F64, apart: float = 1.5) -> F64:
    """Return the first and the last point of a line, and between them those that are `apart` px from the one before."""
    kept = [0]
    for i in range(1, len(points) - 1):
        if np.abs(points[i] - points[kept[-1]]).max() >= apart:
            kept.append(i)
    return points[[*kept, len(points) - 1]]


def trace(time: F64, values: F64, unit: str, width: float = 160.0) -> Drawing:
    """Return a trace, shape (samples,) each, in which no extreme is lost; time in ms."""
    pieces = np.array_split(np.arange(len(values)), min(_COLUMNS, len(values)))
    at = np.array([i for p in pieces for i in sorted((p[values[p].argmin()], p[values[p].argmax()]))])
    low, high = float(values.min()), float(values.max())
    x = 1.0 + (time[at] - time[0]) / max(float(time[-1] - time[0]), 1e-9) * (width - 2.0)
    y = HEIGHT - 2.0 - (values[at] - low) / max(high - low, 1e-9) * (HEIGHT - 4.0)
    caption = f"{low:.0f} to {high:.0f} {unit}, {time[0]:.0f} to {time[-1]:.0f} ms"
    return Drawing(width, [(np.column_stack([x, y]), 0.9)], caption)
