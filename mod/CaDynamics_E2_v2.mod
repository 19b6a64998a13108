TITLE Calcium pool below the membrane (after Destexhe, Mainen & Sejnowski 1994, Neural Comput 6:14); starts at minCai

NEURON {
    THREADSAFE
    SUFFIX CaDynamics_E2_v2
    USEION ca READ ica, cao WRITE cai, eca
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

ASSIGNED {
    ica (mA/cm2)
    cao (mM)
    eca (mV)
    celsius (degC)
    dt (ms)
    nernst (mV)
    keep
    gain (mM cm2/mA)
}

STATE { cai (mM) }

BREAKPOINT { SOLVE states }

INITIAL {
    cai = minCai
    keep = exp(-dt/decay)
    gain = 1e4*gamma*decay/(2*96485.33212331001*depth)
    nernst = 1e3*8.31446261815324*(celsius + 273.15)/(2*96485.33212331001)
    eca = reversal(cai)
}

: The pool knows its reversal potential too: NEURON would work it out in every step by one scalar logarithm a segment.
: cai' = -1e4*ica*gamma/(2*F*depth) - (cai - minCai)/decay, one step at this ica, exactly; F = 96485.33212331001 C/mol is the
: Faraday constant of NEURON 9, and 1e4 brings mA/cm2, um and C/mol to mM/ms. Set dt before finitialize
PROCEDURE states() {
    LOCAL steady
    steady = minCai - gain*ica
    cai = steady + (cai - steady)*keep
    eca = reversal(cai)
}

FUNCTION reversal(ca (mM)) (mV) {
    LOCAL c
    c = ca
    if (ca < 1e-12) { c = 1e-12 }
    reversal = nernst*log(cao/c)
}
