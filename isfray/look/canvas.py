"""Pictures of an exact size in pixels: what stands still, drawn once, and the few marks that move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from numbers import Integral
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from isfray.arrays import F32, U8
from isfray.check import one_of
from isfray.errors import InputError
from isfray.look.style import THEMES, Theme

Box = tuple[float, float, float, float]
"""Left, top, right, bottom; pixels from the upper left corner."""

_DPI = 100
_LEAST, _MOST = 320, 8192


@dataclass(frozen=True)
class Look:
    """Size and colours of a picture.

    Attributes
    ----------
    size : tuple of int
        Width and height, pixels.
    theme : Theme
    """

    size: tuple[int, int]
    theme: Theme

    @property
    def unit(self) -> float:
        """What is one pixel on a picture of 1000 x 800: text and lines grow with the picture."""
        return min(self.size[0] / 1000, self.size[1] / 800)


PRESETS = {
    "paper": Look((1000, 800), THEMES["light"]),
    "talk": Look((1920, 1080), THEMES["dark"]),
    "square": Look((1080, 1080), THEMES["dark"]),
}


def look(preset: str, size: tuple[int, int] | None = None, theme: str | None = None) -> Look:
    """Return a preset, or what of it is asked for otherwise; InputError for what is no look."""
    chosen = PRESETS[one_of("preset", preset, PRESETS, "is no preset")]
    if theme is not None:
        one_of("theme", theme, THEMES, "is no theme")
    wanted: Any = chosen.size if size is None else size
    fine = isinstance(wanted, tuple | list | np.ndarray) and len(wanted) == 2
    if not fine or any(not isinstance(n, Integral) or not _LEAST <= int(n) <= _MOST or int(n) % 2 for n in wanted):
        expected = f"(width, height), two even numbers of pixels from {_LEAST} to {_MOST}"
        raise InputError("is no size", key="size", value=size, expected=expected)
    return Look((int(wanted[0]), int(wanted[1])), chosen.theme if theme is None else THEMES[theme])


def blank(look: Look) -> Figure:
    """Return an empty figure of this size."""
    width, height = look.size
    return Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=look.theme.paper)


def axes(figure: Figure, look: Look, box: Box) -> Axes:
    """Return axes in this box, in the picture's style."""
    (width, height), (left, top, right, bottom) = look.size, box
    ax = figure.add_axes(
        (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height),
        facecolor=look.theme.paper,
    )
    for side, spine in ax.spines.items():
        spine.set(linewidth=points(0.9 * look.unit), color=look.theme.ink, visible=side in ("left", "bottom"))
    small = points(12.5 * look.unit)
    ax.tick_params(colors=look.theme.ink, labelsize=small, width=points(0.9 * look.unit), length=points(4 * look.unit))
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set(fontsize=points(13.5 * look.unit), color=look.theme.ink)
    return ax


def write(figure: Figure, look: Look, x: float, y: float, text: str, size: float = 13.5, **how: str) -> None:
    """Write on the figure: the baseline begins at x, y (pixels); `size` in pixels of a picture of 1000 x 800."""
    width, height = look.size
    given = {"color": look.theme.ink, "va": "baseline", "parse_math": False, **how}
    figure.text(x / width, 1 - y / height, text, fontsize=points(size * look.unit), **given)  # type: ignore[arg-type]


def points(pixels: float) -> float:
    """Return a length of so many pixels in points, which matplotlib asks for."""
    return pixels * 72 / _DPI


def drawn(figure: Figure) -> U8:
    """Return the figure's pixels; shape (height, width, 3)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels: U8 = np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
    return pixels


def rgb(colour: str) -> F32:
    """Return red, green and blue, 0 to 255."""
    return np.array([round(255 * part) for part in to_rgb(colour)], np.float32)


def disc(picture: U8, x: float, y: float, radius: float, fill: F32, edge: F32, *, alpha: float = 1.0) -> None:
    """Draw a disc with a rim of a quarter of its radius around it; centre and radius in pixels."""
    reach = 1.25 * radius + 1
    height, width = picture.shape[:2]
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, width)
    top, bottom = max(int(y - reach), 0), min(int(y + reach) + 1, height)
    if left >= right or top >= bottom:
        return
    across = np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x)
    down = np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - y)
    away = np.sqrt(across[None, :] ** 2 + down[:, None] ** 2)[..., None]
    whole, inner = np.clip(1.25 * radius + 0.5 - away, 0, 1), np.clip(radius + 0.5 - away, 0, 1)
    under = picture[top:bottom, left:right]
    over = edge + inner * (fill - edge)
    picture[top:bottom, left:right] = (under + alpha * whole * (over - under) + 0.5).astype(np.uint8)


def bar(picture: U8, box: Box, fill: F32, *, alpha: float = 1.0) -> None:
    """Fill a box with smooth edges; pixels."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box
    columns = np.arange(max(int(left), 0), min(int(np.ceil(right)), width))
    rows = np.arange(max(int(top), 0), min(int(np.ceil(bottom)), height))
    if not len(columns) or not len(rows):
        return
    wide = np.minimum(columns + 1, right) - np.maximum(columns, left)
    tall = np.minimum(rows + 1, bottom) - np.maximum(rows, top)
    share = alpha * (tall[:, None] * wide[None, :]).astype(np.float32)[..., None]
    under = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    under[...] = (under + share * (fill - under) + 0.5).astype(np.uint8)


def text(picture: U8, x: float, y: float, line: str, colour: F32, size: float) -> None:
    """Write a line from x on, its baseline at y, letters of `size` pixels."""
    font = _font(round(size))
    left, top, right, bottom = (int(v) for v in font.getbbox(line, anchor="ls"))
    column, row = round(x), round(y)
    area = picture[row + top - 2 : row + bottom + 2, column + left - 2 : column + right + 2]
    patch = Image.fromarray(area)
    ImageDraw.Draw(patch).text((2 - left, 2 - top), line, font=font, fill=tuple(int(c) for c in colour), anchor="ls")
    area[...] = np.asarray(patch)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


Packed = U8 | bytes
"""One frame: its pixels, or an encoded picture of them."""
