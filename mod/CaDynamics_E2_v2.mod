TITLE Calcium pool below the membrane (after Destexhe, Mainen & Sejnowski 1994, Neural Comput 6:14); starts at minCai

NEURON {
    THREADSAFE
    SUFFIX CaDynamics_E2_v2
    USEION ca READ ica WRITE cai
    RANGE gamma, decay, depth, minCai
}

UNITS {
    (mA) = (milliamp)
    (mM) = (milli/liter)
    (um) = (micron)
}

PARAMETER {
    gamma = 0.05
    decay = 80 (ms)
    depth = 0.1 (um)
    minCai = 1e-4 (mM)
}

ASSIGNED { ica (mA/cm2) }

STATE { cai (mM) }

BREAKPOINT { SOLVE states METHOD cnexp }

INITIAL { cai = minCai }

: 96485.33212331001 is the Faraday constant (C/mol) of NEURON 9; 1e4 brings mA/cm2, um and C/mol to mM/ms
DERIVATIVE states { cai' = -1e4*ica*gamma/(2*96485.33212331001*depth) - (cai - minCai)/decay }
