"""Trials on Ray: actors, dispatch, progress; and, in `isfray.films.animate`, films of them."""

# ruff: noqa: E402
import logging
import os
import warnings

# Ray prints the loss of a worker on stdout; here that is an ordinary event with a line in the log. Ray reads this when
# it is imported.
os.environ.setdefault(
    "RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed|Raylet is terminated|The node with node id"
)

# Ray, and tqdm when Ray imports it, recommend packages to notebooks; progress here needs none of them.
logging.getLogger("ray.widgets.util").setLevel(logging.WARNING)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tqdm.auto  # noqa: F401

from isfray.runs.dispatch.failures import ReplayError, RunError, TrialError
from isfray.runs.handle import RunHandle, SweepHandle
from isfray.runs.simulation import simulate

__all__ = [
    "ReplayError",
    "RunError",
    "RunHandle",
    "SweepHandle",
    "TrialError",
    "simulate",
]
