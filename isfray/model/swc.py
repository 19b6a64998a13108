"""Morphologies in `.swc` files, the format of the public archives (Cannon et al. 1998, J Neurosci Methods 84:49).

One line is one point: id, type, x, y, z, radius, parent id. Every unbranched stretch of one type becomes a section. It
starts with its parent's last point, as NEURON's Import3d has it; but a stretch that leaves the soma starts with its own
first point: what lies between that and the soma's points is soma, not neurite, so it is neither membrane nor length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isfray.errors import InputError
from isfray.model.inputs import InputFile
from isfray.model.morphology import APICAL, AXON, DENDRITE, SOMA, FloatArray, Morphology, Section

LABELS = {1: SOMA, 2: AXON, 3: DENDRITE, 4: APICAL}
"""Structure label of each type code."""

_INHERITED = (5, 6)  # fork and end points have the type of what they are on
_NAMES = {AXON: "axon", DENDRITE: "dend", APICAL: "apic"}


@dataclass
class _Point:
    """One line of the file; `children` in file order."""

    line: int
    label: str
    xyzd: FloatArray
    parent: int
    children: list[int]


def read_swc(file: InputFile, *, axon: bool = True) -> Morphology:
    """Read a morphology.

    The soma may be one point (a sphere: a cylinder of its area, as long as wide, along x), a path of points (two arms
    from the first point, as the archives' three-point soma has them, are one path), or an outline; an outline, closed
    or branching, becomes a sphere at the points' centre with their mean distance to it as radius.

    Parameters
    ----------
    file : InputFile
        A `.swc` file of one cell whose root is a soma point.
    axon : bool
        Whether to keep the traced axon. The archives' axons are mostly fragments.

    Returns
    -------
    Morphology

    Raises
    ------
    InputError
        Naming file and line: a malformed line, an unknown type or parent, an id that is used twice, a loop, a second
        root, soma points apart from the root.
    """
    path = file.path or file.name
    if not file.name.lower().endswith(".swc"):
        raise InputError("is not a morphology", file=path, expected="a .swc file")
    points = _read(file, path)
    _check_tree(points, path)
    if not axon:
        _prune_axon(points)
    soma = [i for i, point in points.items() if point.label == SOMA]
    sections = [Section("soma", SOMA, _soma(points, soma), -1, 0.0)]
    count = dict.fromkeys(_NAMES.values(), 0)
    # Stretches to follow: first point, section it is attached to, and the point it starts from.
    start: list[tuple[int, int, int]] = [(c, 0, i) for i in soma for c in points[i].children if c not in soma]
    start.sort(key=lambda stretch: points[stretch[0]].line, reverse=True)
    while start:
        first, parent, origin = start.pop()
        stretch = _stretch(points, first)
        lead = [] if points[origin].label == SOMA else [origin]
        label, ends = points[first].label, points[stretch[-1]].children
        traced = np.array([points[i].xyzd for i in (*lead, *stretch)])
        if len(traced) == 1 and not ends:  # a lone point at the soma: all there is of a neurite
            traced = np.array([[*points[origin].xyzd[:3], traced[0, 3]], traced[0]])
        if (traced[:, :3] == traced[0, :3]).all():  # no length, no section: what follows is attached to the parent
            section = parent
        else:
            section = len(sections)
            name = _NAMES[label]
            sections.append(Section(f"{name}_{count[name]}", label, traced, parent, 1.0))
            count[name] += 1
        start += [(child, section, stretch[-1]) for child in reversed(ends)]
    return Morphology(tuple(sections))


def _read(file: InputFile, path: str) -> dict[int, _Point]:
    points: dict[int, _Point] = {}
    kinds: dict[int, int] = {}
    for line, text in enumerate(file.text.splitlines(), start=1):
        words = text.partition("#")[0].split()
        if not words:
            continue
        try:
            if len(words) != 7:
                raise ValueError
            i, kind, parent = int(words[0]), int(words[1]), int(words[6])
            x, y, z, radius = (float(word) for word in words[2:6])
        except ValueError:
            expected = "id, type, x, y, z, radius and parent id"
            raise InputError("is not a point", file=path, line=line, value=text.strip(), expected=expected) from None
        if i in points:
            raise InputError("is used twice", file=path, line=line, key="id", value=i, expected="ids of their own")
        if kind not in LABELS and kind not in _INHERITED:
            known = "1 (soma), 2 (axon), 3 (basal dendrite) or 4 (apical dendrite)"
            raise InputError("is not a known type", file=path, line=line, key="type", value=kind, expected=known)
        if not np.isfinite([x, y, z, radius]).all() or radius <= 0:
            raise InputError("is not a radius or place", file=path, line=line, value=text.strip(), expected="> 0 um")
        kinds[i] = kind
        points[i] = _Point(line, "", np.array([x, y, z, 2 * radius]), parent, [])
    if not points:
        raise InputError("holds no point", file=path, expected="lines of id, type, x, y, z, radius, parent id")
    for i, point in points.items():
        owner = i
        for _ in points:  # a loop ends here, and is told by _check_tree
            if kinds[owner] in LABELS or points[owner].parent not in points:
                break
            owner = points[owner].parent
        point.label = LABELS.get(kinds[owner], "")
    return points


def _check_tree(points: dict[int, _Point], path: str) -> None:
    roots = [i for i, point in points.items() if point.parent < 0]
    for i, point in points.items():
        if point.parent >= 0:
            if point.parent not in points:
                raise InputError(
                    "is no point", file=path, line=point.line, key="parent", value=point.parent, expected="an id"
                )
            points[point.parent].children.append(i)
    if len(roots) != 1:
        line = points[roots[1]].line if roots else None
        raise InputError(f"has {len(roots)} roots", file=path, line=line, expected="one point without a parent")
    if points[roots[0]].label != SOMA:
        raise InputError("is the root", file=path, line=points[roots[0]].line, expected="a soma point (type 1) as root")
    reached, front = set(), [roots[0]]
    while front:
        i = front.pop()
        reached.add(i)
        front += points[i].children
    for i, point in points.items():
        if i not in reached:
            raise InputError("is in a loop", file=path, line=point.line, key="id", value=i, expected="a tree")
        if point.label == SOMA and point.parent >= 0 and points[point.parent].label != SOMA:
            raise InputError(
                "is apart from the soma", file=path, line=point.line, key="id", value=i, expected="one soma"
            )


def _prune_axon(points: dict[int, _Point]) -> None:
    """Take out axon points that lead to axon only."""
    order = [i for i, point in points.items() if point.parent < 0]
    for i in order:
        order += points[i].children
    for i in reversed(order):
        if points[i].label == AXON and not points[i].children:
            points[points[i].parent].children.remove(i)
            del points[i]


def _stretch(points: dict[int, _Point], first: int) -> list[int]:
    """Points from `first` to the next branch, end or change of type."""
    stretch = [first]
    while len(points[stretch[-1]].children) == 1:
        (following,) = points[stretch[-1]].children
        if points[following].label != points[first].label:
            break
        stretch.append(following)
    return stretch


def _soma(points: dict[int, _Point], soma: Sequence[int]) -> FloatArray:
    """3D points of the soma section."""
    at = np.array([points[i].xyzd for i in soma])
    path = _path(points, soma)
    if path is not None:
        traced = np.array([points[i].xyzd for i in path])
        length = np.sqrt((np.diff(traced[:, :3], axis=0) ** 2).sum(axis=1)).sum()
        gap = np.sqrt(((traced[-1, :3] - traced[0, :3]) ** 2).sum())
        if length > 0 and (len(path) <= 3 or gap >= length / 4):  # else it is an outline
            return traced
    centre = at[:, :3].mean(axis=0)
    distance = np.sqrt(((at[:, :3] - centre) ** 2).sum(axis=1)).mean()
    radius = distance if distance > 0 else at[0, 3] / 2
    return np.array([[centre[0] + side * radius, centre[1], centre[2], 2 * radius] for side in (-1, 0, 1)])


def _path(points: dict[int, _Point], soma: Sequence[int]) -> list[int] | None:
    """The soma's points as one path, from the end of one arm over the root to the other's; None if they branch."""
    inside = set(soma)
    (root,) = (i for i in soma if points[i].parent < 0)
    arms = []
    for arm in ([c] for c in points[root].children if c in inside):
        while ahead := [c for c in points[arm[-1]].children if c in inside]:
            arm += ahead[:1]
            if len(ahead) > 1:
                return None
        arms.append(arm)
    if len(arms) > 2:
        return None
    return [*reversed(arms[0]), root, *arms[1]] if len(arms) == 2 else [root, *(arms[0] if arms else ())]
