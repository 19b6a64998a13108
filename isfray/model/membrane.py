"""What the membrane of a structure is made of, and how densities vary over it (FORMATS 2.1, 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.check import nearest
from isfray.model import ranges
from isfray.model.entry import Entry
from isfray.model.geometry import Geometry
from isfray.model.morphology import APICAL, FloatArray

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

    from_root: FloatArray
    from_soma: FloatArray
    above_soma: FloatArray
    section: FloatArray
    max_distance: float


Rule = Callable[[float, FloatArray, Mapping[str, Any]], FloatArray]


def _exponential(p: float, d: FloatArray, k: Mapping[str, Any]) -> FloatArray:
    out: FloatArray = p * (k["offset"] + k["linScale"] * np.exp(k["_lambda"] * (d - k["xOffset"])))
    return out


def _capped_exponential(p: float, d: FloatArray, k: Mapping[str, Any]) -> FloatArray:
    out: FloatArray = np.minimum(_exponential(p, d, k), k["max_g"])
    return out


def _sigmoid(p: float, d: FloatArray, k: Mapping[str, Any]) -> FloatArray:
    out: FloatArray = p * (k["offset"] + k["linScale"] / (1 + np.exp((d - k["xOffset"]) / k["width"])))
    return out


def _linear(p: float, d: FloatArray, k: Mapping[str, Any]) -> FloatArray:
    out: FloatArray = np.maximum(p * (k["slope"] * d + 1), p * k["offset"])
    return out


def _linear_capped(p: float, d: FloatArray, k: Mapping[str, Any]) -> FloatArray:
    reach = k["dist_value_distance"]
    slope = (k["dist_value"] - k["prox_value"]) / reach
    out: FloatArray = np.where(d >= reach, k["dist_value"], k["prox_value"] + slope * d)
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

_STEERING = {"outsidescale_sections"}.union(*DISTRIBUTIONS.values())

_RULES: Mapping[str, Rule] = {
    "exponential": _exponential,
    "capped_exponential": _capped_exponential,
    "exponential_by_z_dist": _exponential,
    "sigmoid": _sigmoid,
    "linear": _linear,
    "linear_capped": _linear_capped,
}


def densities(mechanism: RangeMechanism, label: str, geometry: Geometry) -> dict[str, FloatArray]:
    """Return each parameter's value in every segment of the label (FORMATS 2.2).

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


def _spread(mechanism: RangeMechanism, p: float, d: FloatArray, place: Place) -> FloatArray:
    k = mechanism.steering
    if mechanism.spatial == "uniform":
        return np.full(d.shape, p)
    if mechanism.spatial == "uniform_range":
        inside = (k["begin"] <= d) & (d <= k["end"])
        inside &= ~np.isin(place.section, k.get("outsidescale_sections", ()))
        return np.where(inside, p, p * k["outsidescale"])
    return _RULES[mechanism.spatial](p, d, k)


def _distance(mechanism: RangeMechanism, label: str, place: Place) -> FloatArray:
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


def _centres(g: Geometry, section: int) -> FloatArray:
    return g.segment_x[g.offsets[section] : g.offsets[section + 1]]


def read_membrane(entry: Entry, label: str, at_soma: bool) -> Membrane:
    """Read one structure of a cell parameter file.

    Parameters
    ----------
    entry : Entry
        The mapping under the label.
    label : str
    at_soma : bool
        Whether the label has a section at the soma: without one only `uniform` is defined.
    """
    entry.only(("properties", "mechanisms"))
    properties = entry.child("properties")
    properties.only(("Ra", "cm", "ions", "spines"))
    ions = properties.optional("ions")
    spines = properties.optional("spines")
    if spines is not None:
        spines.only(("density", "area"))
    mechanisms = entry.optional("mechanisms")
    if mechanisms is not None:
        mechanisms.only(("global", "range"))
    inserted = mechanisms.optional("range") if mechanisms is not None else None
    return Membrane(
        label,
        properties.number("Ra", NEURON_RA, **ranges.RESISTIVITY),
        properties.number("cm", NEURON_CM, **ranges.CAPACITANCE),
        {} if ions is None else {ion: ions.number(ion, **_of_ion(ion)) for ion in ions},
        None
        if spines is None
        else Spines(spines.number("density", **ranges.SPINE_DENSITY), spines.number("area", **ranges.SPINE_AREA)),
        () if inserted is None else tuple(_read_mechanism(inserted.child(name), name, at_soma) for name in inserted),
    )


def _of_ion(name: str) -> ranges.Range:
    return ranges.POTENTIAL if name.startswith("e") else ranges.CONCENTRATION


def _read_mechanism(entry: Entry, name: str, at_soma: bool) -> RangeMechanism:
    spatial = entry.text("spatial")
    if spatial not in DISTRIBUTIONS:
        raise entry.error("spatial", "is not a spatial distribution", expected=nearest(spatial, DISTRIBUTIONS))
    if spatial != "uniform" and not at_soma:
        raise entry.error("spatial", "needs a section of this label at the soma", expected="uniform")
    steering: dict[str, Any] = {}
    for key in DISTRIBUTIONS[spatial]:
        steering[key] = entry.text(key) if key in ("distance", "param_name") else entry.number(key)
    if spatial == "uniform_range" and "outsidescale_sections" in entry:
        sections = entry.data["outsidescale_sections"]
        if not isinstance(sections, list) or not all(type(i) is int for i in sections):
            raise entry.error("outsidescale_sections", "is not a list of section ids", expected="[id, ...]")
        steering["outsidescale_sections"] = tuple(sections)
    if spatial == "linear_capped":
        entry.number("dist_value_distance", above=0, unit="um")
    if spatial == "sigmoid" and steering["width"] == 0:
        raise entry.error("width", "is zero", expected="a width other than 0")
    steers = {"spatial", *steering, *(key for key in _STEERING if key not in entry)}  # null, of another distribution
    parameters = {key: entry.number(key) for key in entry if key not in steers}
    return RangeMechanism(name, spatial, steering, parameters)
