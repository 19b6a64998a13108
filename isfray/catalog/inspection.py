"""Whether trials are what they must be, by their tables: the same look for what comes in and for what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from isfray.catalog.batch import CommitInfo
from isfray.catalog.runs import input_key
from isfray.catalog.storage import Storage
from isfray.errors import InputError
from isfray.formats.isf.param import parse_param
from isfray.model.clock import n_samples
from isfray.model.detection import crossings, threshold
from isfray.model.soundness import MOST_MV, UnsoundTrialError, first_fault
from isfray.tables import SCHEMAS, join_trials

SOMA = "soma"
"""Site whose spikes `trials.n_spikes` counts."""
IMPORTED = "isf"
"""Engine of trials that were read from ISF's files; their times and lengths are ISF's affair."""
_COUNTS = ("n_active_synapses", "n_releases", "n_spikes")
_VALUES = {"voltage_traces": "voltage", "variable_traces": "values"}


@dataclass(frozen=True)
class _Row:
    """What the table `trials` says of one."""

    counts: tuple[int, int, int]
    t_stop: float
    dt: float
    imported: bool


class Inspection:
    """Looks at the tables of trials, piece by piece, `trials` before the others; keeps some numbers per trial.

    Parameters
    ----------
    v_init : float or None
        What every voltage begins with, mV; None if that is not known.
    """

    def __init__(self, v_init: float | None) -> None:
        self._v_init = v_init
        self._trials: dict[int, _Row] = {}
        self._rows: dict[str, Counter[int]] = {name: Counter() for name in SCHEMAS}
        self._releases: Counter[int] = Counter()
        self._soma_spikes: Counter[int] = Counter()
        self._stored: Counter[int] = Counter()  # of spikes, as sums of hashes of site and sample
        self._seen: Counter[int] = Counter()
        self._early: set[tuple[str, int]] = set()
        self._late: dict[tuple[str, int], float] = {}
        self.faults: dict[int, str] = {}
        """By trial, what is wrong with its traces."""

    def see(self, name: str, table: pa.Table) -> None:
        """Look at some rows of a table, sorted by trial."""
        trial = table.column("trial").to_numpy()
        _count(self._rows[name], trial)
        if name == "trials":
            columns = [table.column(c).to_pylist() for c in (*_COUNTS, "t_stop", "dt", "engine")]
            for number, a, b, c, t_stop, dt, engine in zip(trial.tolist(), *columns, strict=True):
                self._trials[number] = _Row((a, b, c), t_stop, dt, engine == IMPORTED)
        elif name == "spike_times":
            self._see_spikes(trial, table)
        elif name in _VALUES:
            self._see_traces(name, trial, table)
        else:
            times = table.column("times")
            owner = np.repeat(trial, pc.list_value_length(times).to_numpy())
            self._span(name, owner, pc.list_flatten(times).to_numpy())
            if name == "synapse_activation":
                _count(self._releases, owner)

    def contradictions(self, trials: NDArray[np.int32]) -> Iterator[tuple[str, list[int]]]:
        """What is wrong with trials that must be there, and with which, but for their traces."""
        rows = self._rows["trials"]
        yield "trials: has no row", sorted(set(trials.tolist()) - rows.keys())
        yield "trials: has several rows", [t for t, n in rows.items() if n > 1]
        for name, counts in self._rows.items():
            yield f"{name}: has rows that the table trials has not", sorted(counts.keys() - rows.keys())
        counted = (self._rows["synapse_activation"], self._releases, self._soma_spikes)
        for i, (column, counts) in enumerate(zip(_COUNTS, counted, strict=True)):
            wrong = [t for t, said in self._trials.items() if said.counts[i] != counts[t]]
            yield f"trials: {column} disagrees with the rows", wrong
        for name in SCHEMAS:
            early = sorted(t for table, t in self._early if table == name)
            yield f"{name}: has times before 0 or that are no numbers", early
            late = [t for (table, t), last in self._late.items() if table == name and self._is_late(t, last)]
            yield f"{name}: has times after the end", late
        clear = self._seen.keys() & self._trials.keys() - self.faults.keys()
        differ = sorted(t for t in clear if self._seen[t] != self._stored[t])
        yield "spike_times: has not the spikes of voltage_traces", differ

    def wrong(self, trials: NDArray[np.int32]) -> dict[int, str]:
        """By trial, what is wrong with it, of trials that must be there."""
        found = {t: line for line, of in self.contradictions(trials) for t in of} | self.faults
        return {t: found[t] for t in sorted(found.keys() & set(trials.tolist()))}

    def _see_spikes(self, trial: NDArray[np.int32], table: pa.Table) -> None:
        times = table.column("time").to_numpy()
        self._span("spike_times", trial, times)
        site = table.column("site").cast(pa.string())
        _count(self._soma_spikes, trial[pc.equal(site, SOMA).to_numpy()])
        for number, place, time in zip(trial.tolist(), site.to_pylist(), times.tolist(), strict=True):
            if (said := self._trials.get(number)) is not None and np.isfinite(time):
                self._stored[number] += _spike(place, time, said)

    def _see_traces(self, name: str, trial: NDArray[np.int32], table: pa.Table) -> None:
        voltage = name == "voltage_traces"
        column = table.column(_VALUES[name])
        ends = np.cumsum(pc.list_value_length(column).to_numpy())
        flat = pc.list_flatten(column).to_numpy()
        columns = [table.column(c).to_pylist() for c in ("site", "section_id", "t_start", "dt")]
        if not voltage:
            columns[0] = [f"{v} at {s}" for v, s in zip(table.column("variable").to_pylist(), columns[0], strict=True)]
        traces: dict[int, list[tuple[str, int, float, float, NDArray[np.float64]]]] = {}
        for i, (number, *about) in enumerate(zip(trial.tolist(), *columns, strict=True)):
            traces.setdefault(number, []).append((*about, flat[ends[i - 1] if i else 0 : ends[i]]))
        for number, of in traces.items():
            if (said := self._trials.get(number)) is None:
                continue
            self._judge(number, said, of, voltage=voltage)

    def _judge(self, number: int, said: _Row, traces: list[Any], *, voltage: bool) -> None:
        odd = [(t_start, dt) for _, _, t_start, dt, _ in traces if (t_start, dt) != (0.0, said.dt)]
        fault = first_fault(
            [(f"voltage at {site}" if voltage else site, values) for site, *_, values in traces],
            None if said.imported else n_samples(said.t_stop, said.dt),
            dt=traces[0][3],
            t_start=traces[0][2],
            start=self._v_init if voltage and not said.imported else None,
            most=MOST_MV if voltage else np.inf,
            unit="mV" if voltage else "",
        )
        if odd and not said.imported and fault is None:
            fault = f"a trace begins at {odd[0][0]:g} ms and has steps of {odd[0][1]:g} ms"
        if fault is not None:
            self.faults.setdefault(number, fault)
        elif voltage:
            self._seen[number] += 0
            for site, section, t_start, dt, values in traces:
                for k in crossings(values, threshold(section)).tolist():
                    self._seen[number] += _spike(site, t_start + k * dt, said)

    def _span(self, name: str, owner: NDArray[np.int32], times: NDArray[np.float64]) -> None:
        if not len(times):
            return
        numbers, first = np.unique(owner, return_index=True)  # sorted by trial
        lows, highs = np.minimum.reduceat(times, first), np.maximum.reduceat(times, first)
        self._early |= {(name, t) for t in numbers[~(lows >= 0)].tolist()}
        for number, last in zip(numbers.tolist(), highs.tolist(), strict=True):
            self._late[name, number] = max(last, self._late.get((name, number), last))

    def _is_late(self, trial: int, last: float) -> bool:
        said = self._trials.get(trial)
        return said is not None and not said.imported and last > said.t_stop + 2 * said.dt


def inspect_batch(batch: Mapping[str, pa.Table], trials: NDArray[np.int32], v_init: float | None) -> dict[int, str]:
    """By trial, what is wrong with it, of the canonical tables of some trials."""
    inspection = Inspection(v_init)
    for name in sorted(batch, key=list(SCHEMAS).index):
        inspection.see(name, batch[name])
    return inspection.wrong(trials)


def commit_sound(
    commit: Callable[[Mapping[str, pa.Table]], CommitInfo], trials: Mapping[int, Mapping[str, pa.Table]]
) -> tuple[int, dict[int, str]]:
    """Commit the trials that are what they must be; return bytes written, and what is wrong with each other one."""
    try:
        return commit(join_trials(trials.values())).bytes, {}
    except UnsoundTrialError as error:
        wrong = error.wrong
    sound = [tables for trial, tables in trials.items() if trial not in wrong]
    return commit(join_trials(sound)).bytes if sound else 0, wrong


def initial_voltage(storage: Storage, body: Mapping[str, Any]) -> float | None:
    """What a run's voltages begin with (mV), by its stored cell file; None if that does not tell."""
    try:
        main = body["inputs"]["cell"]["main"]
        data = storage.read(input_key(main)) or b""
        given = parse_param(data.decode(), main["name"]).data["sim"]["Vinit"]
    except (InputError, KeyError, TypeError, UnicodeDecodeError):
        return None
    return float(given) if isinstance(given, int | float) else None


def _spike(site: str, time: float, said: _Row) -> int:
    """One spike as a number, equal for equal ones; sums of such tell sets of spikes apart."""
    return hash((site, 0 if said.imported else round(time / said.dt)))


def _count(counter: Counter[int], trial: NDArray[np.int32]) -> None:
    values, counts = np.unique(trial, return_counts=True)
    counter.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def some(trials: Iterable[int]) -> str:
    """Numbers of the first few trials."""
    numbers = sorted(trials)
    return ", ".join(map(str, numbers[:5])) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
