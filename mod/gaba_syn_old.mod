TITLE GABA synapse with short-term plasticity per input stream, under the name older parameter files use

NEURON { POINT_PROCESS gaba_syn_old }

INCLUDE "gaba.inc"
