"""When the stimulus is shown in a picture."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

from isfray.check import number
from isfray.model.network import NetworkModel

Stimulus: TypeAlias = float | Literal["network"] | None
"""A time (ms); "network": where the network's evoked activity is aligned to; None: it is not shown."""


def stimulus_time(network: NetworkModel | None) -> float | None:
    """Return when most evoked activity of the network is aligned to, ms; None if there is none."""
    if network is None:
        return None
    every = (activity.stimulus for population in network.populations for activity in population.activity)
    offsets = Counter(at for at in every if at is not None)
    return offsets.most_common(1)[0][0] if offsets else None


def shown_time(stimulus: Stimulus, network: NetworkModel | None) -> float | None:
    """Return when the stimulus is shown: at a time (ms), where the network has it ("network"), or not at all (None)."""
    if isinstance(stimulus, str) and stimulus == "network":
        return stimulus_time(network)
    return None if stimulus is None else number("stimulus", stimulus, unit="ms")
