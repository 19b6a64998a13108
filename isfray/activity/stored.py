"""The releases of a stored trial, from rows of the catalog or a file, for a network on a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isfray.activity.release import Releases, draw_weights
from isfray.check import nearest
from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.formats.isf.csv import TrialRows, read_synapse_csv
from isfray.model.geometry import Geometry
from isfray.model.network import NetworkModel
from isfray.model.placement import place_at_points

_COLUMNS = ("synapse_type", "synapse_id", "section_id", "section_pt_id", "soma_distance", "times")


def read_releases(rows: Any, network: NetworkModel, geometry: Geometry, seed: int) -> Releases:
    """Return the releases of a stored trial, sorted by population and id.

    Parameters
    ----------
    rows : path, or a table (pyarrow, polars, pandas) of `synapse_activation` rows of one trial
        Synapses go to (section, 3D point), at their stored times (docs/formats.md, Replay).
    network : NetworkModel
        Gives weights and receptors by population.
    geometry : Geometry
    seed : int
        Seed of the trial, for weights that are drawn.
    """
    where = str(rows) if isinstance(rows, str | Path) else "releases"
    trial = read_synapse_csv(read_file(rows)) if isinstance(rows, str | Path) else _from_table(rows)
    by_name = {p.name: i for i, p in enumerate(network.populations)}
    unknown = sorted(set(trial.names) - by_name.keys())
    if unknown:
        expected = nearest(unknown[0], by_name)
        raise InputError(
            "is no population of the network", file=where, key="synapse_type", value=unknown[0], expected=expected
        )
    synapse_id, section, point, soma_distance = (trial.columns[name] for name in _COLUMNS[1:-1])
    population = np.array([by_name[name] for name in trial.names], np.int32)
    order = np.lexsort((np.arange(len(population)), synapse_id, population))
    lengths = np.diff(trial.offsets)[order]
    starts = trial.offsets[:-1][order]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    try:
        placement = place_at_points(section[order], point[order], geometry)
    except InputError as error:
        raise error.at(file=where) from None
    if not np.isfinite(soma_distance).all():
        raise InputError("holds what is no number", file=where, key="soma_distance", expected="distances in um")
    times = trial.times[np.repeat(starts, lengths) + within]
    if not np.isfinite(times).all() or (times < 0).any():
        raise InputError("holds a time that is negative or no number", file=where, key="times", expected=">= 0 ms")
    ids = synapse_id[order]
    index = network.synapses.offsets[population[order]] + ids
    known = (ids >= 0) & (index < network.synapses.offsets[population[order] + 1])
    index = np.where(known, index, -1)
    return Releases(
        population[order],
        ids,
        index,
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        times,
        _weights(network, population[order], ids, known, seed, where),
        placement.with_soma_distance(soma_distance[order]),
    )


def _weights(
    network: NetworkModel,
    population: NDArray[np.int32],
    synapse_id: NDArray[np.int32],
    known: NDArray[np.bool_],
    seed: int,
    where: str,
) -> dict[tuple[int, int], NDArray[np.float64]]:
    weights = {}
    for p in np.unique(population).tolist():
        here = population == p
        for r in range(len(network.populations[p].receptors)):
            if network.weights_differ(p, r):
                if not known[here].all():
                    name = network.populations[p].name
                    raise InputError(
                        f"has no such synapse in {name}, whose weights differ", file=where, key="synapse_id"
                    )
                weights[p, r] = draw_weights(network, p, r, seed)[synapse_id[here]]
    return weights


def _from_table(rows: Any) -> TrialRows:
    if hasattr(rows, "collect"):  # a lazy Polars frame
        rows = rows.collect()
    try:
        table = pa.table(rows)
    except (TypeError, ValueError, AttributeError, pa.ArrowException):
        raise InputError(
            "is no table", key="releases", value=type(rows).__name__, expected="synapse_activation rows or a CSV path"
        ) from None
    missing = [c for c in _COLUMNS if c not in table.column_names]
    if missing:
        raise InputError("is missing", key=f"releases.{missing[0]}", expected="columns " + ", ".join(_COLUMNS))
    if "trial" in table.column_names and len(set(table["trial"].to_pylist())) > 1:
        raise InputError("holds several trials", key="releases.trial", expected="the rows of one trial")
    times = _cast(table, "times", pa.large_list(pa.float64()))
    if nulls := [name for name in _COLUMNS if table[name].null_count] or ["times"] * bool(times.flatten().null_count):
        raise InputError("holds an empty value", key=f"releases.{nulls[0]}", expected="a value in every row")
    names = table["synapse_type"].to_pylist()
    if not all(isinstance(name, str) for name in names):
        raise InputError("is no column of names", key="releases.synapse_type", expected="names of populations")
    lengths = times.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    kinds = dict.fromkeys(_COLUMNS[1:-2], pa.int32()) | {"soma_distance": pa.float64()}
    columns = {name: _cast(table, name, kind).to_numpy() for name, kind in kinds.items()}
    return TrialRows(names, columns, np.concatenate([[0], np.cumsum(lengths)]), times.flatten().to_numpy())


def _cast(table: pa.Table, name: str, kind: pa.DataType) -> Any:
    """A column of numbers as one array of its kind; whole floats are ids, but a text is no number."""
    column = table[name].combine_chunks()
    try:
        if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
            return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    problem = f"is a column of {column.type}, or has values beyond {kind}"
    raise InputError(problem, key=f"releases.{name}", expected=f"a column of {kind}")
