"""What the mechanisms call their parameters, read from the NMODL sources: no compiler, no NEURON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePath

from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.model.inputs import InputFile, ModelInputs, files_of
from isfray.model.mechanisms import Mechanism, MechanismSet

_KIND = re.compile(r"\b(SUFFIX|POINT_PROCESS)\s+(\w+)")
_PARAMETER = re.compile(r"(\w+)\s*=\s*([-+.\deE]+)[ \t]*(?:\(([^)]*)\))?")
_RISE_AND_DECAY = re.compile(r"\bpeak_norm\(\s*(\w+)\s*,\s*(\w+)\s*\)\s*$", re.MULTILINE)
_WEIGHT = re.compile(r"(\w+)\s*\(nS\)")

_SOURCES = frozenset({".mod", ".inc"})
_MOST_BYTES = 2**24  # of a file: hundreds of times the longest there is

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
def own_mechanisms() -> MechanismSet:
    """Return isfray's own mechanisms, which a cell has unless it says otherwise."""
    return read_mechanisms(mod_folder())


def read_mechanisms(folder: Path) -> MechanismSet:
    """Read the mechanisms of a folder: its ``.mod`` files and what they include.

    Raises
    ------
    InputError
        If a file cannot be read, is no mechanism, or includes what is not there.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix in _SOURCES)
    return _set([read_file(path, most=_MOST_BYTES) for path in paths], str(folder))


def mechanisms_from_inputs(inputs: ModelInputs) -> MechanismSet:
    """Return the mechanisms whose files a catalog kept, on any machine."""
    return _set(list(files_of(inputs).references.values()), inputs.main.path)


def _set(files: list[InputFile], place: str) -> MechanismSet:
    by_name = {file.name: file for file in files}
    read = (_mechanism(file, by_name) for file in files if PurePath(file.name).suffix == ".mod")
    return MechanismSet(tuple(files), (*_BUILT_IN, *read), place)


def _mechanism(file: InputFile, files: Mapping[str, InputFile]) -> Mechanism:
    """Read the names and defaults of one ``.mod`` file and of what it includes."""
    text = _source(file, files)
    neuron = _blocks("NEURON", text)
    kind = _KIND.search(neuron)
    if kind is None:
        raise InputError("is no mechanism", file=file.path or file.name, expected="SUFFIX or POINT_PROCESS in NEURON")
    ranged, shared = _listed("RANGE", neuron), _listed("GLOBAL", neuron)
    found = _PARAMETER.findall(_blocks("PARAMETER", text))
    defaults = {name: float(value) for name, value, _ in found}
    states = set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", _blocks("STATE", text))))
    states -= _listed("WRITE", neuron)  # a concentration belongs to the ion
    received = re.search(r"NET_RECEIVE\s*\(([^{]*)\)\s*{", text)
    return Mechanism(
        name=kind[2],
        kind="density" if kind[1] == "SUFFIX" else "point process",
        parameters={name: value for name, value in defaults.items() if name in ranged},
        global_parameters={name: value for name, value in defaults.items() if name in shared},
        variables=frozenset((ranged - defaults.keys()) | states),
        weights=tuple(_WEIGHT.findall(received[1])) if received else (),
        ions=frozenset(re.findall(r"\bUSEION\s+(\w+)", neuron)),
        units={name: unit for name, _, unit in found},
        rise_and_decay=tuple(_RISE_AND_DECAY.findall(_blocks("INITIAL", text))),
        file=file.name,
    )


def _source(file: InputFile, files: Mapping[str, InputFile], within: tuple[str, ...] = ()) -> str:
    def included(match: re.Match[str]) -> str:
        name = match[1]
        if name not in files or name in (*within, file.name):
            problem = "includes itself" if name in files else "includes what is not there"
            raise InputError(
                problem, file=file.path or file.name, key="INCLUDE", value=name, expected="a file beside it"
            )
        return _source(files[name], files, (*within, file.name))

    text = re.sub(r"\bCOMMENT\b.*?\bENDCOMMENT\b", "", file.text, flags=re.DOTALL)
    return re.sub(r'\bINCLUDE\s+"(.*?)"', included, re.sub(r":.*", "", text))


def _blocks(name: str, text: str) -> str:
    return "\n".join(re.findall(rf"\b{name}\s*{{(.*?)}}", text, flags=re.DOTALL))


def _listed(keyword: str, block: str) -> set[str]:
    return {
        name for names in re.findall(rf"\b{keyword}\s+(\w+(?:\s*,\s*\w+)*)", block) for name in re.split(r"\W+", names)
    }


def mod_folder() -> Path:
    """Folder of isfray's ``.mod`` files: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "mod", package.parent / "mod"):
        if folder.is_dir():
            return folder
    raise InputError("has no mechanisms beside it", file=str(package), expected="a folder mod with .mod files")
