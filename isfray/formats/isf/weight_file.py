"""Files of synaptic weights, one for each synapse: they replace the weights of the network file.

(docs/formats.md, Weights)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from isfray.arrays import F64, I64
from isfray.errors import InputError
from isfray.model.inputs import InputFile
from isfray.model.ranges import WEIGHT

_ROW = "type, synapse id, section id, point id, receptor and weights 'w0,w1,', tab separated"


@dataclass
class WeightRows:
    """Rows of one population and receptor, in file order."""

    line: list[int] = field(default_factory=list)
    synapse: list[int] = field(default_factory=list)
    section: list[int] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)


@lru_cache(maxsize=4)  # edits of a network share its files
def parse_weights(file: InputFile) -> Mapping[tuple[str, str], WeightRows]:
    """Read a weight file; its first line is a header, whatever it says.

    Returns
    -------
    mapping of (population, receptor) to WeightRows

    Raises
    ------
    InputError
        Naming the line that is malformed.
    """
    out: dict[tuple[str, str], WeightRows] = {}
    where = file.path or file.name
    for number, text in enumerate(file.text.splitlines()[1:], start=2):
        if not text.strip():
            continue
        words = text.split("\t")
        try:
            population, synapse, section, _, receptor, listed = (word.strip() for word in words)
            weights = [float(w) for w in listed.split(",") if w.strip()]
            if not weights or not np.isfinite(weights).all():
                raise ValueError
            ids = int(synapse), int(section)
        except ValueError:
            raise InputError("is not a row of weights", file=where, line=number, value=text, expected=_ROW) from None
        if min(weights) < WEIGHT["least"] or max(weights) > WEIGHT["most"]:
            expected = f"weights from 0 to {WEIGHT['most']:g} {WEIGHT['unit']}"
            raise InputError("is out of range", file=where, line=number, value=listed, expected=expected)
        rows = out.setdefault((population, receptor), WeightRows())
        rows.line.append(number)
        rows.synapse.append(ids[0])
        rows.section.append(ids[1])
        rows.weights.append(weights)
    return out


def weights_of(file: InputFile, population: str, receptor: str, n_components: int, section: I64) -> F64 | None:
    """Return the weights of a population's receptor, by synapse id; None if the file holds none.

    Parameters
    ----------
    file : InputFile
        A weight file.
    population, receptor : str
        Whose weights.
    n_components : int
        Weights of one synapse.
    section : int[synapses]
        Section of each synapse of the population: the file must agree.

    Raises
    ------
    InputError
        If the rows are not one for each synapse, or tell of other synapses.
    """
    rows = parse_weights(file).get((population, receptor))
    if rows is None:
        return None
    where = file.path or file.name
    seen = np.zeros(len(section), np.bool_)
    for line, synapse, there, weights in zip(rows.line, rows.synapse, rows.section, rows.weights, strict=True):
        if not 0 <= synapse < len(section):
            problem, expected = f"synapse {synapse} of {population} does not exist", f"an id below {len(section)}"
        elif seen[synapse]:
            problem, expected = f"synapse {synapse} of {population} has weights already", "one row for each"
        elif section[synapse] != there:
            problem = f"synapse {synapse} of {population} lies on section {section[synapse]}"
            expected = f"weights of the same embedding, not of one with section {there}"
        elif len(weights) != n_components:
            problem, expected = (
                f"holds {len(weights)} weights",
                f"{n_components}, as in the network file",
            )
        else:
            seen[synapse] = True
            continue
        raise InputError(problem, file=where, line=line, expected=expected)
    if not seen.all():
        missing = f"has no row for synapse {int(np.argmin(seen))} of {population}"
        raise InputError(missing, file=where, key=receptor, expected="a row for each synapse")
    out = np.empty((len(section), n_components))
    out[rows.synapse] = rows.weights
    out.flags.writeable = False
    return out
