TITLE Transient sodium current of the axon and soma (Colbert & Pan 2002, Nat Neurosci 5:533)

NEURON {
    THREADSAFE
    SUFFIX NaTa_t
    USEION na READ ena WRITE ina
    RANGE gNaTa_tbar, gNaTa_t, ina
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gNaTa_tbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ena (mV)
    ina (mA/cm2)
    gNaTa_t (S/cm2)
}

STATE { m h }

BREAKPOINT {
    SOLVE states METHOD cnexp
    CONDUCTANCE gNaTa_t USEION na
    gNaTa_t = gNaTa_tbar*m*m*m*h
    ina = gNaTa_t*(v - ena)
}

INITIAL {
    m = activation((v + 38)/6)
    h = inactivation((v + 66)/6)
}

DERIVATIVE states {
    LOCAL minf, mrate, hinf, hrate
    minf = activation((v + 38)/6)
    mrate = activation_rate((v + 38)/6, 6)
    hinf = inactivation((v + 66)/6)
    hrate = inactivation_rate((v + 66)/6, 6)
    m' = (minf - m)*mrate
    h' = (hinf - h)*hrate
}

INCLUDE "sodium.inc"
