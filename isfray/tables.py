"""The tables of a trial: their Arrow schemas, and pure builders from numpy arrays.

Every table has the trial number first and no run column: the run is part of the path a table is stored under. Times
are in ms, distances in um, voltages in mV. Strings are dictionary encoded; a dictionary holds exactly the values
used, sorted, so that equal rows are equal bytes whatever order they were made in. Rows are sorted by trial, then type
(alphabetical), then id, as ISF's files have them (docs/formats.md, Synapse and cell CSVs).

Tables only grow. A column that is added says since which version it is there (`since`), and is null where it was not
known: in files of earlier versions, and where nobody gave it. What is there keeps its name, type and meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

SCHEMA_VERSION = 1
"""One more with each change of a table: a column that is added, or a table. Readers refuse what is newer than they."""
_SINCE = b"isfray.since"

_TRIAL = pa.int32()
LAST_TRIAL: int = 2 ** (_TRIAL.bit_width - 1) - 1
"""Greatest number that a trial can have, and most trials that a run can be asked for."""
_NAME = pa.dictionary(pa.int32(), pa.string())
_SERIES = pa.list_(pa.field("element", pa.float64()))  # as Parquet names it


def since(version: int, kind: pa.DataType) -> pa.Field:
    """Return a column of a type that files of versions before `version` lack."""
    return pa.field("", kind, metadata={_SINCE: str(version)})


def first_version(column: pa.Field) -> int:
    """Return the version since which a column is there."""
    return int((column.metadata or {}).get(_SINCE, 1))


def _schema(table: str, columns: Mapping[str, pa.DataType | pa.Field]) -> pa.Schema:
    metadata = {"isfray.table": table, "isfray.schema_version": str(SCHEMA_VERSION)}
    fields = [c.with_name(name) if isinstance(c, pa.Field) else pa.field(name, c) for name, c in columns.items()]
    return pa.schema([pa.field("trial", _TRIAL), *fields], metadata=metadata)


def schema_at(table: str, version: int) -> pa.Schema:
    """Return what a table's schema was in an earlier version."""
    return pa.schema([column for column in SCHEMAS[table] if first_version(column) <= version])


def written_by(schema: pa.Schema) -> int:
    """Return the version that a stored table's schema is of."""
    told = (schema.metadata or {}).get(b"isfray.schema_version", b"1")
    return int(told) if told.isdigit() else 1


SCHEMAS: dict[str, pa.Schema] = {
    name: _schema(name, columns)
    for name, columns in {
        "trials": {
            "seed": pa.uint64(),
            "t_stop": pa.float64(),
            "dt": pa.float64(),
            "n_active_synapses": pa.int32(),
            "n_releases": pa.int32(),
            "n_spikes": pa.int32(),
            "engine": _NAME,
            "host": _NAME,
            "wall_s": pa.float64(),
            "finished_at": pa.timestamp("us", tz="UTC"),
        },
        "synapse_activation": {
            "synapse_type": _NAME,
            "celltype": _NAME,
            "column": _NAME,
            "synapse_id": pa.int32(),
            "section_id": pa.int32(),
            "section_pt_id": pa.int32(),
            "soma_distance": pa.float64(),
            "dendrite_label": _NAME,
            "times": _SERIES,
        },
        "cell_activation": {
            "synapse_type": _NAME,
            "celltype": _NAME,
            "column": _NAME,
            "cell_id": pa.int32(),
            "times": _SERIES,
        },
        "spike_times": {
            "site": _NAME,
            "threshold": pa.float64(),
            "spike_index": pa.int32(),
            "time": pa.float64(),
        },
        "voltage_traces": {
            "site": _NAME,
            "section_id": pa.int32(),
            "x": pa.float64(),
            "soma_distance": pa.float64(),
            "t_start": pa.float64(),
            "dt": pa.float64(),
            "voltage": _SERIES,
        },
        "variable_traces": {
            "variable": _NAME,
            "site": _NAME,
            "section_id": pa.int32(),
            "x": pa.float64(),
            "soma_distance": pa.float64(),
            "t_start": pa.float64(),
            "dt": pa.float64(),
            "values": _SERIES,
        },
    }.items()
}
"""Arrow schema of every table, by table name."""


