"""Lengths, segments and distances of a discretized morphology.

(docs/formats.md, Morphologies, Discretization, Distances)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from isfray.arrays import F64, I32, ArrayEquality
from isfray.errors import InputError
from isfray.model.morphology import AIS, APICAL, DENDRITE, MYELIN, Morphology

FAR_APICAL = 1000.0
"""Soma distance (um) beyond which an apical section counts as tuft (docs/formats.md, Cell modify functions)."""

_MOST_IN_SECTION, _MOST_IN_CELL = 32_767, 1_000_000  # segments; the first is NEURON's


@dataclass(frozen=True)
class Discretization:
    """How sections are cut into segments: d_lambda rule at frequency `f` (Hz), segments at most `max_seg_length` um."""

    f: float = 100.0
    max_seg_length: float | None = None


@dataclass(frozen=True, eq=False)
class Geometry(ArrayEquality):
    """A morphology cut into segments. Distances are path lengths between NEURON's nodes, in um.

    Attributes
    ----------
    morphology : Morphology
        Sections and 3D points, unscaled.
    nseg : ndarray of int32, shape (sections,)
        Number of segments of every section.
    """

    morphology: Morphology
    nseg: I32

    @cached_property
    def L(self) -> F64:  # noqa: N802 (the field's name)
        """Length of every section as NEURON computes it from single-precision points."""
        return np.array([neuron_length(s.points) for s in self.morphology])

    @cached_property
    def offsets(self) -> I32:
        """First segment of every section in the flat order of segments, and their total; shape (sections + 1,)."""
        return np.concatenate([[0], np.cumsum(self.nseg)]).astype(np.int32)

    @property
    def n_segments(self) -> int:
        """Number of segments."""
        return int(self.offsets[-1])

    @cached_property
    def section_of_segment(self) -> I32:
        """Section id of every segment; shape (segments,)."""
        return np.repeat(np.arange(len(self.nseg), dtype=np.int32), self.nseg)

    @cached_property
    def segment_x(self) -> F64:
        """Centre of every segment in its section, in (0, 1)."""
        within = np.arange(self.n_segments) - self.offsets[self.section_of_segment]
        out: F64 = (within + 0.5) / self.nseg[self.section_of_segment]
        return out

    @cached_property
    def relpts(self) -> tuple[F64, ...]:
        """Relative position of every 3D point along its section, 0 to 1 (docs/formats.md, Morphologies)."""
        out = []
        for section, length in zip(self.morphology, self.L, strict=True):
            steps = np.sqrt((np.diff(section.points[:, :3], axis=0) ** 2).sum(axis=1))
            along = np.concatenate([[0.0], np.cumsum(steps)]) / length
            along *= 1.0 / along[-1]
            along[-1] = 1.0
            out.append(along)
        return tuple(out)

    def segment_index(self, section: int, x: float) -> int:
        """Return the segment of `section` that NEURON means by x."""
        return min(int(x * self.nseg[section]), int(self.nseg[section]) - 1)

    def _node_position(self, section: int, x: float) -> float:
        """Return where along the section (um from its 0-end) the node lies that NEURON attaches at x."""
        length = float(self.L[section])
        if x <= 0.0:
            return 0.0
        if x >= 1.0:
            return length
        return (self.segment_index(section, x) + 0.5) / int(self.nseg[section]) * length

    @cached_property
    def start(self) -> F64:
        """Distance of every section's 0-end from soma(0); shape (sections,)."""
        out = np.zeros(len(self.morphology))
        for i, s in enumerate(self.morphology.sections[1:], start=1):
            out[i] = out[s.parent] + self._node_position(s.parent, s.parent_x)
        return out

    @cached_property
    def end(self) -> F64:
        """Distance of every section's 1-end from soma(0); shape (sections,)."""
        return self.start + self.L

    @cached_property
    def segment_distance(self) -> F64:
        """Distance of every segment centre from soma(0); shape (segments,)."""
        section = self.section_of_segment
        return self.start[section] + self.segment_x * self.L[section]

    def root(self, label: str) -> float | None:
        """Distance from soma(0) of the 0-end of the label's first section at the soma; None if there is none."""
        if label == self.morphology.labels[0]:
            return 0.0
        roots = [i for i in self.morphology.children[0] if self.morphology.labels[i] == label]
        return float(self.start[roots[0]]) if roots else None

    def max_distance(self, label: str) -> float:
        """Return the largest root distance of a terminal section's 1-end in the label's branches (`maxDist`)."""
        m = self.morphology
        if label == m.labels[0]:
            return float(self.L[0])
        root = self.root(label)
        assert root is not None, "asked only for labels with a section at the soma"
        ends = [self.end[i] for i in range(1, len(m)) if m.branch_label[i] == label and not m.children[i]]
        return float(max(ends)) - root

    @cached_property
    def surface_start(self) -> F64:
        """Distance of every section's 0-end from the soma's surface: `soma_distance` starts there.

        (docs/formats.md, Distances)
        """
        out = np.zeros(len(self.morphology))
        for i, s in enumerate(self.morphology.sections[1:], start=1):
            out[i] = 0.0 if s.parent == 0 else out[s.parent] + s.parent_x * self.L[s.parent]
        return out

    def apical_position(self, distance: float) -> tuple[int, float] | None:
        """Return section and x on the apical path at this soma(0) distance; None if there is none.

        (docs/formats.md, Cell modify functions)
        """
        m = self.morphology
        on_path = m.leads_to(self.end > FAR_APICAL)
        there = [i for i in m.with_label(APICAL) if on_path[i] and self.end[i] > distance]
        if not there:
            return None
        section = min(there, key=lambda i: self.end[i])
        x = (distance - self.start[section]) / self.L[section]
        return (section, float(x)) if x >= 0 else None

    @cached_property
    def main_bifurcation(self) -> int | None:
        """Section that ends in the main bifurcation; None if there is not exactly one.

        (docs/formats.md, Cell modify functions)
        """
        m = self.morphology
        beyond = self.end > FAR_APICAL
        far = m.leads_to(beyond)
        inner = [
            m.labels[i] in (DENDRITE, APICAL) and bool(beyond[i] or sum(far[c] for c in m.children[i]) >= 2)
            for i in range(len(m))
        ]
        depth = [0] * len(m)
        for i in range(len(m)):
            depth[i] = inner[i] + (depth[m.parent[i]] if i else 0)
        first = [i for i in range(len(m)) if inner[i] and depth[i] == 1]
        return first[0] if len(first) == 1 else None


