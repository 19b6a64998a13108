"""A driver of its own into any catalog: `python -m tests.cluster.drive_to CATALOG RUN TRIALS SECONDS_A_TRIAL`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from isfray.cluster.limits import Limits
from isfray.cluster.run import run_trials
from tests.cluster.null_engine import NullEngine, NullResult, spec


@dataclass(frozen=True)
class SlowEngine(NullEngine):
    seconds: float = 0.0

    def run(self, seed: int, t_stop: float | None = None, *, trial: int = 0) -> NullResult:
        time.sleep(self.seconds)
        return super().run(seed, t_stop, trial=trial)


if __name__ == "__main__":
    catalog, run, trials, seconds = sys.argv[1:]
    run_trials(
        spec(run, int(trials)),
        catalog,
        SlowEngine(seconds=float(seconds)),
        t_stop=300.0,
        workers=2,
        limits=Limits(batch_trials=5, batch_seconds=0.5, pauses=(0.2, 1.0, 5.0)),
    )
