TITLE Calcium pool below the membrane (after Destexhe, Mainen & Sejnowski 1994, Neural Comput 6:14); starts at cai0_ca_ion

NEURON { SUFFIX CaDynamics_E2 }

INCLUDE "calcium_pool.inc"

INITIAL { begin() }
