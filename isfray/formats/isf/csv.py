"""ISF's CSV files of one stored trial: releases by synapse, spikes by presynaptic cell.

(docs/formats.md, Synapse and cell CSVs)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isfray.arrays import F64
from isfray.errors import InputError
from isfray.model.inputs import InputFile

Offsets = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class TrialRows:
    """Rows of one trial, each with times: releases by synapse, or spikes by presynaptic cell; arrays of shape (rows,).

    Attributes
    ----------
    names : list of str
        Population of each row.
    columns : mapping of str to ndarray
        By their names in the catalog's tables: `synapse_id` (-1 where an old file does not tell), `section_id`,
        `section_pt_id` and `soma_distance` (um) of releases, `cell_id` of spikes.
    offsets : ndarray of int64, shape (rows + 1,)
        Times of row i are `times[offsets[i]:offsets[i + 1]]`.
    times : ndarray of float64
        ms.
    labels : tuple of str
        Structure each synapse sits on, as stored; empty where the source does not tell.
    """

    names: list[str]
    columns: Mapping[str, Any]
    offsets: Offsets
    times: F64
    labels: tuple[str, ...] = ()


def read_synapse_csv(file: InputFile) -> TrialRows:
    """Read a synapse activation CSV of 7 columns, or of 6 (without the synapse id).

    Raises
    ------
    InputError
        Naming the line that is malformed.
    """
    expected = "type, [synapse id,] soma distance, section id, section pt id, label, times; tab separated"
    types: list[str] = []
    labels: list[str] = []
    places: list[tuple[int, float, int, int]] = []
    times: list[list[float]] = []
    for number, fields in _lines(file):
        if len(fields) == 6:
            fields.insert(1, "-1")
        try:
            name, synapse, distance, section, point, label, released = fields
            places.append((int(synapse), float(distance), int(section), int(point)))
            times.append(_times(released))
        except ValueError:
            raise _broken(file, number, fields, expected) from None
        types.append(name)
        labels.append(label)
    ids, distances, sections, points = np.array(places, np.float64).reshape(-1, 4).T
    columns = {
        "synapse_id": ids.astype(np.int32),
        "section_id": sections.astype(np.int32),
        "section_pt_id": points.astype(np.int32),
        "soma_distance": distances,
    }
    return TrialRows(types, columns, *_flat(times), tuple(labels))


def read_cell_csv(file: InputFile) -> TrialRows:
    """Read a presynaptic cell CSV; InputError naming the line that is malformed."""
    types: list[str] = []
    ids: list[int] = []
    times: list[list[float]] = []
    for number, fields in _lines(file):
        try:
            name, cell, spikes = fields
            ids.append(int(cell))
            times.append(_times(spikes))
        except ValueError:
            raise _broken(file, number, fields, "type, cell id, times; tab separated") from None
        types.append(name)
    return TrialRows(types, {"cell_id": np.array(ids, np.int32)}, *_flat(times))


def _lines(file: InputFile) -> Iterator[tuple[int, list[str]]]:
    """Numbers and fields of the lines after the first, whatever that one says."""
    for number, line in enumerate(file.text.splitlines()[1:], start=2):
        if line.strip():
            yield number, line.split("\t")


def _times(field: str) -> list[float]:
    return [float(time) for time in field.split(",") if time.strip()]


def _flat(times: list[list[float]]) -> tuple[Offsets, F64]:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in times])]).astype(np.int64)
    return offsets, np.array([time for row in times for time in row], np.float64)


def _broken(file: InputFile, number: int, fields: list[str], expected: str) -> InputError:
    line = "\t".join(fields)
    return InputError(f"broken line {line[:60]!r}", file=file.path or file.name, line=number, expected=expected)
