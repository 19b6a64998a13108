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
    SOLVE states
    CONDUCTANCE gNaTa_t
    gNaTa_t = gNaTa_tbar*m*m*m*h
    ina = gNaTa_t*(v - ena)
}

INITIAL {
    m = activation(exp(-(v + 38)/6))
    h = inactivation(exp(-(v + 66)/6))
}

PROCEDURE states() {
    LOCAL u, e
    u = (v + 38)/6
    e = exp(-u)
    m = activated(m, u, e, 6)
    : exp(-(v + 66)/6), for h's u is m's and 28/6
    h = inactivated(h, u + 28/6.0, 0.009403562551495206*e, 6)
}

INCLUDE "relaxed.inc"
INCLUDE "sodium.inc"
