"""A driver of its own: `python -m tests.runs.drive_to CATALOG RUN TRIALS SECONDS_A_TRIAL [HELD_FROM GATE]`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from isfray.runs.dispatch.limits import Limits
from isfray.runs.run import run_trials
from tests.runs.null_engine import NullEngine, NullResult, spec


@dataclass(frozen=True)
class SlowEngine(NullEngine):
    seconds: float = 0.0

    def run(self, seed: int, t_stop: float | None = None, *, trial: int = 0) -> NullResult:
        time.sleep(self.seconds)
        return super().run(seed, t_stop, trial=trial)


if __name__ == "__main__":
    catalog, run, trials, seconds, *held = sys.argv[1:]
    held_from, gate = (int(held[0]), Path(held[1])) if held else (None, None)
    run_trials(
        spec(run, int(trials)),
        catalog,
        SlowEngine(seconds=float(seconds), held_from=held_from, gate=gate),
        t_stop=300.0,
        workers=2,
        limits=Limits(batch_trials=5, batch_seconds=0.5, pauses=(0.2, 1.0, 5.0)),
    )