def trial_row(
    trial: int,
    *,
    seed: int,
    t_stop: float,
    dt: float,
    n_active_synapses: int,
    n_releases: int,
    n_spikes: int,
    engine: str,
    host: str,
    wall_s: float,
    finished_at: datetime,
) -> pa.Table:
    """Row of `trials` for one finished trial.

    Parameters
    ----------
    trial, seed : int
        Trial number and the uint64 seed its input was drawn from.
    t_stop, dt : float
        Simulated time and step, ms.
    n_active_synapses, n_releases, n_spikes : int
        Synapses with a release, releases, and spikes at the soma.
    engine, host : str
        What computed it, and where.
    wall_s : float
        Wall-clock time, s.
    finished_at : datetime
        Timezone-aware end of the simulation.
    """
    row = {name: [value] for name, value in locals().items() if name != "trial"}
    if finished_at.tzinfo is None:
        raise ValueError("finished_at needs a time zone")
    return _table("trials", trial, 1, row)


def synapse_activation(
    trial: int,
    *,
    synapse_type_index: ArrayLike,
    type_names: Sequence[str],
    celltypes: Sequence[str],
    columns: Sequence[str],
    synapse_id: ArrayLike,
    section_id: ArrayLike,
    section_pt_id: ArrayLike,
    soma_distance: ArrayLike,
    label_index: ArrayLike,
    labels: Sequence[str],
    offsets: ArrayLike,
    times: ArrayLike,
) -> pa.Table:
    """Synapses that released in one trial, one row each.

    Parameters
    ----------
    trial : int
        Trial number.
    synapse_type_index : int[n]
        Index into `type_names`, `celltypes` and `columns` (one entry each per population).
    synapse_id, section_id, section_pt_id : int[n]
        Id within the population; section and 3-D point it sits on.
    soma_distance : float[n]
        Path distance to the soma, um.
    label_index : int[n]
        Index into `labels`.
    offsets : int[n + 1]
        Releases of row i are `times[offsets[i]:offsets[i + 1]]`.
    times : float[offsets[n]]
        Release times, ms.

    Returns
    -------
    pyarrow.Table
        Rows by type (alphabetical), then id, whatever order they came in.
    """
    kind, ids = _index(synapse_type_index), _index(synapse_id)
    table = _table(
        "synapse_activation",
        trial,
        len(kind),
        {
            "synapse_type": _names(type_names, kind),
            "celltype": _names(celltypes, kind),
            "column": _names(columns, kind),
            "synapse_id": ids,
            "section_id": _index(section_id),
            "section_pt_id": _index(section_pt_id),
            "soma_distance": _reals(soma_distance),
            "dendrite_label": _names(labels, _index(label_index)),
            "times": _lists(offsets, times),
        },
    )
    return _by_type_and_id(table, type_names, kind, ids)


def cell_activation(
    trial: int,
    *,
    synapse_type_index: ArrayLike,
    type_names: Sequence[str],
    celltypes: Sequence[str],
    columns: Sequence[str],
    cell_id: ArrayLike,
    offsets: ArrayLike,
    times: ArrayLike,
) -> pa.Table:
    """Presynaptic cells that spiked in one trial, one row each; parameters and order as in `synapse_activation`."""
    kind, ids = _index(synapse_type_index), _index(cell_id)
    table = _table(
        "cell_activation",
        trial,
        len(kind),
        {
            "synapse_type": _names(type_names, kind),
            "celltype": _names(celltypes, kind),
            "column": _names(columns, kind),
            "cell_id": ids,
            "times": _lists(offsets, times),
        },
    )
    return _by_type_and_id(table, type_names, kind, ids)


