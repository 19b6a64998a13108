"""Morphologies in `.swc` files, the format of the public archives (Cannon et al. 1998, J Neurosci Methods 84:49).

One line is one point: id, type, x, y, z, radius, parent id. Every unbranched stretch of one type becomes a section,
from its parent's last point on. A stretch that leaves the soma does so as NEURON's Import3d has it: from an end of the
soma's path it begins there, as thick as its own first point; elsewhere it begins with its own first point, for what
lies between that and the soma's points is soma, neither membrane nor length of a neurite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from isfray.arrays import F64
from isfray.errors import InputError
from isfray.model.geometry import neuron_length
from isfray.model.inputs import InputFile
from isfray.model.morphology import APICAL, AXON, DENDRITE, SHORTEST, SOMA, Morphology, Section, point_fault

LABELS = {1: SOMA, 2: AXON, 3: DENDRITE, 4: APICAL}
"""Structure label of each type code."""

_INHERITED = (5, 6)  # fork and end points have the type of what they are on
_NAMES = {AXON: "axon", DENDRITE: "dend", APICAL: "apic"}
_WHOLE = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_SHOWN = 40  # characters of a line in a message


@dataclass
class _Point:
    """One line of the file: its number, what it says, and what is wrong with it; `children` in file order."""

    line: int
    id: int | None
    kind: int | None
    xyzd: F64
    parent: int | None  # the id that the line says
    fault: InputError | None
    label: str = ""
    owner: _Point | None = field(default=None, repr=False)
    children: list[_Point] = field(default_factory=list, repr=False)


def read_swc(file: InputFile, *, axon: bool = True) -> Morphology:
    """Read a morphology.

    The soma may be one point (a sphere: a cylinder of its area, as long as wide, along x), a path of points (two arms
    from the first point, as the archives' three-point soma has them, are one path), or a thin closed outline, which
    becomes a sphere at the points' centre with their mean distance to it as radius.

    Parameters
    ----------
    file : InputFile
        A `.swc` file of one cell whose root is a soma point.
    axon : bool
        Whether to keep the traced axon. The archives' axons are mostly fragments; what is wrong with one that is not
        kept does not matter.

    Returns
    -------
    Morphology

    Raises
    ------
    InputError
        Naming file and line: a malformed line, an unknown type or parent, an id that is used twice, a loop, a second
        root, soma points apart from each other, a soma that branches.
    """
    path = file.path or file.name
    if not file.name.lower().endswith(".swc"):
        raise InputError("is not a morphology", file=path, expected="a .swc file")
    points = _tree(_kept(_linked(_lines(file, path), path), axon), path)
    traced, ends = _soma(points, path)
    sections = [Section("soma", SOMA, traced, -1, 0.0)]
    count = dict.fromkeys(_NAMES.values(), 0)
    # Stretches to follow: the first point and the section it is attached to.
    start = [(c, 0) for p in points if p.label == SOMA for c in p.children if c.label != SOMA]
    start.sort(key=lambda stretch: stretch[0].line, reverse=True)
    while start:
        first, parent = start.pop()
        stretch = _stretch(first)
        traced = np.array([point.xyzd for point in stretch])
        origin, following = first.owner, stretch[-1].children
        assert origin is not None, "the root is soma"
        if origin.label != SOMA:
            traced = np.vstack([origin.xyzd, traced])
        elif origin.line in ends or (len(stretch) == 1 and len(following) < 2):  # a lone point: all there is of it
            traced = np.vstack([[*origin.xyzd[:3], traced[0, 3]], traced])
        if len(traced) == 1 or neuron_length(traced) < SHORTEST:  # no section: what follows is attached to the parent
            section = parent
        else:
            section = len(sections)
            name = _NAMES[first.label]
            sections.append(Section(f"{name}_{count[name]}", first.label, traced, parent, 1.0))
            count[name] += 1
        start += [(child, section) for child in reversed(following)]
    return Morphology(tuple(sections))


def _lines(file: InputFile, path: str) -> list[_Point]:
    points = []
    for line, text in enumerate(file.text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if words := text.partition("#")[0].split():
            points.append(_point(words, line, text.strip()[:_SHOWN], path))
    if not points:
        raise InputError("holds no point", file=path, expected="lines of id, type, x, y, z, radius, parent id")
    return points


def _point(words: list[str], line: int, shown: str, path: str) -> _Point:
    whole = [int(word) if _WHOLE.fullmatch(word) else None for word in (*words[:2], *words[6:7])]
    i, kind, parent = (*whole, None, None)[:3] if len(words) < 7 else whole
    fault = None
    numbers = [_number(word) for word in words[2:6]]
    if len(words) != 7 or None in whole or None in numbers:
        expected = "id, type, x, y, z, radius and parent id"
        fault = InputError("is not a point", file=path, line=line, value=shown, expected=expected)
    elif kind not in LABELS and kind not in _INHERITED:
        known = "1 (soma), 2 (axon), 3 (basal dendrite) or 4 (apical dendrite)"
        fault = InputError("is not a known type", file=path, line=line, key="type", value=kind, expected=known)
    elif i is not None and i < 0:
        fault = InputError("is negative", file=path, line=line, key="id", value=i, expected="an id of 0 or more")
    xyzd = np.array([number or 0.0 for number in (*numbers, *[None] * 4)[:4]]) * (1, 1, 1, 2)
    if fault is None and (wrong := point_fault(xyzd.tolist())):
        fault = InputError("is not a radius or place", file=path, line=line, value=shown, expected=wrong[2])
    return _Point(line, i, kind, xyzd, parent, fault)


def _number(word: str) -> float | None:
    try:
        return float(word) if word.isascii() and "_" not in word else None
    except ValueError:
        return None


def _linked(points: list[_Point], path: str) -> list[_Point]:
    """The points with their parents and labels."""
    by_id: dict[int, _Point] = {}
    for point in points:
        if point.id is not None and by_id.setdefault(point.id, point) is not point:
            expected = "ids of their own"
            point.fault = point.fault or InputError(
                "is used twice", file=path, line=point.line, key="id", value=point.id, expected=expected
            )
    for point in points:
        point.label = LABELS.get(point.kind or 0, "")
        if point.parent is not None and point.parent >= 0:
            point.owner = by_id.get(point.parent)
            if point.owner is None:
                point.fault = point.fault or InputError(
                    "is no point", file=path, line=point.line, key="parent", value=point.parent, expected="an id"
                )
    for point in points:  # fork and end points, from what they are on outwards; a loop of them stays without a label
        chain: list[_Point] = []
        at: _Point | None = point
        while at is not None and not at.label and at.kind in _INHERITED and len(chain) <= len(points):
            chain.append(at)
            at.kind, at = None, at.owner
        for below in chain:
            below.label = at.label if at is not None else ""
    return points


def _kept(points: list[_Point], axon: bool) -> list[_Point]:
    """What is not axon, and what leads to it; the axon as well if it is wanted."""
    if axon:
        return points
    needed: set[int] = set()
    for point in points:
        at: _Point | None = point if point.label != AXON else None
        while at is not None and at.line not in needed:
            needed.add(at.line)
            at = at.owner
    kept = [point for point in points if point.line in needed]
    unclear = {point.id: point for point in points if point.line not in needed and point.fault}
    for point in kept:  # of two lines with the id, one of them not kept: who is meant?
        point.fault = point.fault or (unclear[point.parent].fault if point.parent in unclear else None)
    return kept


def _tree(points: list[_Point], path: str) -> list[_Point]:
    """The points with their children, once it is clear that they are one sound tree."""
    for point in points:
        if point.fault:
            raise point.fault
        if point.owner is not None:
            point.owner.children.append(point)
    roots = [point for point in points if point.owner is None]
    if len(roots) != 1:
        line = roots[1].line if roots else None
        raise InputError(f"has {len(roots)} roots", file=path, line=line, expected="one point without a parent")
    if roots[0].label != SOMA:
        raise InputError("is the root", file=path, line=roots[0].line, expected="a soma point (type 1) as root")
    reached, front = set(), roots
    while front:
        point = front.pop()
        reached.add(point.line)
        front += point.children
    for point in points:
        if point.line not in reached:
            raise InputError("is in a loop", file=path, line=point.line, key="id", value=point.id, expected="a tree")
        if point.label == SOMA and point.owner is not None and point.owner.label != SOMA:
            raise _wrong_soma(point, "is apart from the soma", path, "one soma")
    return points


def _stretch(first: _Point) -> list[_Point]:
    """Points from `first` to the next branch, end or change of type."""
    stretch = [first]
    while len(stretch[-1].children) == 1 and stretch[-1].children[0].label == first.label:
        stretch += stretch[-1].children
    return stretch


def _soma(points: list[_Point], path: str) -> tuple[F64, set[int]]:
    """3D points of the soma section, and the lines of those at its ends if it is a path."""
    places = [i for i, point in enumerate(points) if point.label == SOMA]
    soma = [points[i] for i in places]
    for i, following in pairwise(places):
        if following != i + 1:  # NEURON would take what comes now for another soma, on top of the first
            expected = "the soma's points in lines that follow each other"
            raise _wrong_soma(points[following], "is apart from the soma's other points", path, expected)
    if len(soma) == 1:
        return _sphere(soma[0].xyzd[:3], soma[0].xyzd[3] / 2), set()
    way = _path(soma, path)
    traced = np.array([point.xyzd for point in way])
    length = neuron_length(traced)
    if length < SHORTEST:
        raise _wrong_soma(soma[1], "is where the soma's first point is", path, "soma points apart from each other")
    if len(way) <= 3 or np.linalg.norm(traced[-1, :3] - traced[0, :3]) >= length / 4:
        return traced, {way[0].line, way[-1].line}
    centre = traced[:, :3].mean(axis=0)
    radius = float(np.linalg.norm(traced[:, :3] - centre, axis=1).mean())
    if traced[:, 3].max() > radius:
        expected = f"an outline of thin points, or the soma as one point of radius {radius:.3g}"
        raise _wrong_soma(way[-1], "ends where the soma begins, and is thick", path, expected)
    return _sphere(centre, radius), set()


def _sphere(centre: F64, radius: float) -> F64:
    return np.array([[centre[0] + side * radius, centre[1], centre[2], 2 * radius] for side in (-1, 0, 1)])


def _path(soma: list[_Point], path: str) -> list[_Point]:
    """The soma's points as one path, from the end of one arm over the root to the other's."""
    (root,) = (point for point in soma if point.owner is None or point.owner.label != SOMA)
    arms = [_arm(child, path) for child in root.children if child.label == SOMA]
    if len(arms) > 2:
        raise _branches(arms[2][0], path)
    return [*reversed(arms[0]), root, *arms[1]] if len(arms) == 2 else [root, *arms[0]]


def _arm(first: _Point, path: str) -> list[_Point]:
    arm = [first]
    while ahead := [child for child in arm[-1].children if child.label == SOMA]:
        if len(ahead) > 1:
            raise _branches(ahead[1], path)
        arm += ahead
    return arm


def _branches(point: _Point, path: str) -> InputError:
    return _wrong_soma(point, "branches off the soma", path, "a soma of one point, three points or one unbranched path")


def _wrong_soma(point: _Point, problem: str, path: str, expected: str) -> InputError:
    return InputError(problem, file=path, line=point.line, key="id", value=point.id, expected=expected)
