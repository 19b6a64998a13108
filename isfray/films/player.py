"""A film on one HTML page with its own player: it needs no other file, codec or network."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from io import BytesIO

import numpy as np
from matplotlib.image import imread

from isfray.errors import InputError
from isfray.films.pages import asset
from isfray.look.interactive import document


def player(frames: Sequence[bytes], times: Sequence[float], *, title: str, fps: float, mime: str = "image/png") -> str:
    """Return a page that plays a film: play, pause, step, seek, speed, loop, by mouse, finger or key.

    Parameters
    ----------
    frames : sequence of bytes
        Encoded pictures of one size.
    times : sequence of float
        Simulated time of each, ms, ascending.
    title : str
    fps : float
        Frames a second at normal speed. The page tells how many ms a second shows.
    mime : str
        Format of the frames, such as image/png, image/jpeg or image/webp.

    Returns
    -------
    str
        An HTML document; `framed` makes it part of another page.

    Raises
    ------
    InputError
        If there is no frame, the first is no picture, or times or rate do not fit.
    """
    if not frames:
        raise InputError("is empty", key="frames", value=[], expected="at least one picture")
    at = np.asarray(times, float)
    if at.shape != (len(frames),) or not np.isfinite(at).all() or (np.diff(at) <= 0).any():
        raise InputError("do not fit", key="times", value=at.size, expected=f"{len(frames)} ascending times, ms")
    if not (math.isfinite(fps) and fps > 0):
        raise InputError("is no frame rate", key="fps", value=fps, expected="frames a second, above 0")
    height, width = _size(frames[0], mime)
    canvas = f'<figure><canvas role="img" width="{width}" height="{height}"></canvas></figure>'
    body = "\n".join([f"<h1>{escape(title)}</h1>", canvas, asset("transport.html")])
    data = {
        "title": title,
        "mime": mime,
        "fps": fps,
        "times": [round(t, 6) for t in at.tolist()],
        "frames": [base64.b64encode(frame).decode() for frame in frames],
    }
    styles, scripts = [asset("base.css"), asset("player.css")], [asset("transport.js"), asset("player.js")]
    return document(title, body, data, size=(width, height), styles=styles, scripts=scripts)


def _size(frame: bytes, mime: str) -> tuple[int, int]:
    """Height and width of a picture, px."""
    kind, _, name = mime.partition("/")
    try:
        if kind != "image":
            raise ValueError(mime)
        height, width = imread(BytesIO(frame), format=name).shape[:2]
    except (OSError, SyntaxError, ValueError):
        raise InputError("is not of this format", key="mime", value=mime, expected="the format of the frames") from None
    return int(height), int(width)
