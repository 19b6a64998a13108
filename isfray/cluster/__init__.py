"""Trials on Ray: actors, dispatch, progress; and films of them."""

import os

# Ray prints the loss of a worker on stdout; here that is an ordinary event with a line in the log. Ray reads this when
# it is imported.
os.environ.setdefault(
    "RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed|Raylet is terminated|The node with node id"
)

from isfray.cluster.failures import ReplayError, RunError, TrialError
from isfray.cluster.films import animate_2d, animate_3d, explore_3d, plot_cell
from isfray.cluster.handle import RunHandle, SweepHandle
from isfray.cluster.simulation import simulate

__all__ = [
    "ReplayError",
    "RunError",
    "RunHandle",
    "SweepHandle",
    "TrialError",
    "animate_2d",
    "animate_3d",
    "explore_3d",
    "plot_cell",
    "simulate",
]
