"""Synthetic trials of realistic shape, and a storage that stops on demand."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from isfray import tables
from isfray.catalog import Catalog, RunSpec
from isfray.catalog.batch import write_batch
from isfray.catalog.log import Commit, ranges
from isfray.catalog.storage import Storage
from isfray.model.inputs import InputFile, ModelInputs

KINDS = 278
TYPES = [f"{'VPM' if i % 7 == 0 else f'L{i % 6}py'}_{'ABCDE'[i % 5]}{i}" for i in range(KINDS)]
CELLTYPES = [name.split("_")[0] for name in TYPES]
COLUMNS = [name.split("_")[1] for name in TYPES]
TABLES = ["trials", "synapse_activation", "cell_activation", "spike_times", "voltage_traces"]
"""Tables that every trial has."""


def trial(number: int, **shape: Any) -> dict[str, pa.Table]:
    """Tables of one trial: a function of its number, but for the time it took (`wall_s`)."""
    return dict(_trial(number, **shape))


@cache
def _trial(
    number: int, synapses: int = 40, cells: int = 60, samples: int = 50, wall_s: float = 1.0
) -> dict[str, pa.Table]:
    rng = np.random.default_rng(number)

    def ragged(rows: int, mean: float) -> dict[str, Any]:
        offsets = np.concatenate([[0], np.cumsum(1 + rng.poisson(mean, rows))])
        return {"offsets": offsets, "times": np.round(rng.uniform(0, 300, offsets[-1]), 6)}

    common: dict[str, Any] = {"type_names": TYPES, "celltypes": CELLTYPES, "columns": COLUMNS}
    releases, spikes = ragged(synapses, 0.2), ragged(cells, 0.5)
    dt = 300 / (samples - 1.5)  # so that 300 ms have so many samples
    voltage = rng.normal(-70, 3, (2, samples))
    voltage[:, 0] = -70.0
    room = max(0, samples // 2 - 1)
    soma = 1 + np.sort(rng.choice(room, min(rng.poisson(2), room), replace=False)) * 2
    voltage[0, soma] = voltage[1, soma[:1] + 1] = 20.0
    return {
        "trials": tables.trial_row(
            number,
            seed=2**64 - 1 - number,
            t_stop=300.0,
            dt=dt,
            n_active_synapses=synapses,
            n_releases=len(releases["times"]),
            n_spikes=len(soma),
            engine="neuron",
            host="host",
            wall_s=wall_s,
            finished_at=datetime.fromtimestamp(1e9 + wall_s, UTC),
        ),
        "synapse_activation": tables.synapse_activation(
            number,
            synapse_type_index=rng.integers(0, KINDS, synapses),
            synapse_id=rng.integers(0, 900, synapses),
            section_id=rng.integers(0, 170, synapses),
            section_pt_id=rng.integers(0, 50, synapses),
            soma_distance=rng.uniform(0, 1200, synapses),
            label_index=rng.integers(0, 3, synapses),
            labels=["Soma", "Dendrite", "ApicalDendrite"],
            **common,
            **releases,
        ),
        "cell_activation": tables.cell_activation(
            number,
            synapse_type_index=rng.integers(0, KINDS, cells),
            cell_id=rng.integers(0, 400, cells),
            **common,
            **spikes,
        ),
        "spike_times": tables.spike_times(
            number, sites=["soma", "apical"], thresholds=[0.0, -30.0], times=[soma * dt, (soma[:1] + 1) * dt]
        ),
        "voltage_traces": tables.voltage_traces(
            number,
            sites=["soma", "apical"],
            section_id=[0, 5],
            x=[0.5, 0.3],
            soma_distance=[0.0, 800.0],
            t_start=0.0,
            dt=dt,
            voltage=voltage,
        ),
    }


def batch(numbers: Any, **shape: Any) -> dict[str, pa.Table]:
    """Tables of some trials."""
    return tables.join_trials(trial(int(n), **shape) for n in numbers)


def spec(name: str = "stim_C2", *, morphology: bytes = b"{create soma}", **changes: Any) -> RunSpec:
    """A run with small inputs."""
    cell = ModelInputs(
        InputFile("86_C2_center.param", b"{'neuron': {'filename': 'x/cell.hoc'}}"),
        {"x/cell.hoc": InputFile("cell.hoc", morphology)},
    )
    network = ModelInputs(InputFile("network.param", b"{'network': {}}"), {})
    given: dict[str, Any] = {"seed": 7, "settings": {"t_stop": 300.0, "dt": 0.025, "engine": "neuron", "clamp": []}}
    return RunSpec(name, inputs={"cell": cell, "network": network}, **{**given, **changes})


class Stopped(BaseException):
    """The process ended here."""


class Faulty(Storage):
    """Another storage that stops at a given operation, before or after its effect."""

    def __init__(self, inner: Storage, operations: int, *, after: bool = False) -> None:
        super().__init__(inner.uri, inner.options)
        self.inner, self.left, self.after, self.lock = inner, operations, after, Lock()

    def _do(self, name: str, *arguments: Any) -> Any:
        with self.lock:  # the files of a batch are written side by side
            self.left -= 1
            last = self.left == -1
        if last and not self.after:
            self.stop(name)
        result = getattr(self.inner, name)(*arguments)
        if last:
            self.stop(name)
        return result

    def stop(self, name: str) -> None:
        raise Stopped(name)

    def read(self, key):
        return self._do("read", key)

    def listing(self, prefix):
        return self._do("listing", prefix)

    def folders(self, prefix):
        return self._do("folders", prefix)

    def put(self, key, data):
        return self._do("put", key, data)

    def create(self, key, data):
        return self._do("create", key, data)

    def delete(self, keys):
        for key in keys:
            self._do("delete", [key])

    def remove_unfinished(self, before):
        return self._do("remove_unfinished", before)

    def source(self, key):
        return self.inner.source(key)

    @property
    def has_room(self):
        return self.inner.has_room

    @property
    def scan_options(self):
        return self.inner.scan_options


def commit_unseen(catalog: Catalog, run: str, numbers: Any, content: dict[str, pa.Table]) -> None:
    """Commit trials as versions did that did not look at them."""
    trials = np.array(sorted(numbers), dtype=np.int32)
    catalog._log(run).append(
        lambda n: Commit(n, "batch", ranges(trials), write_batch(catalog.storage, run, content, trials, n))
    )
