"""The live NEURON cell: mechanisms, sections, synapses, and running one trial."""
