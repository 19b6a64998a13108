"""Presynaptic spikes and synaptic release of one trial, drawn from the trial's seed."""

from isfray.activity.release import Releases, draw_weights
from isfray.activity.seeds import trial_seed
from isfray.activity.spikes import Spikes
from isfray.activity.trial import TrialInput, draw_trial

__all__ = ["Releases", "Spikes", "TrialInput", "draw_trial", "draw_weights", "trial_seed"]
