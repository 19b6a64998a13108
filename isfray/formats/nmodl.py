"""What the mechanisms call their parameters, read from the NMODL sources: no compiler, no NEURON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from isfray.errors import InputError
from isfray.model.ranges import Range, of_parameter

_KIND = re.compile(r"\b(SUFFIX|POINT_PROCESS)\s+(\w+)")
_PARAMETER = re.compile(r"(\w+)\s*=\s*([-+.\deE]+)[ \t]*(?:\(([^)]*)\))?")
_RISE_AND_DECAY = re.compile(r"\bpeak_norm\(\s*(\w+)\s*,\s*(\w+)\s*\)\s*$", re.MULTILINE)
_WEIGHT = re.compile(r"(\w+)\s*\(nS\)")


@dataclass(frozen=True)
class Mechanism:
    """One density mechanism or point process.

    Attributes
    ----------
    name : str
        As in ``insert`` or as the class of the point process.
    kind : {"density", "point process"}
        Which of the two.
    parameters : mapping
        The settable RANGE parameters and their defaults.
    global_parameters : mapping
        The settable GLOBAL parameters (in NEURON ``<parameter>_<mechanism>``) and their defaults.
    variables : frozenset of str
        The states and RANGE variables that a simulation can record.
    weights : tuple of str
        The weights an input gives (nS), in the order of the ``NetCon``; empty if it takes no input.
    ions : frozenset of str
        Ions it reads or writes: na, k, ca.
    units : mapping
        Of every parameter, as the file has it; empty for a plain number.
    rise_and_decay : tuple of (str, str)
        Pairs of time constants whose exponentials are subtracted: they must differ.
    """

    name: str
    kind: Literal["density", "point process"]
    parameters: Mapping[str, float]
    global_parameters: Mapping[str, float]
    variables: frozenset[str]
    weights: tuple[str, ...] = ()
    ions: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)
    rise_and_decay: tuple[tuple[str, str], ...] = ()

    def range_of(self, parameter: str) -> Range:
        """Return the values a parameter can mean."""
        default = {**self.parameters, **self.global_parameters}[parameter]
        return of_parameter(parameter, self.units.get(parameter, ""), default)


# NEURON's own that cell files name
_BUILT_IN = (
    Mechanism(
        "pas",
        "density",
        {"g": 0.001, "e": -70.0},
        {},
        frozenset({"i"}),
        units={"g": "S/cm2", "e": "mV"},
    ),
    Mechanism(
        "hh",
        "density",
        {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003, "el": -54.3},
        {},
        frozenset({"gna", "gk", "il", "m", "h", "n"}),
        ions=frozenset({"na", "k"}),
        units={"gnabar": "S/cm2", "gkbar": "S/cm2", "gl": "S/cm2", "el": "mV"},
    ),
)


@cache
def known_mechanisms(folder: Path | None = None) -> Mapping[str, Mechanism]:
    """Every mechanism a cell or network file may name: those of `folder`, and NEURON's ``pas`` and ``hh``.

    Parameters
    ----------
    folder : Path, optional
        The ``.mod`` files; by default those of isfray.

    Returns
    -------
    mapping of str to Mechanism
        By name.
    """
    read = (read_mechanism(path) for path in sorted((folder or mod_folder()).glob("*.mod")))
    return MappingProxyType({one.name: one for one in (*_BUILT_IN, *read)})


def read_mechanism(path: Path) -> Mechanism:
    """Read the names and defaults of one ``.mod`` file and of what it includes."""
    text = _source(path)
    neuron = _blocks("NEURON", text)
    kind = _KIND.search(neuron)
    if kind is None:
        raise ValueError(f"{path}: no SUFFIX and no POINT_PROCESS")
    ranged, shared = _listed("RANGE", neuron), _listed("GLOBAL", neuron)
    found = _PARAMETER.findall(_blocks("PARAMETER", text))
    defaults = {name: float(value) for name, value, _ in found}
    states = set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", _blocks("STATE", text))))
    states -= _listed("WRITE", neuron)  # a concentration belongs to the ion
    received = re.search(r"NET_RECEIVE\s*\(([^{]*)\)\s*{", text)
    return Mechanism(
        name=kind[2],
        kind="density" if kind[1] == "SUFFIX" else "point process",
        parameters=MappingProxyType({name: value for name, value in defaults.items() if name in ranged}),
        global_parameters=MappingProxyType({name: value for name, value in defaults.items() if name in shared}),
        variables=frozenset((ranged - defaults.keys()) | states),
        weights=tuple(_WEIGHT.findall(received[1])) if received else (),
        ions=frozenset(re.findall(r"\bUSEION\s+(\w+)", neuron)),
        units=MappingProxyType({name: unit for name, _, unit in found}),
        rise_and_decay=tuple(_RISE_AND_DECAY.findall(_blocks("INITIAL", text))),
    )


def _source(path: Path) -> str:
    text = re.sub(r"\bCOMMENT\b.*?\bENDCOMMENT\b", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r":.*", "", text)
    return re.sub(r'\bINCLUDE\s+"(.*?)"', lambda included: _source(path.parent / included[1]), text)


def _blocks(name: str, text: str) -> str:
    return "\n".join(re.findall(rf"\b{name}\s*{{(.*?)}}", text, flags=re.DOTALL))


def _listed(keyword: str, block: str) -> set[str]:
    return {
        name for names in re.findall(rf"\b{keyword}\s+(\w+(?:\s*,\s*\w+)*)", block) for name in re.split(r"\W+", names)
    }


def mod_folder() -> Path:
    """Folder of the ``.mod`` files: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "mod", package.parent / "mod"):
        if folder.is_dir():
            return folder
    raise InputError("has no mechanisms beside it", file=str(package), expected="a folder mod with .mod files")


def sources(folder: Path) -> list[Path]:
    """List the files that a build of `folder` is made from, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in {".mod", ".inc"})
