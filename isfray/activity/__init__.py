"""The input of one trial: presynaptic spikes and synaptic releases, drawn from its seed or read from storage."""

from isfray.activity.release import Releases, draw_weights
from isfray.activity.seeds import trial_seed
from isfray.activity.spikes import Spikes
from isfray.activity.trial import Drawn, InputSource, Stored, TrialInput, TrialSpec, draw_trial

__all__ = [
    "Drawn",
    "InputSource",
    "Releases",
    "Spikes",
    "Stored",
    "TrialInput",
    "TrialSpec",
    "draw_trial",
    "draw_weights",
    "trial_seed",
]
