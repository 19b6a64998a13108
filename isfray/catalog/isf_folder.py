"""One raw result folder of the In Silico Framework: what one of its processes left.

(docs/formats.md, Result folders)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.check import whole
from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.formats.isf.param import parse_param
from isfray.model.cell import CellModel
from isfray.model.sites import RecordingSite, named_site, soma_site
from isfray.tables import LAST_TRIAL

_SOMA_TRACES = "_vm_all_traces.csv"
_SWEEP = re.compile(r"simulation_run(\d+)_synapses\.csv")
_COLUMN = re.compile(r"Vm run (\d+)")


def find_folders(above: Path) -> list[IsfFolder]:
    """Return the finished result folders at or below a folder, by path; InputError if there is none."""
    try:
        found = sorted(above.rglob(f"*{_SOMA_TRACES}"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=str(above), expected="a folder") from None
    folders = [IsfFolder(path.parent, path.name.removesuffix(_SOMA_TRACES)) for path in found]
    finished = [folder for folder in folders if "_running" not in str(folder.path.relative_to(above))]
    if not finished:
        raise InputError("holds no finished ISF results", file=str(above), expected=f"a folder with *{_SOMA_TRACES}")
    return finished


@dataclass(frozen=True)
class IsfFolder:
    """A folder, and what the names of its files begin with: `seed<seed>_pid<pid>`."""

    path: Path
    prefix: str

    @property
    def seed(self) -> int:
        """Seed of the process."""
        match = re.match(r"seed(\d+)", self.prefix)
        return whole("seed", int(match[1]) if match else 0, 0, 2**64 - 1)

    @property
    def host(self) -> str:
        """Machine it ran on, if told."""
        return min((p.name.removeprefix("hostname_") for p in self.path.glob("hostname_*")), default="unknown")

    @property
    def neuron(self) -> Path:
        """The cell parameter file."""
        return self.path / f"{self.prefix}_neuron_model.param"

    @property
    def network(self) -> Path | None:
        """The network parameter file, if there is one."""
        path = self.path / f"{self.prefix}_network_model.param"
        return path if path.exists() else None

    def parameters(self) -> list[Any]:
        """Content of the parameter files."""
        files = [read_file(path) for path in (self.neuron, self.network) if path is not None]
        return [parse_param(file.text, file.path).data for file in files]

    def sweeps(self) -> list[int]:
        """Ascending numbers of the sweeps whose releases are stored; InputError if there is none."""
        found = sorted(int(match[1]) for p in self.path.iterdir() if (match := _SWEEP.fullmatch(p.name)))
        if not found:
            raise InputError("holds no trial", file=str(self.path), expected="simulation_run0000_synapses.csv")
        whole(f"trial in {self.path.name}", found[-1], 0, LAST_TRIAL)
        return found

    def activity(self, sweep: int) -> tuple[Path, Path]:
        """Synapse CSV and presynaptic cell CSV of a sweep, numbered with 4 digits (or 7, in replays)."""
        digits = 4 if (self.path / f"simulation_run{sweep:04d}_synapses.csv").exists() else 7
        stem = f"simulation_run{sweep:0{digits}d}"
        return self.path / f"{stem}_synapses.csv", self.path / f"{stem}_presynaptic_cells.csv"

    def sites(self, cell: CellModel) -> dict[str, RecordingSite]:
        """Recorded places by label: the soma, then the cell's recording sites in its order, then others by name."""
        begin, end = f"{self.prefix}_", "_vm_dend_traces.csv"
        labels = sorted(p.name[len(begin) : -len(end)] for p in self.path.glob(f"*{end}") if p.name.startswith(begin))
        known = {site.label: site for site in cell.sites}
        order = [label for label in known if label in labels] + [label for label in labels if label not in known]
        return {"soma": soma_site(), **{label: known.get(label) or _place(label, cell, self.path) for label in order}}

    def traces(self, sites: Iterable[str]) -> tuple[NDArray[np.float64], dict[str, Mapping[int, NDArray[np.float64]]]]:
        """Sample times in ms, and voltage in mV by site and sweep; InputError if a trial lacks one."""
        time: NDArray[np.float64] = np.empty(0)
        found: dict[str, Mapping[int, NDArray[np.float64]]] = {}
        for site in sites:
            name = _SOMA_TRACES if site == "soma" else f"_{site}_vm_dend_traces.csv"
            path = self.path / f"{self.prefix}{name}"
            frame = _read_traces(path)
            if len(time) and not np.array_equal(time, frame["t"].to_numpy()):
                raise InputError("has other times than the soma's traces", file=str(path), key="t")
            time = frame["t"].to_numpy()
            found[site] = self._by_sweep(frame, path)
        return time, found

    def _by_sweep(self, frame: pl.DataFrame, path: Path) -> Mapping[int, NDArray[np.float64]]:
        columns = {int(match[1]): name for name in frame.columns if (match := _COLUMN.fullmatch(name))}
        sweeps = self.sweeps()
        if columns.keys() != set(sweeps):
            expected = f"a trace for each of {len(sweeps)} trials"
            raise InputError(f"has {len(columns)} traces", file=str(path), expected=expected)
        return {sweep: frame[columns[sweep]].to_numpy() for sweep in sweeps}


def _read_traces(path: Path) -> pl.DataFrame:
    try:
        names = pl.read_csv(path, separator="\t", n_rows=0).columns
        frame = pl.read_csv(path, separator="\t", schema=dict.fromkeys(names, pl.Float64))
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"cannot be read ({reason})", file=str(path), expected="columns t, Vm run 00, ...") from None
    if frame.columns[:1] != ["t"] or not frame.height:
        raise InputError("is no trace file", file=str(path), expected="columns t, Vm run 00, ...")
    return frame


def _place(label: str, cell: CellModel, path: Path) -> RecordingSite:
    """Place of a site that is not among the cell's: its name says where it is."""
    try:
        found = named_site(label, cell.geometry)
    except InputError as error:
        raise error.at(file=str(path)) from None
    if found is None:
        expected = "a recording site of the cell, or sec_038_seg_032"
        raise InputError("is no place of the cell", file=str(path), value=label, expected=expected)
    return found
