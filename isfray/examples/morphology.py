"""A layer 5 thick-tufted pyramidal neuron grown by code: synthetic, no reconstruction.

Shape and sizes follow what is reported of the class in rat barrel cortex (Oberlaender et al. 2012, Cereb Cortex
22:2375; Hay et al. 2011, PLoS Comput Biol 7:e1002107): basal trees around the soma, a thick apical trunk with obliques
in its first third, one main bifurcation about 800 um from the soma, and a tuft that spreads below the pia.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from isfray.arrays import F64
from isfray.model.morphology import APICAL, DENDRITE, SOMA, Morphology, Section

SEED = 3
SOMA_DEPTH = 1200.0
"""Depth of the soma's centre below the pia, um. The pia is the plane z = 0; z points up, along the column."""

_STEP = 4.0
_UP = np.array([0.0, 0.0, 1.0])
_THINNEST = 0.5
_OBLIQUES_AT = (40.0, 85.0, 130.0, 180.0, 240.0, 310.0, 400.0, 510.0)
_BIFURCATION_AT = 800.0
_BASAL_TREES = 8


@dataclass(frozen=True)
class _Branching:
    """How a kind of dendrite branches: one entry an order, the last one for all terminal sections.

    Lengths are um; `splits` is the probability that a section of that order ends in a bifurcation, `angle` half the
    angle between the two daughters (rad), `pull` how strongly growth bends towards the preferred direction (1/um) and
    `wander` how strongly it strays.
    """

    name: str
    label: str
    lengths: tuple[tuple[float, float], ...]
    splits: tuple[float, ...]
    angle: float
    pull: float
    wander: float = 0.11


_BASAL = _Branching(
    "dend", DENDRITE, ((15, 40), (25, 55), (30, 70), (90, 150)), (1.0, 1.0, 0.35), angle=0.5, pull=0.004
)
_OBLIQUE = _Branching("apical_oblique", APICAL, ((25, 60), (90, 150)), (0.8,), angle=0.4, pull=0.002)
_TUFT = _Branching(
    "apical_tuft", APICAL, ((70, 110), (80, 120), (80, 120), (110, 170)), (1.0, 1.0, 0.6), angle=0.5, pull=0.012
)


def grow(seed: int = SEED) -> Morphology:
    """Grow the neuron.

    Parameters
    ----------
    seed : int
        The same seed gives the same neuron, to the last digit.

    Returns
    -------
    Morphology
        Soma, basal trees, apical trunk with obliques, and tuft; coordinates rounded to 0.001 um. The soma's centre is
        at (0, 0, -`SOMA_DEPTH`).
    """
    return _Growth(np.random.default_rng(seed)).neuron()


@dataclass
class _Growth:
    """Sections grown so far."""

    rng: np.random.Generator
    sections: list[Section] = field(default_factory=list)

    def neuron(self) -> Morphology:
        centre = np.array([0.0, 0.0, -SOMA_DEPTH])
        along = np.linspace(-1.0, 1.0, 11)
        profile = 17.0 * np.sqrt(1.0 - (0.93 * along) ** 2)
        self._add("soma", SOMA, np.column_stack([np.outer(11.0 * along, _UP) + centre, profile]), -1)
        for k in range(_BASAL_TREES):
            around = 2 * math.pi * (k + self.rng.uniform(-0.25, 0.25)) / _BASAL_TREES
            away = _unit(np.array([math.cos(around), math.sin(around), self.rng.uniform(-1.2, 0.25)]))
            self._tree(_BASAL, f"_{k}", 0, centre + 8.0 * away, away, away, self.rng.uniform(1.8, 2.4))
        self._apical(centre + 11.0 * _UP)
        return Morphology(tuple(self.sections))

    def _apical(self, start: F64) -> None:
        """Trunk, an oblique at each of its nodes, and the tuft where it ends."""
        parent, direction, reached, turn = 0, _UP, 0.0, self.rng.uniform(0, 2 * math.pi)
        for k, end in enumerate((*_OBLIQUES_AT, _BIFURCATION_AT)):
            thick = [4.4 - 2.2 * (x / _BIFURCATION_AT) ** 0.6 for x in (reached, end)]
            points = self._path(start, direction, end - reached, thick[0], thick[1], _UP, 0.02, 0.03)
            parent = self._add(f"apical_trunk_{k}", APICAL, points, parent)
            start, direction, reached = points[-1, :3], _unit(points[-1, :3] - points[-3, :3]), end
            if k < len(_OBLIQUES_AT):
                turn += 2.4 + self.rng.uniform(-0.4, 0.4)
                away = _unit(np.array([math.cos(turn), math.sin(turn), self.rng.uniform(-0.2, 0.8)]))
                self._tree(_OBLIQUE, f"_{k}", parent, start, away, away, self.rng.uniform(1.0, 1.5))
        turn = self.rng.uniform(0, 2 * math.pi)
        for k in range(2):
            side = np.array([math.cos(turn + k * math.pi), math.sin(turn + k * math.pi), 0.0])
            self._tree(_TUFT, f"_{k}", parent, start, _unit(0.6 * side + _UP), _unit(0.35 * side + _UP), 2.0)

    def _tree(
        self,
        kind: _Branching,
        name: str,
        parent: int,
        start: F64,
        direction: F64,
        preferred: F64,
        diameter: float,
        order: int = 0,
    ) -> None:
        splits = order < len(kind.splits) and self.rng.random() < kind.splits[order]
        length = self.rng.uniform(*kind.lengths[order if splits else -1])
        last = max(_THINNEST, diameter * (0.85 if splits else 0.65))
        points = self._path(start, direction, length, diameter, last, preferred, kind.pull, kind.wander)
        here = self._add(kind.name + name, kind.label, points, parent)
        if not splits:
            return
        heading = _unit(points[-1, :3] - points[-3, :3])
        aside = kind.angle * self._perpendicular(heading)
        for k, sign in enumerate((1.0, -1.0)):
            daughter = max(_THINNEST, last * self.rng.uniform(0.68, 0.85))
            self._tree(
                kind, f"{name}_{k}", here, points[-1, :3], _unit(heading + sign * aside), preferred, daughter, order + 1
            )

    def _path(
        self,
        start: F64,
        direction: F64,
        length: float,
        first: float,
        last: float,
        preferred: F64,
        pull: float,
        wander: float,
    ) -> F64:
        """Return the 3D points of one unbranched stretch, shape (n, 4), tapering linearly."""
        steps = max(3, round(length / _STEP))
        points = np.empty((steps + 1, 3))
        points[0] = start
        for i in range(steps):
            bend = preferred * np.array([1.0, 1.0, min(1.0, max(-1.0, (-40.0 - points[i, 2]) / 80.0))])
            direction = _unit(direction + pull * _STEP * bend + wander * self.rng.standard_normal(3))
            points[i + 1] = points[i] + direction * (length / steps)
        return np.column_stack([points, np.linspace(first, last, steps + 1)])

    def _perpendicular(self, direction: F64) -> F64:
        other = self.rng.standard_normal(3)
        return _unit(other - (other @ direction) * direction)

    def _add(self, name: str, label: str, points: F64, parent: int) -> int:
        self.sections.append(Section(name, label, np.round(points, 3), parent, 0.5 if parent == 0 else 1.0))
        return len(self.sections) - 1


def _unit(vector: F64) -> F64:
    out: F64 = vector / math.sqrt(float(vector @ vector))
    return out