def spike_times(
    trial: int, *, sites: Sequence[str], thresholds: ArrayLike, times: Sequence[NDArray[np.float64]]
) -> pa.Table:
    """Detected spikes of one trial: per site its threshold (mV) and its ascending times (ms)."""
    counts = np.array([len(t) for t in times], dtype=np.int64)
    site = np.repeat(np.arange(len(sites)), counts)
    first = np.cumsum(counts) - counts
    return _table(
        "spike_times",
        trial,
        len(site),
        {
            "site": _names(sites, site),
            "threshold": _reals(thresholds)[site],
            "spike_index": np.arange(len(site)) - first[site],
            "time": np.concatenate([*(_reals(t) for t in times), np.empty(0)]),
        },
    )


def voltage_traces(
    trial: int,
    *,
    sites: Sequence[str],
    section_id: ArrayLike,
    x: ArrayLike,
    soma_distance: ArrayLike,
    t_start: float,
    dt: float,
    voltage: ArrayLike,
) -> pa.Table:
    """Table of the traces recorded in one trial, one row per site, in the order given.

    Parameters
    ----------
    trial : int
        Trial number.
    sites : sequence of str
        Names of the n recorded places.
    section_id, x, soma_distance : array[n]
        Where they are: section, position in it (0 to 1), path distance to the soma in um.
    t_start, dt : float
        Time of the first sample and step, ms.
    voltage : float[n, samples]
        Membrane potential, mV.
    """
    v = _reals(voltage).reshape(len(sites), -1)
    n, samples = v.shape
    return _table(
        "voltage_traces",
        trial,
        n,
        {
            "site": _names(sites, np.arange(n)),
            "section_id": _index(section_id),
            "x": _reals(x),
            "soma_distance": _reals(soma_distance),
            "t_start": np.full(n, float(t_start)),
            "dt": np.full(n, float(dt)),
            "voltage": _lists(np.arange(n + 1) * samples, v.ravel()),
        },
    )


def variable_traces(trial: int, *, variables: Sequence[str], values: ArrayLike, **places: Any) -> pa.Table:
    """Table of the range variables recorded in one trial, one row per variable and segment, in the order given.

    Parameters
    ----------
    trial : int
        Trial number.
    variables : sequence of str
        Variable of each of the n rows, such as `Ca_HVA.ica`.
    values : float[n, samples]
        In NEURON's units: currents in mA/cm2, concentrations in mM, conductances in S/cm2.
    **places
        `sites`, `section_id`, `x`, `soma_distance`, `t_start` and `dt`, as in `voltage_traces`.
    """
    traces = voltage_traces(trial, voltage=values, **places)
    columns = {name: traces[name].combine_chunks() for name in traces.column_names[1:-1]}
    columns |= {"variable": _names(variables, np.arange(len(variables))), "values": traces["voltage"].combine_chunks()}
    return _table("variable_traces", trial, len(variables), columns)


