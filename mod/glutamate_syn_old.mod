TITLE AMPA and NMDA synapse with short-term plasticity per input stream, under the name older parameter files use

NEURON { POINT_PROCESS glutamate_syn_old }

INCLUDE "glutamate.inc"
