"""Presynaptic spikes and synaptic release of one trial, drawn from the trial's seed."""
