TITLE Calcium pool below the membrane (after Destexhe, Mainen & Sejnowski 1994, Neural Comput 6:14); starts at minCai

NEURON { SUFFIX CaDynamics_E2_v2 }

INCLUDE "calcium_pool.inc"

INITIAL {
    cai = minCai
    begin()
}
