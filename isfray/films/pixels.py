"""From capsules to pixels: which segments every pixel shows, and how much of each.

The shape and the camera decide that; the voltage does not. So it is worked out once per camera, and a frame is a
look-up of colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isfray.arrays import F32, I64, U8
from isfray.films.camera import Camera
from isfray.films.capsules import Capsules

SHADE = 0.25
"""How much darker the rim of a thick tube is than its axis; thin ones have the colour of the map throughout."""


@dataclass(frozen=True)
class PixelTable:
    """What is seen where.

    Attributes
    ----------
    pixel : ndarray of int64, shape (pixels,)
        Flat numbers of the pixels that show the cell, ascending.
    first : ndarray of int64, shape (pixels,)
        Where the entries of each pixel begin.
    segment : ndarray of int32, shape (entries,)
    weight : ndarray of float32, shape (entries, 1)
        Share of the pixel times light.
    clear : ndarray of float32, shape (pixels, 1)
        Share of the pixel where the paper is seen.
    """

    pixel: I64
    first: I64
    segment: NDArray[np.int32]
    weight: F32
    clear: F32

    def paint(self, picture: U8, colours: F32) -> None:
        """Draw the cell onto a picture.

        Parameters
        ----------
        picture : ndarray of uint8, shape (height, width, 3)
        colours : ndarray of float32, shape (segments, 3)
            0 to 255.
        """
        if not len(self.pixel):
            return
        flat = picture.reshape(-1, 3)
        seen = np.add.reduceat(colours[self.segment] * self.weight, self.first, axis=0)
        flat[self.pixel] = (flat[self.pixel] * self.clear + seen + 0.5).astype(np.uint8)


def rasterise(shape: Capsules, camera: Camera, size: tuple[int, int], thinnest: float = 1.6) -> PixelTable:
    """Work out what every pixel shows.

    Edges are smooth by how far a pixel's centre is from the capsule. Of one section a pixel shows the piece that it is
    deepest in, so that joints do not thicken; sections cover each other, the nearer ones in front.

    Parameters
    ----------
    shape : Capsules
        In pieces of a few pixels (`Capsules.pieces`), or this takes long.
    camera : Camera
    size : tuple of int
        Width and height of the picture, pixels.
    thinnest : float
        Least width of a line, pixels.
    """
    width, height = size
    ends, depth = camera.see(shape.ends)
    a, b = ends[:, 0].astype(np.float32), ends[:, 1].astype(np.float32)
    radius = np.maximum(shape.radius * camera.scale, thinnest / 2).astype(np.float32)
    reach = radius.max(axis=1)[:, None] + 1.0
    low = np.floor(np.minimum(a, b) - reach).astype(np.int32)
    high = np.ceil(np.maximum(a, b) + reach).astype(np.int32)
    low, high = np.clip(low, 0, (width, height)), np.clip(high, 0, (width, height))
    wide, tall = (high - low).T
    count = (wide * tall).astype(np.int64)
    piece = np.repeat(np.arange(len(count), dtype=np.int32), count)
    within = (np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)).astype(np.int32)
    column, row = low[piece, 0] + within % wide[piece], low[piece, 1] + within // wide[piece]
    # distance of the pixel's centre from the capsule's axis
    x, y = column + np.float32(0.5) - a[piece, 0], row + np.float32(0.5) - a[piece, 1]
    axis = b - a
    square = np.maximum((axis**2).sum(axis=1), np.float32(1e-12))
    unit = axis / square[:, None]
    at = np.clip(x * unit[piece, 0] + y * unit[piece, 1], 0, 1)
    x -= at * axis[piece, 0]
    y -= at * axis[piece, 1]
    away = np.sqrt(x * x + y * y)
    around = radius[piece, 0] + at * (radius[:, 1] - radius[:, 0])[piece]
    inside = around + np.float32(0.5) - away
    keep = np.flatnonzero(inside > 1 / 255)
    piece, at, away, around, inside = piece[keep], at[keep], away[keep], around[keep], inside[keep]
    pixel = row[keep].astype(np.int64) * width + column[keep]
    # one piece for each pixel and section: the one that it is deepest in
    key = pixel * (int(shape.section.max()) + 1) + shape.section[piece]
    order = np.argsort((key << 16) - (np.minimum(inside, 250) * 256).astype(np.int64), kind="stable")
    best = order[np.flatnonzero(np.diff(key[order], prepend=-1))]
    piece, at, away, around, inside, pixel = piece[best], at[best], away[best], around[best], inside[best], pixel[best]
    cover = np.minimum(inside, 1)
    # from front to back; a tube's surface is nearer than its axis
    fraction = np.minimum(away / around, 1)
    ends_depth = depth.astype(np.float32)
    near = ends_depth[piece, 0] + at * (ends_depth[:, 1] - ends_depth[:, 0])[piece]
    near -= around / np.float32(camera.scale) * np.sqrt(1 - fraction**2)
    order = np.lexsort((near, pixel))
    piece, around, fraction, cover, pixel = piece[order], around[order], fraction[order], cover[order], pixel[order]
    first = np.flatnonzero(np.diff(pixel, prepend=-1))
    share, clear = _front_to_back(cover, first)
    light = 1 - SHADE * fraction**2 * np.clip((around - 1.5) / 2, 0, 1)
    return PixelTable(pixel[first], first, shape.segment[piece], (share * light)[:, None], clear[:, None])


def _front_to_back(cover: F32, first: I64) -> tuple[F32, F32]:
    """What is seen of each entry, given those before it at the same pixel; and what is left of each pixel."""
    share = np.empty_like(cover)
    count = np.diff(first, append=len(cover))
    clear = np.ones(len(first), np.float32)
    here = np.arange(len(first))
    for rank in range(int(count.max(initial=0))):
        here = here[count[here] > rank]
        entry = first[here] + rank
        share[entry] = clear[here] * cover[entry]
        clear[here] *= 1 - cover[entry]
    return share, clear
