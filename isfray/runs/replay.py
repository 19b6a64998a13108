"""One stored trial simulated again for pictures: everywhere on the cell, and held against what was stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from isfray.analysis import RunTables
from isfray.arrays import F32, F64
from isfray.catalog import Catalog
from isfray.engine import TrialResult
from isfray.engine.kinds import ENGINES, engine_kind
from isfray.engine.recording import read_variable
from isfray.errors import InputError
from isfray.look.segments import SegmentTraces, SomaTrace
from isfray.model.cell import CellModel
from isfray.model.clamp import read_clamps
from isfray.model.clock import sample_times
from isfray.model.display import listed
from isfray.model.network import NetworkModel
from isfray.model.sites import segment_label
from isfray.model.soundness import UnsoundTrialError
from isfray.runs.dispatch.failures import ReplayError
from isfray.runs.request import SimulatorFactory

TOLERANCE = 1e-6
"""How far the soma's voltage may be from the stored one, mV (docs/formats.md, Agreement with ISF)."""


@dataclass(frozen=True)
class Replayed:
    """A trial as it was simulated again.

    Attributes
    ----------
    traces : SegmentTraces
        At the times asked for.
    soma : SomaTrace
        Every sample of the window.
    low, high : ndarray of float32, shape (segments,)
        Least and greatest value of every segment among all samples of the window.
    compared : float or None
        Greatest difference from the stored soma voltage, mV; None if none is stored.
    """

    traces: SegmentTraces
    soma: SomaTrace
    low: F32
    high: F32
    compared: float | None


@dataclass(frozen=True)
class Replay:
    """One trial to be simulated again; does it, in a process that has no NEURON yet, when called.

    Attributes
    ----------
    factory : SimulatorFactory
    trial, seed : int
    releases : pyarrow.Table or None
        Its rows of `synapse_activation`; None if the run has no network.
    stored : SomaTrace or None
        The soma's voltage as it was stored.
    times : ndarray, shape (frames,)
        When to look, ms.
    begin, end : float
        The window, ms.
    variable : str
        "v", or a range variable.
    tolerance : float
        mV.
    """

    factory: SimulatorFactory
    trial: int
    seed: int
    releases: pa.Table | None
    stored: SomaTrace | None
    times: F64
    begin: float
    end: float
    variable: str
    tolerance: float

    @property
    def unit(self) -> str:
        """What the variable is counted in."""
        return unit(self.variable)

    def __call__(self) -> Replayed:
        """Simulate the trial up to the end of the window.

        Raises
        ------
        ReplayError
            If the soma's voltage differs from the stored one.
        """
        simulator = self.factory()
        try:
            if self.releases is None:
                result = simulator.run(self.seed, self.end, trial=self.trial)
            else:
                result = simulator.replay(self.releases, self.end, seed=self.seed, trial=self.trial)
        except UnsoundTrialError as error:
            raise ReplayError(f"simulated again, {error}") from None
        compared = self._compare(result)
        time = result.time
        index = np.minimum(np.round((self.times - time[0]) / simulator.dt).astype(np.int64), len(time) - 1)
        first, last = np.searchsorted(time, (self.begin - 1e-6, self.end + 1e-6))
        window = slice(min(int(first), int(index[0])), max(int(last), int(index[-1]) + 1))
        values = self._values(result, window)
        frames = np.ascontiguousarray(values[:, index - window.start].T)
        return Replayed(
            SegmentTraces(self.times, frames, self.variable, self.unit),
            SomaTrace(time[window].copy(), result.voltage["soma"][window].copy()),
            values.min(axis=1),
            values.max(axis=1),
            compared,
        )

    def _values(self, result: TrialResult, window: slice) -> F32:
        """Value of every segment at every sample of the window; nan where it has none."""
        g = self.factory.cell.geometry
        within = (np.arange(g.n_segments) - g.offsets[g.section_of_segment]).tolist()
        if self.variable == "v":
            labels = map(segment_label, g.section_of_segment.tolist(), within)
            return np.stack([result.voltage[label][window].astype(np.float32) for label in labels])
        variable = read_variable(self.factory.cell, self.variable)
        assert variable is not None  # read_replay made sure
        found = result.variables[self.variable][:, window]
        values = np.full((g.n_segments, found.shape[1]), np.nan, np.float32)
        values[[int(g.offsets[site.section]) + site.segment for site in variable.sites]] = found
        return values

    def _compare(self, result: TrialResult) -> float | None:
        if self.stored is None:
            return None
        voltage = result.voltage["soma"]
        stored, time = self.stored.voltage, self.stored.time
        n = min(len(stored), len(voltage))
        if not n or time[-1] < result.time[-2] - 1e-6:
            many = f"{len(stored)} of {len(voltage)} samples up to {self.end:g} ms"
            raise ReplayError(f"trial {self.trial}: its stored voltage has {many}; see `isfray verify`")
        if not np.allclose(time[:n], result.time[:n], atol=1e-6):
            voltage = np.interp(time[:n], result.time, voltage)
        difference = float(np.abs(stored[:n] - voltage[:n]).max())
        if not difference <= self.tolerance:
            at = float(time[:n][~(np.abs(stored[:n] - voltage[:n]) <= self.tolerance)][0])
            raise ReplayError(
                f"trial {self.trial}: simulated again, the soma's voltage differs from the stored one by "
                f"{difference:.3g} mV (from {at:g} ms on); up to {self.tolerance:g} mV is accepted"
            )
        return difference


