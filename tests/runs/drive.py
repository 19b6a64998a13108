"""A driver of its own: `python -m tests.runs.drive FOLDER TRIALS HELD_FROM [WORKERS [ROWS [BATCH]]]`.

WORKERS 0 for all CPUs; trials have ROWS synapses, and are written by BATCH.
"""

from __future__ import annotations

import sys
from pathlib import Path

from isfray.runs.dispatch.limits import Limits
from isfray.runs.run import run_trials
from tests.runs.null_engine import NullEngine, spec

if __name__ == "__main__":
    folder, given = Path(sys.argv[1]), [int(text) for text in sys.argv[2:]]
    trials, held_from, workers, rows, batch = [*given, *(None, None, 2, 20, 5)[len(given) :]]
    run_trials(
        spec("run", trials),
        folder / "c",
        NullEngine(rows=rows, diary=folder / "diary", held_from=held_from, gate=folder / "gate"),
        t_stop=300.0,
        workers=workers or None,
        limits=Limits(batch_trials=batch, batch_seconds=0.5 if batch == 5 else 60.0),
    )
