"""The measurements a network is built from: activity templates, cell counts, embedding files.

(docs/formats.md, Templates and counts)
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from isfray.check import items, nearest, whole
from isfray.check import path as checked_path
from isfray.edits.barrels import PLACE, RECORDED_IN_C2
from isfray.edits.selection import said
from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.formats.isf.activity import read_pointcell
from isfray.formats.isf.entry import Entry
from isfray.formats.isf.param import MOST_BYTES as PARAM_BYTES
from isfray.formats.isf.param import ParamFile, parse_param, plain
from isfray.formats.isf.population import check_template
from isfray.model.display import listed
from isfray.model.inputs import InputFile
from isfray.model.population import split_name
from isfray.model.ranges import MOST_CELLS

PathLike: TypeAlias = str | Path
Evoked: TypeAlias = PathLike | Iterable[PathLike] | Mapping[str, PathLike]
Counts: TypeAlias = PathLike | Mapping[tuple[str, str], int]
Embedding: TypeAlias = PathLike | tuple[PathLike, PathLike]
_HEADER = ("Presynaptic column", "Presynaptic cell type", "Connected presynaptic cells")


def read_template(ongoing: PathLike | Mapping[str, Any]) -> ParamFile:
    """Return the ongoing template, every entry checked, with nothing evoked in it."""
    if isinstance(ongoing, Mapping):
        template = ParamFile(plain(ongoing, "ongoing template"), "ongoing template")
    else:
        file = read_file(ongoing, key="ongoing", most=PARAM_BYTES)
        template = parse_param(file.text, file.path)
    entries = template.data.get("network")
    if not isinstance(entries, dict) or not entries:
        raise template.error(("network",), "is missing or empty", expected="a mapping of cell types to their entries")
    for celltype in entries:
        check_template(Entry(template, ("network",)).child(celltype, "a mapping with celltype and synapses"))
        if _evoked_in(entries[celltype]["celltype"]):
            raise template.error(
                ("network", celltype, "celltype"), "is not ongoing activity", expected="'spiketrain' alone"
            )
    return ParamFile({**template.data, "network": said(entries)}, template.file, template.text)


def _evoked_in(celltype: str | dict[str, Any]) -> bool:
    return celltype.get("pointcell") is not None if isinstance(celltype, dict) else celltype == "pointcell"


@dataclass(frozen=True)
class Response:
    """The measured responses of one cell type: an entry of its file for each of the nine columns around C2."""

    param: ParamFile
    celltype: str

    def at(self, position: int) -> dict[str, Any]:
        """Return the pointcell entry for a column at this position (1 to 9) around the deflected one."""
        key = f"{self.celltype}_{RECORDED_IN_C2[position]}"
        if key not in self.param.data:
            raise self.param.error((key,), "is missing", expected="an entry for each of the nine columns around C2")
        return said(copy.deepcopy(self.param.data[key]))


def read_responses(evoked: Evoked, template: ParamFile) -> dict[str, Response]:
    """Return the measured responses by cell type."""
    if isinstance(evoked, Mapping):
        out = {}
        for celltype, path in evoked.items():
            if celltype not in template.data["network"]:
                known = nearest(str(celltype), template.data["network"])
                raise InputError("is no cell type of the ongoing template", key=f"evoked.{celltype}", expected=known)
            found = _responses(path)
            if len(found) != 1:
                types = listed(list(found), 3) or "none"
                raise InputError(f"holds the cell types {types}", file=str(path), expected=f"one, for {celltype}")
            out[celltype] = next(iter(found.values()))
        return out
    if isinstance(evoked, str | os.PathLike):
        folder = checked_path("evoked", evoked)
        if not folder.is_dir():
            raise InputError(
                "is not a folder", key="evoked", value=str(evoked), expected="a folder, or a list of files"
            )
        files: list[PathLike] = [path for path in sorted(folder.glob("*.param")) if not _is_network(path)]
        if not files:
            raise InputError("holds no evoked template", key="evoked", value=str(evoked), expected="some .param files")
    else:
        files = items("evoked", evoked, "a folder, or a list of files")
    every: dict[str, Response] = {}
    for path in files:
        for celltype, response in _responses(path).items():
            if celltype in every:
                problem = f"has responses of {celltype}, as {every[celltype].param.file} has"
                raise InputError(problem, file=str(path), expected="one file for each cell type")
            every[celltype] = response
    return every


def _is_network(path: Path) -> bool:
    return "network" in parse_param(read_file(path, most=PARAM_BYTES).text, str(path)).data


def _responses(path: PathLike) -> dict[str, Response]:
    file = read_file(path, key="evoked", most=PARAM_BYTES)
    param = parse_param(file.text, file.path)
    out = {}
    for key in param.data:
        celltype, column = split_name(key)
        if column not in RECORDED_IN_C2.values():
            raise param.error((key,), "is no response", expected="<cell type>_<column>, one of the nine around C2")
        read_pointcell(Entry(param).child(key))
        out[celltype] = Response(param, celltype)
    return out


def read_counts(counts: Counts) -> dict[tuple[str, str], int]:
    """Return the number of cells by (column, cell type), in file order."""
    file: str | None = None
    rows: Iterable[tuple[int | None, str, str, Any]]
    if isinstance(counts, Mapping):
        rows = [(None, *_column_and_type(key), number) for key, number in counts.items()]
    else:
        source = read_file(counts, key="counts")
        rows, file = _count_rows(source), source.path
    out: dict[tuple[str, str], int] = {}
    for line, column, celltype, number in rows:
        key = f"{celltype} in {column}"
        if column not in PLACE:
            raise InputError("is not a column", file=file, line=line, value=column, expected=nearest(column, PLACE))
        try:
            number = whole(key, number, 0, MOST_CELLS)
        except InputError as error:
            raise InputError(
                "is not a number of cells", file=file, line=line, key=key, value=number, expected=error.expected
            ) from None
        if (column, celltype) in out:
            raise InputError("is counted twice", file=file, line=line, key=key, expected="one row each")
        out[column, celltype] = int(number)
    return out


def _column_and_type(key: Any) -> tuple[str, str]:
    if isinstance(key, tuple) and len(key) == 2 and all(isinstance(name, str) for name in key):
        return key
    raise InputError("is no column and cell type", key="counts", value=key, expected='("C2", "VPM")')


def _count_rows(file: InputFile) -> list[tuple[int | None, str, str, Any]]:
    lines = [(number, line.split("\t")) for number, line in enumerate(file.text.splitlines(), 1) if line.strip()]
    if not lines or tuple(word.strip() for word in lines[0][1]) != _HEADER:
        raise InputError("is not a table of connected cells", file=file.path, line=1, expected=" / ".join(_HEADER))
    rows: list[tuple[int | None, str, str, Any]] = []
    for number, words in lines[1:]:
        if len(words) != len(_HEADER):
            raise InputError(
                "is not a row of this file",
                file=file.path,
                line=number,
                value=" ".join(words),
                expected="column, cell type and number of cells, tab separated",
            )
        column, celltype, cells = (word.strip() for word in words)
        rows.append((number, column, celltype, int(cells) if cells.isdecimal() and len(cells) < 20 else cells))
    return rows


def read_embedding(embedding: Embedding) -> tuple[InputFile, ...]:
    """Return the `.syn` and the `.con` file; only the `.syn` if that is what was named."""
    if not isinstance(embedding, str | os.PathLike):
        if not isinstance(embedding, list | tuple) or len(embedding) != 2:
            raise InputError("is no embedding", key="embedding", value=embedding, expected="a folder, or (.syn, .con)")
        synapses, connections = embedding
        return _embedding_file(synapses, ".syn"), _embedding_file(connections, ".con")
    path = checked_path("embedding", embedding)
    if path.is_dir():
        return tuple(_embedding_file(_only(path, suffix), suffix) for suffix in (".syn", ".con"))
    if path.suffix.lower() == ".syn":
        return (_embedding_file(path, ".syn"),)
    return tuple(_embedding_file(path.with_name(path.name + suffix), suffix) for suffix in (".syn", ".con"))


def _only(folder: Path, suffix: str) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() == suffix)
    if len(found) != 1:
        names = listed([path.name for path in found], 3) or "none"
        raise InputError(
            f"holds not one {suffix} file but {names}", key="embedding", value=str(folder), expected="(.syn, .con)"
        )
    return found[0]


def _embedding_file(path: PathLike, suffix: str) -> InputFile:
    if checked_path("embedding", path).suffix.lower() != suffix:
        raise InputError("has the wrong extension", key="embedding", value=str(path), expected=f"a {suffix} file")
    return read_file(path, key="embedding")
