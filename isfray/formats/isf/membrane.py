"""One structure of a cell parameter file (docs/formats.md, Cell files, Spatial distributions)."""

from __future__ import annotations

from typing import Any

from isfray.check import nearest
from isfray.formats.isf.entry import Entry
from isfray.model import ranges
from isfray.model.membrane import DISTRIBUTIONS, NEURON_CM, NEURON_RA, Membrane, RangeMechanism, Spines

_STEERING = {"outsidescale_sections"}.union(*DISTRIBUTIONS.values())


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
