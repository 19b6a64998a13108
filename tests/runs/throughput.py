"""What dispatch costs: `python -m tests.runs.throughput FOLDER TRIALS [BATCH]`, by hand, on a quiet machine.

Real dispatcher, actors and catalog; in place of the simulator, tables made once per actor and only numbered per trial.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
from numpy.typing import NDArray

from isfray.activity import TrialSpec
from isfray.runs.dispatch.limits import Limits
from isfray.runs.run import run_trials
from tests.runs.null_engine import NullResult, spec, trial_tables


@dataclass
class Stamp:
    """Its own factory: the tables of trial 0 with another number in them."""

    made: dict[str, pa.Table] = field(default_factory=dict)

    def __call__(self) -> Stamp:
        self.made = trial_tables(0, 1, 300.0, 20)
        return self

    def trials(self, trials: Sequence[TrialSpec], t_stop: float | None = None) -> Iterator[NullResult]:
        for trial in trials:
            stamped = {"trial": np.full(20, trial.number, np.int32), "seed": np.full(1, trial.seed, np.uint64)}
            yield NullResult({name: self._stamped(table, stamped) for name, table in self.made.items()})

    def _stamped(self, table: pa.Table, stamped: dict[str, NDArray[Any]]) -> pa.Table:
        old = zip(table.column_names, table.columns, strict=True)
        columns = [pa.array(stamped[name][: len(table)]) if name in stamped else column for name, column in old]
        return pa.Table.from_arrays(columns, schema=table.schema)


def cpu_seconds(spent: dict[int, tuple[str, float]]) -> None:
    """Note the CPU seconds of this process and all it has started, by process."""
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        try:
            title, times = " ".join(process.cmdline()), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        known = {"SimulationActor": "actors", "CatalogActor": "catalog actor", "raylet/raylet": "raylet"}
        name = "driver" if process == me else next((n for key, n in known.items() if key in title), "other of Ray")
        spent[process.pid] = (
            spent.get(process.pid, (name,))[0] if "IDLE" in title else name,
            times.user + times.system,
        )


def main() -> None:
    folder, trials = sys.argv[1], int(sys.argv[2])
    limits = Limits(batch_trials=int(sys.argv[3]) if len(sys.argv) > 3 else 25)
    how = {"t_stop": 300.0, "workers": 2, "progress": False, "wait": False, "limits": limits}
    handle = run_trials(spec("run", trials), folder, Stamp(), **how)
    spent: dict[int, tuple[str, float]] = {}
    marks: list[tuple[float, int, float, int]] = []
    while not handle.join(1.0):
        cpu_seconds(spent)
        cpu = sum(seconds for _, seconds in spent.values())
        marks.append((time.monotonic(), handle.progress().done, cpu, psutil.Process().memory_info().rss >> 20))
    handle.wait()
    marks = [mark for mark in marks if mark[1]]
    print(f"{os.getloadavg()[0]:.1f} load\nseconds  trials  trials/s  CPU ms per trial  driver MB")
    shown = [marks[0], *(mark for mark in marks if mark[1] > 1000)][:: max(1, len(marks) // 12)]
    for one, other in pairwise([*shown, marks[-1]]):
        if done := other[1] - one[1]:
            rate, cost = done / (other[0] - one[0]), 1000 * (other[2] - one[2]) / done
            print(f"{other[0] - marks[0][0]:7.0f} {other[1]:7d} {rate:9.0f} {cost:17.2f} {other[3]:10d}")
    print("CPU ms per trial, start of Ray included:")
    for name in sorted({name for name, _ in spent.values()}):
        total = sum(seconds for n, seconds in spent.values() if n == name)
        print(f"  {name:14} {1000 * total / trials:6.2f}")


if __name__ == "__main__":
    main()
