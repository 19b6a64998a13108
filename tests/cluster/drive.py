"""A driver of its own: `python -m tests.cluster.drive CATALOG DIARY TRIALS SECONDS [RUN]`."""

from __future__ import annotations

import sys
from pathlib import Path

from isfray.cluster.limits import Limits
from isfray.cluster.run import run_trials
from tests.cluster.null_engine import NullEngine, spec

if __name__ == "__main__":
    catalog, diary, trials, seconds, *name = sys.argv[1:]
    run_trials(
        spec(name[0] if name else "run", int(trials)),
        catalog,
        NullEngine(seconds=float(seconds), diary=Path(diary)),
        t_stop=300.0,
        workers=2,
        limits=Limits(batch_trials=5, batch_seconds=0.5, pauses=(0.2, 1.0, 5.0)),
    )
