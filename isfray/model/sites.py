"""Places of a cell: the names that say where one is, and the segments nearest to given points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.arrays import F64
from isfray.check import nearest, whole
from isfray.errors import InputError
from isfray.model.geometry import Geometry

_SEGMENT = re.compile(r"(?:.*_)?sec_(\d{1,9})_seg_(\d{1,9})(?:_.*)?", re.ASCII)
_AT = re.compile(r"([^()]+)\((\d*\.?\d+(?:[eE][+-]?\d+)?|\d+\.)\)", re.ASCII)


@dataclass(frozen=True)
class RecordingSite:
    """A recorded place: the segment of a section, with its centre x and its distance from soma(0) in um."""

    label: str
    section: int
    segment: int
    x: float
    soma_distance: float


def site(section: int, segment: int, geometry: Geometry, label: str | None = None) -> RecordingSite:
    """Return a segment as a site, called `sec_038_seg_032` unless it has another label."""
    flat = geometry.offsets[section] + segment
    x, distance = float(geometry.segment_x[flat]), float(geometry.segment_distance[flat])
    return RecordingSite(segment_label(section, segment) if label is None else label, section, segment, x, distance)


def every_segment(geometry: Geometry) -> list[RecordingSite]:
    """Return all segments as sites, in order."""
    return [site(s, i, geometry) for s, n in enumerate(geometry.nseg.tolist()) for i in range(n)]


def named_site(name: str, geometry: Geometry) -> RecordingSite | None:
    """Return the place that a name tells of, with the name as its label; None if it tells of none.

    Parameters
    ----------
    name : str
        `38(0.93)` is at x = 0.93 of section 38 and `Soma(0.5)` in the middle of the first section of that label;
        `sec_038_seg_032` is a segment, and the label of a landmark's site ends in where it was.
    geometry : Geometry

    Raises
    ------
    InputError
        If the place is not on the cell.
    """
    sections = len(geometry.morphology)
    if named := segment_named(name):
        section, segment = named
        if section < sections and segment < geometry.nseg[section]:
            return site(section, segment, geometry, name)
        last = segment_label(section, int(geometry.nseg[section]) - 1) if section < sections else ""
        expected = f"up to {last}" if last else f"a section below {sections}"
        raise InputError("is no place of the cell", value=name, expected=expected)
    match = _AT.fullmatch(name)
    if match is None:
        return None
    text, x = match[1], float(match[2])
    labels = geometry.morphology.labels
    if text in labels:
        section = labels.index(text)
    elif text.isdecimal() and len(text) < 10:
        section = int(text)
    else:
        raise InputError("is no place of the cell", value=name, expected=nearest(text, labels))
    if section >= sections or x > 1:
        expected = f"a section below {sections} and x from 0 to 1"
        raise InputError("is no place of the cell", value=name, expected=expected)
    return site(section, geometry.segment_index(section, x), geometry, name)


def segment_named(label: str) -> tuple[int, int] | None:
    """Return the section and segment in the label of a segment or a landmark's site; None if it has none."""
    match = _SEGMENT.fullmatch(label)
    return (int(match[1]), int(match[2])) if match else None


def section_id(key: str, section: Any, labels: Sequence[str]) -> int:
    """Return the id of a section, given as such or by a label, whose first section is meant.

    Raises
    ------
    InputError
        If a cell whose sections have these labels has no such section.
    """
    if isinstance(section, str):
        if section not in labels:
            raise InputError("is not a section", key=key, value=section, expected=nearest(section, labels))
        return labels.index(section)
    return whole(key, section, 0, len(labels) - 1)


def map_sites(stem: str, points: F64, geometry: Geometry) -> tuple[RecordingSite, ...]:
    """Map landmarks to the segments nearest to them.

    Parameters
    ----------
    stem : str
        Stem of the landmark file: it begins the sites' labels.
    points : ndarray, shape (n, 3)
        Landmarks in um.
    geometry : Geometry
    """
    every = np.concatenate([s.points[:, :3] for s in geometry.morphology])
    owner = np.repeat(np.arange(len(geometry.morphology)), [len(s.points) for s in geometry.morphology])
    relative = np.concatenate(geometry.relpts)
    sites = []
    for index, point in enumerate(points):
        nearest = int(np.argmin(((every - point) ** 2).sum(axis=1)))
        section = int(owner[nearest])
        first, last = geometry.offsets[section], geometry.offsets[section + 1]
        segment = int(np.argmin(np.abs(geometry.segment_x[first:last] - relative[nearest])))
        x, distance = float(geometry.segment_x[first + segment]), float(geometry.segment_distance[first + segment])
        label = f"{stem}_ID_{index:03d}_sec_{section:03d}_seg_{segment:03d}_x_{x:.3f}_somaDist_{distance:.1f}"
        sites.append(RecordingSite(label, section, segment, x, distance))
    return tuple(sites)


def soma_site() -> RecordingSite:
    """Return the site every trial records: the first segment of the soma."""
    return RecordingSite("soma", 0, 0, 0.5, 0.0)


def segment_label(section: int, segment: int) -> str:
    """Return the site label of any segment: `sec_038_seg_032`."""
    return f"sec_{section:03d}_seg_{segment:03d}"
