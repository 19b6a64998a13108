"""Mechanisms: ion channels, pools and synapses as a value; their NMODL sources, and what these define."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from isfray.errors import InputError
from isfray.model.inputs import InputFile, ModelInputs
from isfray.model.ranges import Range, of_parameter

MANIFEST = "mechanisms.json"
_FORMAT, _VERSION = "isfray-mechanisms", 1


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
    file : str
        Name of the ``.mod`` file; empty for NEURON's own.
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
    file: str = ""

    def __post_init__(self) -> None:
        for name in ("parameters", "global_parameters", "units"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        values = (getattr(self, name) for name in self.__dataclass_fields__)
        return Mechanism, tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    def range_of(self, parameter: str) -> Range:
        """Return the values a parameter can mean."""
        default = {**self.parameters, **self.global_parameters}[parameter]
        return of_parameter(parameter, self.units.get(parameter, ""), default)


@dataclass(frozen=True, eq=False, repr=False)
class MechanismSet(Mapping[str, Mechanism]):
    """The mechanisms that a cell and its network may name: a mapping from name to `Mechanism`.

    Two sets are equal if their files have the same names and bytes, wherever they lie.

    Attributes
    ----------
    files : tuple of InputFile
        The ``.mod`` files and what they include, by name.
    mechanisms : tuple of Mechanism
        What these define, and NEURON's own.
    place : str
        Where the files were read from; only for messages.
    """

    files: tuple[InputFile, ...]
    mechanisms: tuple[Mechanism, ...]
    place: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", tuple(sorted(self.files, key=lambda file: file.name)))

    def __getitem__(self, name: str) -> Mechanism:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @cached_property
    def _by_name(self) -> dict[str, Mechanism]:
        return {mechanism.name: mechanism for mechanism in self.mechanisms}

    @cached_property
    def inputs(self) -> ModelInputs:
        """The files, byte for byte, as a catalog keeps them; the main one lists them by name and SHA-256."""
        files = {file.name: file for file in self.files}
        listed = {"format": _FORMAT, "version": _VERSION, "files": {name: f.sha256 for name, f in files.items()}}
        return ModelInputs(InputFile(MANIFEST, (json.dumps(listed, indent=1) + "\n").encode()), files)

    @property
    def sha256(self) -> str:
        """Hex digest of the names and bytes of the files."""
        return self.inputs.main.sha256

    def __eq__(self, other: object) -> bool:
        return self.sha256 == other.sha256 if isinstance(other, MechanismSet) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        names = sum(1 for mechanism in self.mechanisms if mechanism.file)
        return f"<MechanismSet {self.sha256[:12]}: {names} mechanisms from {len(self.files)} files>"


def set_of_mechanisms(value: Any) -> MechanismSet:
    """Return a set of mechanisms; InputError if it is something else."""
    if not isinstance(value, MechanismSet):
        raise InputError("is no set of mechanisms", key="mechanisms", value=value, expected="the .mechanisms of a cell")
    return value
