"""isfray: what does a detailed neuron in its network do, over thousands of trials, and why."""

__version__ = "0.1.0"
