"""A stand-in for the simulator only: real tables with made-up content, and misbehaviour on request."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from isfray import tables
from isfray.activity import TrialSpec
from isfray.catalog import RunSpec
from isfray.model.inputs import InputFile, ModelInputs

TYPES = ("L4ss_C2", "VPM_C2")


@dataclass(frozen=True)
class NullResult:
    tables: dict[str, pa.Table]


@dataclass(frozen=True)
class NullEngine:
    """Is its own factory: builds itself, once per actor.

    `diary` is a file that gets a line `trial pid` for every trial begun, `builds` one with the pid for every build.
    Trials from number `held_from` on wait until the file `gate` exists.
    """

    rows: int = 20
    held_from: int | None = None
    gate: Path | None = None
    diary: Path | None = None
    builds: Path | None = None
    raises: frozenset[int] = frozenset()
    diverges: frozenset[int] = frozenset()
    exits: frozenset[int] = frozenset()
    dies_once: frozenset[int] = frozenset()
    hangs_once: frozenset[int] = frozenset()
    sick_once: frozenset[int] = frozenset()
    grows_by: int = 0
    unbuildable: Exception | None = None
    hoard: list[bytes] = field(default_factory=list, compare=False)

    def __call__(self) -> NullEngine:
        if self.unbuildable is not None:
            raise self.unbuildable
        if self.builds is not None:
            with self.builds.open("a") as file:
                file.write(f"{os.getpid()}\n")
        return self

    def trials(self, trials: Sequence[TrialSpec], t_stop: float | None = None) -> Iterator[NullResult]:
        for trial in trials:
            yield self._run(trial.seed, t_stop, trial.number)

    def _run(self, seed: int, t_stop: float | None, trial: int) -> NullResult:
        first = self._enter(trial)
        if trial in self.raises:
            raise ValueError(f"no spikes for trial {trial}")
        if trial in self.exits:
            os._exit(1)
        if trial in self.dies_once and first:
            os.kill(os.getpid(), signal.SIGKILL)
        if trial in self.hangs_once and first:
            time.sleep(3600)
        if trial in self.sick_once and first:
            raise MemoryError("out of memory")
        if self.grows_by:
            self.hoard.append(b"x" * self.grows_by)
        while self.gate is not None and self.held_from is not None and trial >= self.held_from:
            if self.gate.exists():
                break
            time.sleep(0.02)
        return NullResult(trial_tables(trial, seed, t_stop or 300.0, self.rows, diverged=trial in self.diverges))

    def _enter(self, trial: int) -> bool:
        if self.diary is None:
            return True
        before = begun(self.diary)
        with self.diary.open("a") as file:
            file.write(f"{trial} {os.getpid()}\n")
        return trial not in before


def begun(diary: Path) -> list[int]:
    """Trials that were begun, in order."""
    return [int(line.split()[0]) for line in diary.read_text().splitlines()] if diary.exists() else []


def trial_tables(trial: int, seed: int, t_stop: float, rows: int, *, diverged: bool = False) -> dict[str, pa.Table]:
    rng = np.random.default_rng(seed)
    times = rng.uniform(0, t_stop, rows)
    dt = t_stop / (10 * rows - 1.5)  # so that the trial has 10 samples a row
    voltage = rng.normal(-70, 5, (1, 10 * rows))
    voltage[0, 7] = 20.0
    voltage[0, -1] = np.nan if diverged else -70.0
    offsets = np.arange(rows + 1)
    kind = (np.arange(rows) % 2).astype(np.int32)
    naming = {"type_names": TYPES, "celltypes": ("L4ss", "VPM"), "columns": ("C2", "C2")}
    return {
        "trials": tables.trial_row(
            trial,
            seed=seed,
            t_stop=t_stop,
            dt=dt,
            n_active_synapses=rows,
            n_releases=rows,
            n_spikes=1,
            engine="null",
            host="nowhere",
            wall_s=0.0,
            finished_at=datetime(2024, 1, 1, tzinfo=UTC),
        ),
        "synapse_activation": tables.synapse_activation(
            trial,
            synapse_type_index=kind,
            synapse_id=np.arange(rows),
            section_id=np.arange(rows) % 7,
            section_pt_id=np.arange(rows),
            soma_distance=rng.uniform(0, 1000, rows),
            label_index=np.zeros(rows, np.int32),
            labels=("Dendrite",),
            offsets=offsets,
            times=times,
            **naming,
        ),
        "cell_activation": tables.cell_activation(
            trial, synapse_type_index=kind, cell_id=np.arange(rows), offsets=offsets, times=times, **naming
        ),
        "spike_times": tables.spike_times(trial, sites=("soma",), thresholds=[0.0], times=[np.array([7 * dt])]),
        "voltage_traces": tables.voltage_traces(
            trial,
            sites=("soma",),
            section_id=[0],
            x=[0.5],
            soma_distance=[0.0],
            t_start=0.0,
            dt=dt,
            voltage=voltage,
        ),
    }


def spec(name: str, trials: int, seed: int = 7) -> RunSpec:
    """What is asked for, of a cell nobody reads."""
    cell = ModelInputs(InputFile("cell.param", b"{}"), {})
    return RunSpec(name=name, seed=seed, settings={"t_stop": 300.0}, inputs={"cell": cell}, trials=trials)
