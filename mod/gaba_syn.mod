TITLE GABA synapse with short-term plasticity per input stream

NEURON { POINT_PROCESS gaba_syn }

INCLUDE "gaba.inc"
