"""What a trial records: the soma, the recording sites, named places, or every segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from isfray.check import bound, lift, nearest, words
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.sites import RecordingSite, every_segment, named_site, soma_site

_ION_VARIABLE = re.compile(r"[ei](na|k|ca)|(na|k|ca)[io]")

MAX_VALUES = 2**30
"""Recorded values of one trial (8 GB); ISFRAY_MAX_VALUES sets another bound."""


@dataclass(frozen=True)
class Variable:
    """A range variable in every segment that has it.

    Attributes
    ----------
    name : str
        As asked for: `Ca_HVA.ica`, `cai`.
    attribute : str
        What a NEURON segment calls it.
    sites : tuple of RecordingSite
    """

    name: str
    attribute: str
    sites: tuple[RecordingSite, ...]


@dataclass(frozen=True)
class Recording:
    """What a trial records: voltage at `sites`, and range variables."""

    sites: tuple[RecordingSite, ...]
    variables: tuple[Variable, ...] = ()


def read_recording(cell: CellModel, record: str | Sequence[str]) -> Recording:
    """Return what to record.

    Parameters
    ----------
    cell : CellModel
    record : str or list of str
        "sites": the soma and the cell's recording sites. "all" or "v": those and every segment, as `sec_038_seg_032`.
        Places: "soma", a site's label, a segment's name, `38(0.93)` for section 38 at x = 0.93, or `Soma(0.5)` for the
        first section of that label.
        Range variables, recorded in every segment that has them: `Ca_HVA.ica` of a mechanism, or `cai`, `ica`, `eca` of
        an ion. A list may mix them. The soma is always recorded, because spikes are counted there; with variables alone
        the recording sites are too.

    Raises
    ------
    InputError
        For a name that is none of these.
    """
    names = list(dict.fromkeys([record] if isinstance(record, str) else words("record", record, "names of places")))
    if not names:
        raise InputError("is empty", key="record", expected='"sites", "all", places or range variables')
    default = (soma_site(), *cell.sites)
    known = {site.label: site for site in (*default, *every_segment(cell.geometry))}
    sites: list[RecordingSite] = []
    variables: list[Variable] = []
    for name in names:
        if name == "sites":
            sites += default
        elif name in ("all", "v"):
            sites += known.values()
        elif name in known:
            sites.append(known[name])
        elif variable := read_variable(cell, name):
            variables.append(variable)
        else:
            sites.append(_place(name, cell, known))
    sites = sites or list(default)
    if soma_site() not in sites:
        sites = [soma_site(), *sites]
    return Recording(tuple(dict.fromkeys(sites)), tuple(variables))


def read_variable(cell: CellModel, name: str) -> Variable | None:
    """Return a range variable in every segment that has it; None for a name that is none.

    Raises
    ------
    InputError
        For a variable that its mechanism does not have, or that is nowhere in this cell.
    """
    attribute = _attribute(name, cell)
    return _variable(name, attribute, cell) if attribute else None


def check_size(recording: Recording, t_stop: float, dt: float) -> None:
    """Refuse a trial (ms) whose recorded values would take all memory.

    Raises
    ------
    InputError
        Naming how many values and bytes they would be, and how to lift the bound.
    """
    places = len(recording.sites) + sum(len(variable.sites) for variable in recording.variables)
    values, most = t_stop / dt * places, bound("ISFRAY_MAX_VALUES", MAX_VALUES)
    if values > most:
        problem = f"makes a trial record {values:.3g} values ({8e-9 * values:.3g} GB)"
        raise InputError(problem, key="t_stop", value=t_stop, expected=lift("ISFRAY_MAX_VALUES", most))


def _attribute(name: str, cell: CellModel) -> str | None:
    if _ION_VARIABLE.fullmatch(name):
        return name
    mechanism, dot, variable = name.partition(".")
    return f"{variable}_{mechanism}" if dot and mechanism in cell.mechanisms else None


def _variable(name: str, attribute: str, cell: CellModel) -> Variable:
    mechanism, dot, variable = name.partition(".")
    if dot:
        about = cell.mechanisms[mechanism]
        choices = {*about.variables, *about.parameters}
        if variable not in choices:
            problem = f"is no variable of {mechanism}"
            raise InputError(problem, key="record", value=name, expected=nearest(variable, choices))
        carriers = {mechanism}
    else:
        match = _ION_VARIABLE.fullmatch(name)
        assert match is not None
        ion = match[1] or match[2]
        carriers = {m.name for m in cell.mechanisms.values() if ion in m.ions}
    labels = {m.label for m in cell.membranes if carriers & {mechanism.name for mechanism in m.mechanisms}}
    if not labels:
        raise InputError("is nowhere in this cell", key="record", value=name, expected="a variable of its mechanisms")
    on = [site for site in every_segment(cell.geometry) if cell.morphology.labels[site.section] in labels]
    return Variable(name, attribute, tuple(on))


def _place(name: str, cell: CellModel, known: Iterable[str]) -> RecordingSite:
    try:
        found = named_site(name, cell.geometry)
    except InputError as error:
        raise error.at(under=("record",)) from None
    if found is None:
        raise InputError("is no place of the cell", key="record", value=name, expected=nearest(name, known))
    return found
