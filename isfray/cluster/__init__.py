"""Trials on Ray: actors, dispatch, progress."""

# ruff: noqa: E402
import logging
import os

# Ray prints the loss of a worker on stdout; here that is an ordinary event with a line in the log. Ray reads this when
# it is imported.
os.environ.setdefault(
    "RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed|Raylet is terminated|The node with node id"
)

# Ray recommends packages to notebooks when it is imported; progress here needs none.
logging.getLogger("ray.widgets.util").setLevel(logging.WARNING)

from isfray.cluster.failures import RunError, TrialError
from isfray.cluster.handle import RunHandle, SweepHandle
from isfray.cluster.simulation import simulate

__all__ = ["RunError", "RunHandle", "SweepHandle", "TrialError", "simulate"]
