TITLE AMPA and NMDA synapse with short-term plasticity per input stream

NEURON { POINT_PROCESS glutamate_syn }

INCLUDE "glutamate.inc"
