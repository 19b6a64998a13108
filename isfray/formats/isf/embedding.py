"""The embedding's files: where synapses lie (`.syn`) and which cells drive them (`.con`), as arrays.

(docs/formats.md, Synapses and connections)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isfray.arrays import F64, I64, frozen
from isfray.errors import InputError
from isfray.model.connect import Convergence, connect
from isfray.model.inputs import InputFile
from isfray.model.synapses import Connections, Synapses


@dataclass(frozen=True)
class TypedRows:
    """Rows `TYPE, a, b` of a `.syn` or `.con` file: columns, the line each came from, and the rows of each type."""

    file: str
    first: I64
    second: F64 | I64
    line: I64
    rows: dict[str, I64]

    def of(self, name: str) -> I64:
        """Rows of one type, in file order."""
        return self.rows.get(name, np.zeros(0, np.int64))

    def error(self, row: int, problem: str, expected: str, key: str | None = None) -> InputError:
        """Return the InputError for one row."""
        return InputError(problem, file=self.file, line=int(self.line[row]), key=key, expected=expected)


@lru_cache(maxsize=4)  # edits of a network share its files
def parse_synapses(file: InputFile) -> TypedRows:
    """Read a `.syn` file: type, section id, x. A fourth column (pruned or not) is allowed and not used.

    Raises
    ------
    InputError
        Naming the line: wrong number of columns, section id not an integer >= 0, x not within 0 to 1.
    """
    rows = _parse(file, (3, 4), ("type", "section id", "x"), (np.dtype(np.int64), np.dtype(np.float64)))
    _check(rows, (rows.first >= 0) & (rows.first < 2**31), rows.first, "section id", "an integer >= 0")
    _check(rows, (rows.second >= 0) & (rows.second <= 1), rows.second, "x", "a position from 0 to 1")
    return rows


@lru_cache(maxsize=4)  # edits of a network share its files
def parse_connections(file: InputFile) -> TypedRows:
    """Read a `.con` file: type, cell id, synapse id.

    Raises
    ------
    InputError
        Naming the line: wrong number of columns, an id that is not an integer >= 0.
    """
    rows = _parse(file, (3,), ("type", "cell id", "synapse id"), (np.dtype(np.int64), np.dtype(np.int64)))
    _check(rows, (rows.first >= 0) & (rows.first < 2**31), rows.first, "cell id", "an integer >= 0")
    _check(rows, rows.second >= 0, rows.second, "synapse id", "an integer >= 0")
    return rows


@dataclass(frozen=True)
class Embedded:
    """What one population takes from its `.syn` and `.con`, or how it is connected where it has no `.con`."""

    name: str
    n_cells: int
    synapses: TypedRows
    connections: TypedRows | Convergence


def embed(populations: Sequence[Embedded]) -> tuple[Synapses, Connections]:
    """Gather the synapses and connections of all populations.

    Types that no population names are ignored; a type that a `.con` does not hold has no connections.

    Raises
    ------
    InputError
        For a `.con` row that names a cell or a synapse that does not exist, or a synapse that has a cell already.
    """
    located = [p.synapses.of(p.name) for p in populations]
    offsets = _offsets([len(rows) for rows in located])
    wired = [_wiring(p, len(rows)) for p, rows in zip(populations, located, strict=True)]
    synapses = Synapses(
        _joined([p.synapses.first[rows] for p, rows in zip(populations, located, strict=True)], np.dtype(np.int32)),
        _joined([p.synapses.second[rows] for p, rows in zip(populations, located, strict=True)], np.dtype(np.float64)),
        offsets,
    )
    connections = Connections(
        _joined([cell for cell, _ in wired], np.dtype(np.int32)),
        _joined([synapse + start for (_, synapse), start in zip(wired, offsets, strict=False)], np.dtype(np.int64)),
        _offsets([len(cell) for cell, _ in wired]),
    )
    return synapses, connections


def _wiring(p: Embedded, n_synapses: int) -> tuple[I64, I64]:
    """Cell id and synapse id of each connection of one population."""
    if isinstance(p.connections, Convergence):
        return connect(p.name, p.n_cells, n_synapses, p.connections)
    rows = p.connections.of(p.name)
    cell, synapse = p.connections.first[rows], p.connections.second[rows].astype(np.int64)
    _check_connections(p, p.connections, rows, cell, synapse, n_synapses)
    return cell, synapse


def _check_connections(
    p: Embedded, connections: TypedRows, rows: I64, cell: I64, synapse: I64, n_synapses: int
) -> None:
    for ids, limit, what, having in (
        (cell, p.n_cells, "cell", f"a cell id below the population's cellNr, {p.n_cells}"),
        (
            synapse,
            n_synapses,
            "synapse",
            f"a synapse id below {n_synapses}, the synapses of {p.name} in {p.synapses.file}",
        ),
    ):
        if (ids >= limit).any():
            bad = int(np.argmax(ids >= limit))
            raise connections.error(int(rows[bad]), f"{what} {ids[bad]} of {p.name} does not exist", having)
    if len(synapse) and np.bincount(synapse).max() > 1:
        _, first = np.unique(synapse, return_index=True)
        again = np.setdiff1d(np.arange(len(synapse)), first)[0]
        raise connections.error(
            int(rows[again]),
            f"synapse {synapse[again]} of {p.name} has a presynaptic cell already",
            "one row for each synapse",
        )


def _parse(
    file: InputFile, widths: tuple[int, ...], names: tuple[str, str, str], dtypes: tuple[np.dtype[Any], np.dtype[Any]]
) -> TypedRows:
    where = file.path or file.name
    split = [line.split() for line in file.text.splitlines()]
    line = np.array([i for i, row in enumerate(split, 1) if row and row[0][0] != "#"], np.int64)
    rows = [split[i - 1] for i in line.tolist()]
    if {len(row) for row in rows} - set(widths):
        bad = next(i for i, row in enumerate(rows) if len(row) not in widths)
        raise InputError(
            "is not a row of this file",
            file=where,
            line=int(line[bad]),
            value=" ".join(rows[bad]),
            expected=f"{', '.join(names)}, tab separated",
        )
    types, *texts = zip(*(row[:3] for row in rows), strict=True) if rows else ((), (), ())
    columns = []
    for name, text, dtype in zip(names[1:], texts, dtypes, strict=True):
        try:
            columns.append(np.array(text, str).astype(dtype))
        except (ValueError, OverflowError):
            bad = next(i for i, token in enumerate(text) if not _is_number(token, dtype))
            kind = "an integer" if dtype.kind == "i" else "a number"
            raise InputError(
                "is not a number", file=where, line=int(line[bad]), key=name, value=text[bad], expected=kind
            ) from None
    index: dict[str, int] = {}
    code = np.fromiter((index.setdefault(name, len(index)) for name in types), np.int64, len(types))
    order = np.argsort(code, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(code, minlength=len(index)))[:-1]) if index else []
    return TypedRows(where, columns[0], columns[1], line, dict(zip(index, groups, strict=True)))


def _is_number(token: str, dtype: np.dtype[Any]) -> bool:
    try:
        np.array([token], str).astype(dtype)
    except (ValueError, OverflowError):
        return False
    return True


def _check(rows: TypedRows, good: NDArray[np.bool_], values: I64 | F64, key: str, expected: str) -> None:
    if not good.all():
        bad = int(np.argmin(good))
        raise InputError(
            "is out of range",
            file=rows.file,
            line=int(rows.line[bad]),
            key=key,
            value=values[bad].item(),
            expected=expected,
        )


def _offsets(lengths: Sequence[int]) -> I64:
    return frozen(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def _joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return frozen(np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype))