def neuron_length(points: F64) -> float:
    """Return the arc length NEURON gives a section: steps between float32 points, summed in double precision."""
    step = np.diff(points[:, :3].astype(np.float32), axis=0).astype(np.float64)
    return float(np.cumsum(np.sqrt((step**2).sum(axis=1)))[-1])


def discretize(
    morphology: Morphology,
    rule: Discretization,
    ra: Callable[[str], float],
    cm: Callable[[str], float],
) -> Geometry:
    """Choose the number of segments of every section by the d_lambda rule (docs/formats.md, Discretization).

    Parameters
    ----------
    morphology : Morphology
    rule : Discretization
    ra, cm : callable
        Axial resistivity (Ohm cm) and specific capacitance (uF/cm2) of a label, before any spine factor.

    Raises
    ------
    InputError
        If there would be more segments than NEURON can take.
    """
    nseg: Sequence[int] = [
        len(s.points)
        if s.label in (AIS, MYELIN) and morphology.branch_label[i] in (AIS, MYELIN)
        else _nseg(s.points, rule, ra(s.label), cm(s.label))
        for i, s in enumerate(morphology)
    ]
    if max(nseg) > _MOST_IN_SECTION or sum(nseg) > _MOST_IN_CELL:
        raise InputError(
            f"gives {max(nseg):.4g} segments to one section, {sum(nseg):.4g} to the cell",
            expected=f"at most {_MOST_IN_SECTION:,} and {_MOST_IN_CELL:,}: see Ra, cm, f and max_seg_length",
        )
    return Geometry(morphology, np.array(nseg, np.int32))


def _nseg(points: F64, rule: Discretization, ra: float, cm: float) -> int:
    length, diameter = neuron_length(points), float(points[len(points) // 2, 3])
    lambda_f = 1e5 * math.sqrt(diameter / (4 * math.pi * rule.f * ra * cm))
    nseg = 2 * math.floor((length / (0.1 * lambda_f) + 0.5) / 2) + 1
    if rule.max_seg_length is not None and length / nseg > rule.max_seg_length:
        nseg = math.ceil(length / rule.max_seg_length)
    return nseg