def join_trials(trials: Iterable[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    """Tables of several trials as one batch: each table once, sorted by trial, one sorted dictionary per column.

    The result does not depend on the order the trials come in. A table no trial has is not there.
    """
    parts: dict[str, list[pa.Table]] = {}
    for tables in trials:
        for name, table in tables.items():
            parts.setdefault(name, []).append(conform(name, table))
    return {name: canonical(name, pa.concat_tables(parts[name])) for name in SCHEMAS if name in parts}


def conform(name: str, table: pa.Table) -> pa.Table:
    """Return `table` with exactly the schema of table `name`; ValueError if its columns cannot be brought to it.

    Columns that came later than the first version may be missing: they are null.
    """
    if name not in SCHEMAS:
        raise ValueError(f"unknown table {name!r}; known are {', '.join(SCHEMAS)}")
    schema = SCHEMAS[name]
    if not set(schema_at(name, 1).names) <= set(table.column_names) <= set(schema.names):
        raise ValueError(f"{name} has columns {table.column_names}; expected {schema.names}")
    for column in schema:
        if column.name not in table.column_names:
            table = table.append_column(column, pa.nulls(len(table), column.type))
    if table.schema.equals(schema, check_metadata=True):
        return table
    return table.select(schema.names).cast(schema)


def canonical(name: str, table: pa.Table) -> pa.Table:
    """Sort by trial (order within one kept), with one chunk a column and sorted dictionaries of the values used."""
    table = conform(name, table).unify_dictionaries().combine_chunks()
    trial = table.column("trial").to_numpy()
    if np.any(np.diff(trial) < 0):
        table = table.take(pa.array(np.argsort(trial, kind="stable")))
    for position, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = table.column(position)
            if column.null_count and first_version(field) == 1:
                raise ValueError("a name is missing (null)")
            table = table.set_column(position, field, _sorted_dictionary(column))
    return table


def _sorted_dictionary(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], _NAME)
    there = array.is_valid().to_numpy(zero_copy_only=False)
    names = _names(array.dictionary.to_pylist(), array.indices.drop_null().to_numpy())
    if there.all():
        return names
    index = np.zeros(len(there), dtype=np.int32)
    index[there] = names.indices.to_numpy()
    return pa.DictionaryArray.from_arrays(pa.array(index, mask=~there), names.dictionary)


def _names(names: Sequence[str], index: NDArray[Any]) -> pa.DictionaryArray:
    """names[index], encoded with the sorted distinct names that occur."""
    used = np.unique(index)
    distinct = sorted({names[i] for i in used})
    position = {name: i for i, name in enumerate(distinct)}
    code = np.zeros(len(names), dtype=np.int32)
    code[used] = [position[names[i]] for i in used]
    return pa.DictionaryArray.from_arrays(pa.array(code[index]), pa.array(distinct, pa.string()))


def _lists(offsets: ArrayLike, values: ArrayLike) -> pa.ListArray:
    starts, flat = np.asarray(offsets, dtype=np.int64), _reals(values)
    if starts[-1] != len(flat) or starts[0] != 0 or np.any(np.diff(starts) < 0) or starts[-1] > np.iinfo(np.int32).max:
        raise ValueError(f"offsets must ascend from 0 to the number of values, {len(flat)}")
    return pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), pa.array(flat))


def _by_type_and_id(
    table: pa.Table, type_names: Sequence[str], kind: NDArray[np.int32], ids: NDArray[np.int32]
) -> pa.Table:
    rank = np.empty(len(type_names), dtype=np.int64)
    rank[sorted(range(len(type_names)), key=lambda i: type_names[i])] = np.arange(len(type_names))
    order = np.lexsort((ids, rank[kind]))
    return table if np.array_equal(order, np.arange(len(order))) else table.take(pa.array(order)).combine_chunks()


def _table(name: str, trial: int, rows: int, columns: Mapping[str, Any]) -> pa.Table:
    schema = SCHEMAS[name]
    arrays = [pa.array(np.full(rows, trial, dtype=np.int32))]
    for field in schema.names[1:]:
        wanted = schema.field(field).type
        if field not in columns and first_version(schema.field(field)) > 1:
            arrays.append(pa.nulls(rows, wanted))
            continue
        column = columns[field]
        if isinstance(column, pa.Array):
            arrays.append(column.cast(wanted))
        elif wanted == _NAME:
            arrays.append(_names(column, np.arange(rows, dtype=np.int32)))
        else:
            arrays.append(pa.array(column, wanted))
    return pa.Table.from_arrays(arrays, schema=schema)


def _index(values: ArrayLike) -> NDArray[np.int32]:
    return np.ascontiguousarray(values, dtype=np.int32)


def _reals(values: ArrayLike) -> NDArray[np.float64]:
    return np.ascontiguousarray(values, dtype=np.float64)
