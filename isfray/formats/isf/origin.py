"""Parameter files as the origin of models: where a value stands in them, and how they are written again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isfray.errors import InputError, Key
from isfray.formats.isf.embedding import parse_synapses
from isfray.formats.isf.param import ParamFile
from isfray.formats.isf.storing import write_inputs
from isfray.model.inputs import ModelInputs

Rename = Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]]
"""Returns the content of a main file with its references renamed."""


@dataclass(frozen=True)
class ParamOrigin:
    """A parameter file and the files it names.

    Attributes
    ----------
    param : ParamFile
        Its content.
    inputs : ModelInputs
        The files, byte for byte.
    renamed : callable
        Renames references in a content of this kind.
    """

    param: ParamFile
    inputs: ModelInputs
    renamed: Rename

    def error(self, path: Key, problem: str, *, expected: str | None = None) -> InputError:
        """See `Origin.error`."""
        return self.param.error(path, problem, expected=expected)

    def placed(self, error: InputError, under: Key) -> InputError:
        """See `Origin.placed`."""
        return self.param.placed(error, under)

    def row(self, population: str, synapse: int) -> tuple[str, int]:
        """See `Origin.row`."""
        reference = self.param.data["network"][population]["synapses"]["distributionFile"]
        rows = parse_synapses(self.inputs.references[reference])
        return rows.file, int(rows.line[rows.of(population)[synapse]])

    def save(self, path: str | Path, *, force: bool) -> Path:
        """See `Origin.save`: references become bare file names."""
        return write_inputs(self.inputs, self.param.data, path, self.renamed, force=force)


def param_of(model: Any) -> ParamFile:
    """Return the parameter file that a model was read from; InputError if it came from elsewhere."""
    if not isinstance(model.origin, ParamOrigin):
        raise InputError("was not read from a parameter file", key=model.name, expected="a model that was")
    return model.origin.param