def unit(variable: str) -> str:
    """Return what a variable is counted in, as NEURON does; empty where that is the mechanism's affair."""
    name = variable.rpartition(".")[2]
    if name == "v" or (name[0] == "e" and not variable.partition(".")[1]):
        return "mV"
    if name[0] == "i":
        return "mA/cm²"
    if name in ("cai", "cao", "nai", "nao", "ki", "ko"):
        return "mM"
    return "S/cm²" if name[0] == "g" else ""


def read_replay(
    catalog: Catalog,
    tables: RunTables,
    models: tuple[CellModel, NetworkModel | None],
    trial: int,
    times: F64,
    end: float,
    *,
    begin: float,
    variable: str = "v",
    tolerance: float = TOLERANCE,
) -> Replay:
    """Return what to simulate again, with the settings of the run.

    Parameters
    ----------
    catalog : Catalog
    tables : RunTables
        The run's.
    models : (CellModel, NetworkModel or None)
        The run's.
    trial : int
        One of its finished trials.
    times, end, begin
        As in `Replay`.
    variable : str
        "v", or a range variable.
    tolerance : float
        mV.

    Raises
    ------
    InputError
        For a variable that the cell does not have.
    """
    cell, network = models
    settings = catalog.info(tables.name).settings
    if not isinstance(variable, str):
        raise InputError("is no variable", key="variable", value=variable, expected='"v", or a range variable')
    if variable != "v":
        _check_variable(cell, variable)
    engine = engine_kind(settings.engine if settings.engine in ENGINES else None)
    clamp = read_clamps(settings.clamp or (), cell.morphology.labels)
    record = "all" if variable == "v" else ("soma", variable)
    row = tables.scan("trials", trial).select("seed").collect()
    releases = None if network is None else tables.scan("synapse_activation", trial).collect().to_arrow()
    return Replay(
        SimulatorFactory(cell, network, engine, clamp, record),
        trial,
        int(row["seed"][0]),
        releases,
        _stored(tables, trial),
        times,
        begin,
        end,
        variable,
        tolerance,
    )


def _check_variable(cell: CellModel, variable: str) -> None:
    try:
        found = read_variable(cell, variable)
    except InputError as error:
        raise InputError(error.problem, key="variable", value=variable, expected=error.expected) from None
    if found is None:
        there = listed(sorted({mechanism.name for m in cell.membranes for mechanism in m.mechanisms}))
        expected = f'"v", "cai" and such, or a range variable of {there}, such as "Ca_HVA.ica"'
        raise InputError("is no variable of the cell", key="variable", value=variable, expected=expected)


def _stored(tables: RunTables, trial: int) -> SomaTrace | None:
    rows = tables.scan("voltage_traces", trial).filter(pl.col("site").cast(pl.String) == "soma").collect()
    if rows.is_empty():
        return None
    voltage = rows["voltage"][0].to_numpy()
    return SomaTrace(sample_times(len(voltage), rows["t_start"][0], rows["dt"][0]), voltage)
