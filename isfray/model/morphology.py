"""The shape of a neuron: its sections, their 3D points, and who is attached to whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from isfray.arrays import F64, I32, ArrayEquality
from isfray.errors import InputError

SOMA, DENDRITE, APICAL, AXON, AIS, MYELIN = "Soma", "Dendrite", "ApicalDendrite", "Axon", "AIS", "Myelin"

FARTHEST, THINNEST, SHORTEST = 1e6, 1e-3, 1e-6
"""um: places beyond what NEURON's single precision tells apart, diameters thinner than a membrane, no length at all."""


def point_fault(point: Sequence[float]) -> tuple[str, float, str] | None:
    """Return what is wrong with x, y, z and diameter (um), the value, and what was expected; None if nothing is."""
    for value in point[:3]:
        if not abs(value) <= FARTHEST:
            return "is no place of a neuron", value, f"a coordinate within {FARTHEST:g} um"
    if not point[3] > 0:
        return "diameter is not positive", point[3], "> 0 um"
    if not THINNEST <= point[3] <= FARTHEST:
        return "is no diameter of a neuron", point[3], f"{THINNEST:g} to {FARTHEST:g} um"
    return None


@dataclass(frozen=True, eq=False)
class Section(ArrayEquality):
    """One section as a file describes it.

    Attributes
    ----------
    name : str
        Its name in the file.
    label : str
        Structure label: Soma, Dendrite, ApicalDendrite, Axon, AIS, Myelin.
    points : ndarray, shape (n, 4)
        x, y, z and diameter of its 3D points in um.
    parent : int
        Section id of the parent; -1 for the soma.
    parent_x : float
        Where on the parent its 0-end is attached, in [0, 1].
    """

    name: str
    label: str
    points: F64
    parent: int
    parent_x: float


@dataclass(frozen=True)
class Morphology:
    """All sections of a neuron; a section's id is its position. Section 0 is the soma.

    Children of the soma are attached at soma(0.5) whatever the file says (docs/formats.md, Morphologies).
    """

    sections: tuple[Section, ...]

    def __post_init__(self) -> None:
        somata = [i for i, s in enumerate(self.sections) if s.parent < 0]
        if somata != [0] or self.sections[0].label != SOMA:
            roots = ", ".join(self.sections[i].name[:60] for i in somata[:3]) or "none"
            roots += f" and {len(somata) - 3} more" if len(somata) > 3 else ""
            raise InputError(f"sections without a parent: {roots}", expected="exactly one, the soma, first in the file")
        for i, section in enumerate(self.sections[1:], start=1):
            if section.parent >= i:
                raise InputError(
                    f"section {section.name[:60]} stands before its parent", expected="parents before their children"
                )
        object.__setattr__(
            self, "sections", tuple(replace(s, parent_x=0.5) if s.parent == 0 else s for s in self.sections)
        )

    def __len__(self) -> int:
        return len(self.sections)

    def __iter__(self) -> Iterator[Section]:
        return iter(self.sections)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Structure label of every section."""
        return tuple(s.label for s in self.sections)

    @cached_property
    def parent(self) -> I32:
        """Parent's id of every section, -1 for the soma."""
        return np.array([s.parent for s in self.sections], np.int32)

    @cached_property
    def parent_x(self) -> F64:
        """Where on its parent every section is attached."""
        return np.array([s.parent_x for s in self.sections])

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Ids of the sections attached to every section, ascending."""
        out: list[list[int]] = [[] for _ in self.sections]
        for i, s in enumerate(self.sections):
            if s.parent >= 0:
                out[s.parent].append(i)
        return tuple(map(tuple, out))

    @cached_property
    def branch_label(self) -> tuple[str, ...]:
        """Label under which each section's branch is filed: that of the soma child its subtree starts at."""
        out: list[str] = []
        for s in self.sections:
            out.append(s.label if s.parent <= 0 else out[s.parent])
        return tuple(out)

    def with_label(self, label: str) -> list[int]:
        """Ids of the sections with this label, ascending."""
        return [i for i, s in enumerate(self.sections) if s.label == label]

    def leads_to(self, reached: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which sections lie on the way to (or are) one of the `reached` sections."""
        out = reached.copy()
        for i in range(len(self.sections) - 1, 0, -1):
            out[self.parent[i]] |= out[i]
        return out


def with_axon(morphology: Morphology) -> Morphology:
    """Append the artificial axon: hillock, initial segment and myelin, straight down from the soma.

    (docs/formats.md, Artificial axon)

    Notes
    -----
    After Hay et al. 2013 (J Neurophysiol 109:2972). The hillock carries the label AIS too.
    """
    soma = morphology.sections[0].points
    x, y, z, diameter = soma[len(soma) // 2]
    top = z - diameter / 2
    parts = [
        ("axon_0", AIS, 20.0, np.linspace(3.0, 1.75, 5)),
        ("axon_0_0", AIS, 30.0, np.linspace(1.75, 1.0, 7)),
        ("axon_0_0_0", MYELIN, 1000.0, np.full(21, 1.0)),
    ]
    sections = list(morphology.sections)
    for i, (name, label, length, diameters) in enumerate(parts):
        depth = np.linspace(top, top - length, len(diameters))
        points = np.column_stack([np.full_like(depth, x), np.full_like(depth, y), depth, diameters])
        sections.append(Section(name, label, points, len(sections) - 1 if i else 0, 1.0 if i else 0.5))
        top -= length
    return Morphology(tuple(sections))
