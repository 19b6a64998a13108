"""ISF's synapse activation CSV: the releases of one stored trial (FORMATS 7.1, 12.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isfray.model.errors import InputError
from isfray.model.inputs import InputFile
from isfray.model.morphology import FloatArray, IntArray


@dataclass(frozen=True)
class StoredReleases:
    """Releases of one trial, one row per synapse; arrays of shape (synapses,).

    Attributes
    ----------
    synapse_type : list of str
        Population of each synapse.
    synapse_id : ndarray of int32
        Id within the population; -1 where an old file does not tell.
    section_id, section_pt_id : ndarray of int32
        Section and the 3D point it sits at.
    soma_distance : ndarray of float64
        In um, as stored.
    offsets : ndarray of int64, shape (synapses + 1,)
        Releases of row i are `times[offsets[i]:offsets[i + 1]]`.
    times : ndarray of float64
        Release times in ms.
    """

    synapse_type: list[str]
    synapse_id: IntArray
    section_id: IntArray
    section_pt_id: IntArray
    soma_distance: FloatArray
    offsets: np.ndarray[tuple[int], np.dtype[np.int64]]
    times: FloatArray


def read_synapse_csv(file: InputFile) -> StoredReleases:
    """Read a synapse activation CSV of 7 columns, or of 6 (without the synapse id).

    Raises
    ------
    InputError
        Naming the line that is malformed.
    """
    path = file.path or file.name
    types: list[str] = []
    places: list[tuple[int, float, int, int]] = []
    times: list[list[float]] = []
    for number, line in enumerate(file.text.splitlines()[1:], start=2):
        if not line.strip():
            continue
        fields = line.rstrip("\n").split("\t")
        try:
            if len(fields) == 6:
                fields.insert(1, "-1")
            name, synapse, distance, section, point, _, released = fields
            places.append((int(synapse), float(distance), int(section), int(point)))
            times.append([float(t) for t in released.split(",") if t.strip()])
        except ValueError:
            expected = "type, [synapse id,] soma distance, section id, point id, label, times; tab separated"
            raise InputError(f"broken line {line[:60]!r}", file=path, line=number, expected=expected) from None
        types.append(name)
    columns = np.array(places, np.float64).reshape(-1, 4).T
    return StoredReleases(
        types,
        columns[0].astype(np.int32),
        columns[2].astype(np.int32),
        columns[3].astype(np.int32),
        columns[1],
        np.concatenate([[0], np.cumsum([len(t) for t in times])]).astype(np.int64),
        np.array([t for row in times for t in row], np.float64),
    )
