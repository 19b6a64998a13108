"""A driver of its own: `python -m tests.cluster.drive FOLDER TRIALS HELD_FROM [WORKERS]`; WORKERS 0 for all CPUs."""

from __future__ import annotations

import sys
from pathlib import Path

from isfray.cluster.limits import Limits
from isfray.cluster.run import run_trials
from tests.cluster.null_engine import NullEngine, spec

if __name__ == "__main__":
    folder, trials, held_from = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    run_trials(
        spec("run", trials),
        folder / "c",
        NullEngine(diary=folder / "diary", held_from=held_from, gate=folder / "gate"),
        t_stop=300.0,
        workers=workers or None,
        limits=Limits(batch_trials=5, batch_seconds=0.5),
    )
