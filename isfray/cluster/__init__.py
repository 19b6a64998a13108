"""Trials on Ray: actors, dispatch, progress."""

from isfray.cluster.failures import RunError, TrialError
from isfray.cluster.handle import RunHandle
from isfray.cluster.simulation import simulate

__all__ = ["RunError", "RunHandle", "TrialError", "simulate"]
