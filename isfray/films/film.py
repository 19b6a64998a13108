"""Films: written as mp4, gif, pictures or a page, whole or not at all; and shown in a notebook."""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
from PIL import Image

from isfray.arrays import U8
from isfray.check import number
from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.films.player import player
from isfray.look.canvas import Packed
from isfray.look.interactive import framed
from isfray.look.style import PathLike

_PICTURE = re.compile(r"\d{5,}\.png")
_SLOWEST = 0.01  # frames a second
_MOST_GIF = 50.0  # frames a second; browsers show faster ones slower


@dataclass(frozen=True)
class Film:
    """A film that was written; a notebook shows it.

    Attributes
    ----------
    path : Path
        The file, or the folder of pictures.
    times : tuple of float
        Time that each frame shows, ms.
    fps : float
        Frames a second.
    size : tuple of int
        Width and height, pixels.
    compared : float or None
        Greatest difference of the soma's voltage from the stored one, mV; None if none was stored.
    """

    path: Path
    times: tuple[float, ...]
    fps: float
    size: tuple[int, int]
    compared: float | None = None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.times)

    @property
    def duration(self) -> float:
        """How long it plays, s."""
        return self.frames / self.fps

    @property
    def pace(self) -> float:
        """How many ms of the trial one second shows."""
        step = (self.times[-1] - self.times[0]) / (self.frames - 1) if self.frames > 1 else 0.0
        return step * self.fps

    def __str__(self) -> str:
        """Tell what it is in a line."""
        size = f"{self.size[0]} x {self.size[1]}"
        if self.frames == 1:
            return f"{self.path}: {size}, the trial at {self.times[0]:g} ms"
        pace = f"1 s shows {self.pace:.3g} ms ({1000 / self.pace:,.0f} times slower)"
        return f"{self.path}: {self.frames} frames of {size}, {self.duration:g} s, {pace}"

    def _repr_html_(self) -> str:
        """Show the film itself in a notebook."""
        return f"{_shown(self)}<p>{escape(str(self))}</p>"


@dataclass(frozen=True)
class Kind:
    """A way to keep a film.

    Attributes
    ----------
    write : callable
        Takes the path to write, the frames in order, their times and frames a second, and a title.
    pack : callable or None
        What the renderer makes of a frame's pixels; None leaves them.
    """

    write: Callable[[Path, Iterator[Packed], Sequence[float], float, str], None]
    pack: Callable[[U8], bytes] | None = None


def png(frame: U8) -> bytes:
    """Return a picture, quickly compressed."""
    data = BytesIO()
    Image.fromarray(frame).save(data, "png", compress_level=2)
    return data.getvalue()


def webp(frame: U8) -> bytes:
    """Return a picture of a fifth of a PNG's size, with no loss that one sees."""
    data = BytesIO()
    Image.fromarray(frame).save(data, "webp", quality=88, method=2)
    return data.getvalue()


def kind_of(path: PathLike, fps: float) -> Kind:
    """Return how a path of this name is written, once it is clear that it can be; InputError otherwise."""
    out = a_path("path", path)
    ending = out.suffix.lower()
    if ending not in KINDS:
        expected = "a name that ends with .mp4, .gif or .html, or a folder for pictures"
        raise InputError("is no film", key="path", value=str(path), expected=expected)
    number("fps", fps, least=_SLOWEST, most=240.0, unit="frames a second")
    if ending == ".gif" and fps > _MOST_GIF:
        raise InputError("is too fast for a .gif", key="fps", value=fps, expected=f"at most {_MOST_GIF:g}")
    if not ending and os.path.lexists(out) and not _holds_pictures(out):
        expected = "a new folder, or one that holds nothing but such pictures"
        raise InputError("holds other things", key="path", value=str(path), expected=expected)
    check_writable(out)
    return KINDS[ending]


def _holds_pictures(folder: Path) -> bool:
    return folder.is_dir() and all(_PICTURE.fullmatch(item.name) for item in folder.iterdir())


def check_writable(path: Path) -> None:
    """Raise InputError if nothing can be written beside `path`, or it is a folder although it has an ending."""
    probe = _beside(path)
    try:
        if path.suffix and path.is_dir():
            raise IsADirectoryError(21, "is a folder")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", key="path", value=str(path)) from None


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` write elsewhere, and give it its name when it is whole: the name never holds half a film."""
    part = _beside(path)
    try:
        write(part)
        if path.is_dir():
            old = _beside(path)
            path.rename(old)
            part.rename(path)
            shutil.rmtree(old)
        else:
            part.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", key="path", value=str(path)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")


def _mp4(path: Path, frames: Iterator[Packed], times: Sequence[float], fps: float, title: str) -> None:
    # yuv420p and even sizes are what browsers play; faststart lets them begin before the end has arrived
    how: dict[str, Any] = {"codec": "libx264", "pixelformat": "yuv420p", "quality": None, "macro_block_size": 2}
    how["output_params"] = ["-crf", "16", "-preset", "veryfast", "-movflags", "+faststart"]
    with imageio.get_writer(path, format="FFMPEG", mode="I", fps=fps, **how) as writer:
        for frame in frames:
            writer.append_data(frame)  # type: ignore[attr-defined]


def _gif(path: Path, frames: Iterator[Packed], times: Sequence[float], fps: float, title: str) -> None:
    head = list(islice(frames, 8))
    # one palette for all, so that nothing flickers
    palette = Image.fromarray(np.concatenate([np.asarray(f) for f in head])).quantize(
        255, method=Image.Quantize.MEDIANCUT
    )
    shown = (
        Image.fromarray(np.asarray(frame)).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in chain(head, frames)
    )
    ends = np.round(np.arange(1, len(times) + 1) * 100 / fps) * 10  # a gif counts in 10 ms
    begin = next(shown)
    begin.save(
        path,
        save_all=True,
        append_images=shown,
        duration=np.diff(ends, prepend=0).astype(int).tolist(),
        loop=0,
        optimize=False,
    )


def write_still(path: Path, frame: U8) -> None:
    """Write one picture, as a PNG made for print: 300 pixels an inch."""
    write_whole(path, lambda part: Image.fromarray(frame).save(part, "png", dpi=(300, 300)))


def _pictures(path: Path, frames: Iterator[Packed], times: Sequence[float], fps: float, title: str) -> None:
    path.mkdir()
    for at, frame in enumerate(frames):
        (path / f"{at:05d}.png").write_bytes(bytes(frame))


def _page(path: Path, frames: Iterator[Packed], times: Sequence[float], fps: float, title: str) -> None:
    page = player([bytes(frame) for frame in frames], times, title=title, fps=fps, mime="image/webp")
    path.write_text(page, encoding="utf-8")


KINDS = {".mp4": Kind(_mp4), ".gif": Kind(_gif), ".html": Kind(_page, webp), "": Kind(_pictures, png)}
"""Ways to keep a film by the ending of its path; a path without one is a folder of pictures."""


def _shown(film: Film) -> str:
    ending = film.path.suffix.lower()
    if ending == ".html":
        return framed(film.path.read_text(encoding="utf-8"))
    if ending == "":
        return f'<img src="{_embedded(sorted(film.path.iterdir())[0], "image/png")}" style="max-width: 100%">'
    if ending == ".mp4":
        source = _embedded(film.path, "video/mp4")
        return f'<video controls loop src="{source}" style="max-width: 100%"></video>'
    return f'<img src="{_embedded(film.path, f"image/{ending[1:]}")}" style="max-width: 100%">'


def _embedded(path: Path, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"
