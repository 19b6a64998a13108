"""The live NEURON cell: mechanisms, sections, synapses, and running one trial."""

from isfray.engine.neuron.integration import ENGINES
from isfray.engine.simulator import Simulator, TrialResult

__all__ = ["ENGINES", "Simulator", "TrialResult"]
