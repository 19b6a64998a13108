"""What the membrane of a structure is made of, and how densities vary over it.

(docs/formats.md, Cell files, Spatial distributions)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.arrays import F64
from isfray.model.geometry import Geometry
from isfray.model.morphology import APICAL

NEURON_RA, NEURON_CM = 35.4, 1.0
"""NEURON's defaults, which sections keep whose label is not in the file (Ohm cm, uF/cm2)."""


@dataclass(frozen=True)
class Spines:
    """Spines of a structure: density (1/um) and area of one (um2)."""

    density: float
    area: float


@dataclass(frozen=True)
class RangeMechanism:
    """One density mechanism of a structure.

    Attributes
    ----------
    name : str
        NEURON's name of it, such as `NaTa_t`.
    spatial : str
        Its distribution, one of `DISTRIBUTIONS`.
    steering : mapping
        The keys that steer the distribution.
    parameters : mapping
        Values of its RANGE parameters before the distribution scales them.
    """

    name: str
    spatial: str
    steering: Mapping[str, Any]
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Membrane:
    """Passive properties (Ohm cm, uF/cm2), ions, spines and mechanisms of one structure label."""

    label: str
    ra: float
    cm: float
    ions: Mapping[str, float]
    spines: Spines | None
    mechanisms: tuple[RangeMechanism, ...]


@dataclass(frozen=True)
class Place:
    """Where the segments of one label are, in um; arrays of shape (segments of the label,)."""

    from_root: F64
    from_soma: F64
    above_soma: F64
    section: F64
    max_distance: float


Rule = Callable[[float, F64, Mapping[str, Any]], F64]


def _exponential(p: float, d: F64, k: Mapping[str, Any]) -> F64:
    out: F64 = p * (k["offset"] + k["linScale"] * np.exp(k["_lambda"] * (d - k["xOffset"])))
    return out


def _capped_exponential(p: float, d: F64, k: Mapping[str, Any]) -> F64:
    out: F64 = np.minimum(_exponential(p, d, k), k["max_g"])
    return out


def _sigmoid(p: float, d: F64, k: Mapping[str, Any]) -> F64:
    out: F64 = p * (k["offset"] + k["linScale"] / (1 + np.exp((d - k["xOffset"]) / k["width"])))
    return out


def _linear(p: float, d: F64, k: Mapping[str, Any]) -> F64:
    out: F64 = np.maximum(p * (k["slope"] * d + 1), p * k["offset"])
    return out


def _linear_capped(p: float, d: F64, k: Mapping[str, Any]) -> F64:
    reach = k["dist_value_distance"]
    slope = (k["dist_value"] - k["prox_value"]) / reach
    out: F64 = np.where(d >= reach, k["dist_value"], k["prox_value"] + slope * d)
    return out


_EXP = ("distance", "offset", "linScale", "_lambda", "xOffset")

DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "uniform": (),
    "linear": ("distance", "slope", "offset"),
    "linear_capped": ("distance", "param_name", "prox_value", "dist_value", "dist_value_distance"),
    "exponential": _EXP,
    "capped_exponential": (*_EXP, "max_g"),
    "exponential_by_z_dist": _EXP,
    "sigmoid": ("distance", "offset", "linScale", "xOffset", "width"),
    "uniform_range": ("begin", "end", "outsidescale"),
}
"""Spatial distributions and the keys each requires; `uniform_range` may list `outsidescale_sections` too."""

_RULES: Mapping[str, Rule] = {
    "exponential": _exponential,
    "capped_exponential": _capped_exponential,
    "exponential_by_z_dist": _exponential,
    "sigmoid": _sigmoid,
    "linear": _linear,
    "linear_capped": _linear_capped,
}


def densities(mechanism: RangeMechanism, label: str, geometry: Geometry) -> dict[str, F64]:
    """Return each parameter's value in every segment of the label (docs/formats.md, Spatial distributions).

    Parameters
    ----------
    mechanism : RangeMechanism
    label : str
        Structure whose sections carry the mechanism.
    geometry : Geometry

    Returns
    -------
    dict of ndarray
        Parameter -> values in the units of the mechanism, segments of the label's sections in id order.
    """
    place = _place(label, geometry, mechanism.spatial)
    d = _distance(mechanism, label, place)
    k = mechanism.steering
    with np.errstate(over="ignore", invalid="ignore"):  # a density that is not finite is refused by its range
        if mechanism.spatial == "linear_capped":
            return {k["param_name"]: _linear_capped(0.0, d, k)}
        return {name: _spread(mechanism, p, d, place) for name, p in mechanism.parameters.items()}


def _spread(mechanism: RangeMechanism, p: float, d: F64, place: Place) -> F64:
    k = mechanism.steering
    if mechanism.spatial == "uniform":
        return np.full(d.shape, p)
    if mechanism.spatial == "uniform_range":
        inside = (k["begin"] <= d) & (d <= k["end"])
        inside &= ~np.isin(place.section, k.get("outsidescale_sections", ()))
        return np.where(inside, p, p * k["outsidescale"])
    return _RULES[mechanism.spatial](p, d, k)


def _distance(mechanism: RangeMechanism, label: str, place: Place) -> F64:
    relative = mechanism.steering.get("distance") == "relative"
    if mechanism.spatial in ("linear", "linear_capped"):
        d = place.from_soma
    elif mechanism.spatial == "exponential_by_z_dist":
        d = place.above_soma if label == APICAL else place.from_root
        if not relative:
            return d / 1000.0
    else:
        d = place.from_root
    return d / place.max_distance if relative else d


def _place(label: str, g: Geometry, spatial: str) -> Place:
    ids = np.array(g.morphology.with_label(label), np.int32)
    segments = np.flatnonzero(np.isin(g.section_of_segment, ids))
    section = g.section_of_segment[segments]
    from_soma = g.segment_distance[segments]
    root = g.root(label)
    if root is None:  # only `uniform` reaches here, which looks at no distance
        return Place(np.full(len(segments), np.nan), from_soma, from_soma, section.astype(np.float64), np.nan)
    above = np.zeros(len(segments))
    if spatial == "exponential_by_z_dist":
        soma = g.morphology.sections[0].points
        heights = [np.interp(_centres(g, i), g.relpts[i], g.morphology.sections[i].points[:, 2]) for i in ids]
        above = np.concatenate(heights) - soma[len(soma) // 2, 2]
    return Place(from_soma - root, from_soma, above, section.astype(np.float64), g.max_distance(label))


def _centres(g: Geometry, section: int) -> F64:
    return g.segment_x[g.offsets[section] : g.offsets[section + 1]]
