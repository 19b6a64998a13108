"""Morphologies in `.hoc` files, read line by line and never executed (FORMATS 5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from isfray.errors import InputError
from isfray.model.inputs import InputFile
from isfray.model.morphology import APICAL, AXON, DENDRITE, SOMA, Morphology, Section

_LABELS = ((SOMA, ("soma",)), (DENDRITE, ("dend", "BasalDendrite")), (APICAL, ("apical",)), (AXON, ("axon",)))
_CONNECT = re.compile(r"connect\s+\S+?\(\s*([\d.eE+-]+)\s*\)\s*,\s*([^\s(]+)\s*\(\s*([\d.eE+-]+)\s*\)")


@dataclass
class _Open:
    """A section while its lines are read."""

    name: str
    label: str
    line: int
    points: list[tuple[float, ...]] = field(default_factory=list)
    parent: str | None = None
    parent_x: float = 0.0
    connect_line: int = 0


def read_hoc(file: InputFile) -> Morphology:
    """Read a morphology.

    Parameters
    ----------
    file : InputFile
        A `.hoc` file with `create`, `connect` and `pt3dadd` lines; everything else in it is ignored.

    Returns
    -------
    Morphology

    Raises
    ------
    InputError
        Naming file and line: a malformed line, a section without points or parent, two sections of one name.
    """
    path = file.path or file.name
    if not file.name.lower().endswith(".hoc"):
        raise InputError("is not a morphology", file=path, expected="a .hoc file")
    sections: list[_Open] = []
    current: _Open | None = None
    for number, line in enumerate(file.text.splitlines(), start=1):
        if "/*" in line and "*/" in line:
            continue
        if "pt3dadd" in line:
            if current is not None and "Spine" not in line:
                current.points.append(_point(line, path, number))
        elif "create" in line:
            current = _create(line, path, number)
            if current is not None:
                sections.append(current)
        elif "connect" in line and current is not None:
            match = _CONNECT.search(line)
            if match is None or not 0.0 <= float(match[3]) <= 1.0:
                raise InputError(
                    f"broken line {line.strip()!r}",
                    file=path,
                    line=number,
                    expected="connect child(0), parent(x), x in [0, 1]",
                )
            current.parent, current.parent_x, current.connect_line = match[2], float(match[3]), number
    return _assemble(sections, path)


def _point(line: str, path: str, number: int) -> tuple[float, ...]:
    inside = line.partition("(")[2].partition(")")[0].split(",")
    try:
        point = tuple(float(part) for part in inside)
    except ValueError:
        point = ()
    if len(point) != 4 or not np.isfinite(point).all():
        raise InputError(f"broken line {line.strip()!r}", file=path, line=number, expected="pt3dadd(x, y, z, diameter)")
    if point[3] <= 0:
        raise InputError("diameter is not positive", file=path, line=number, value=point[3], expected="> 0 um")
    return point


def _create(line: str, path: str, number: int) -> _Open | None:
    words = line.replace("{", " ").replace("}", " ").split()
    if len(words) < 2 or words[0] != "create":
        raise InputError(f"broken line {line.strip()!r}", file=path, line=number, expected="create NAME")
    labels = [label for label, marks in _LABELS if any(mark in line for mark in marks)]
    if len(labels) > 1:
        raise InputError(
            f"section {words[1]} could be {' or '.join(labels)}",
            file=path,
            line=number,
            expected="a name that says one structure",
        )
    return _Open(words[1], labels[0], number) if labels else None


def _assemble(opened: list[_Open], path: str) -> Morphology:
    ids: dict[str, int] = {}
    for i, section in enumerate(opened):
        if section.name in ids:
            raise InputError(f"section {section.name} is created twice", file=path, line=section.line)
        ids[section.name] = i
        if len(section.points) < 2:
            raise InputError(
                f"section {section.name} has {len(section.points)} 3D points",
                file=path,
                line=section.line,
                expected="at least 2",
            )
    sections = []
    for section in opened:
        parent = -1 if section.parent is None else ids.get(section.parent, -2)
        if parent == -2 or (parent == -1 and section.label != SOMA):
            wrong = (
                f"is connected to {section.parent}, which is no section"
                if section.parent
                else "is connected to nothing"
            )
            raise InputError(f"section {section.name} {wrong}", file=path, line=section.connect_line or section.line)
        points = np.array(section.points, np.float64)
        sections.append(Section(section.name, section.label, points, parent, section.parent_x))
    if not sections:
        raise InputError("holds no section", file=path, expected="create, connect and pt3dadd lines")
    try:
        return Morphology(tuple(sections))
    except InputError as error:
        raise InputError(error.problem, file=path, expected=error.expected) from None
