"""The live NEURON cell: mechanisms, sections, synapses, and running one trial."""

from isfray.engine.simulator import ENGINES, Simulator, TrialResult

__all__ = ["ENGINES", "Simulator", "TrialResult"]
