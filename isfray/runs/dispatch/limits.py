"""How much the dispatcher lets happen at once, and how patient it is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one run.

    Attributes
    ----------
    batch_trials, batch_seconds, batch_bytes
        A batch is written when it has this many trials, is this old (s), or has this many bytes. If writing falls
        behind, batches have more trials.
    unwritten_bytes, unwritten_trials : int
        Bytes, and trials, not yet written from which on no trial is begun. (The driver holds tables below 100 kB.)
    max_retries : int
        How often a trial is begun again after its actor died under it.
    trial_timeout : float, optional
        Seconds after which a running trial counts as stuck. By default 20 times the median of its run, at least 60.
    memory_growth : int
        Bytes an actor may grow by after its first trial; beyond, it is replaced.
    pauses : tuple of float
        Seconds to wait before each further try to start an actor, or to write a batch, after a failure.
    farewell : float
        Seconds a stopped run may take to write what is simulated.
    """

    batch_trials: int = 25
    batch_seconds: float = 5.0
    batch_bytes: int = 2**27
    unwritten_bytes: int = 2**30
    unwritten_trials: int = 1000
    max_retries: int = 3
    trial_timeout: float | None = None
    memory_growth: int = 2**30
    pauses: tuple[float, ...] = (1.0, 5.0, 15.0)
    farewell: float = 8.0

    def patience(self, seconds: Collection[float]) -> float:
        """Seconds after which a running trial counts as stuck, where others of its run took so many seconds."""
        if self.trial_timeout is not None:
            return self.trial_timeout
        return max(60.0, 20 * statistics.median(seconds)) if seconds else math.inf
