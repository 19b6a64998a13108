TITLE Transient sodium current of the dendrite: NaTa_t shifted by +6 mV (Colbert & Pan 2002, Nat Neurosci 5:533)

NEURON {
    THREADSAFE
    SUFFIX NaTs2_t
    USEION na READ ena WRITE ina
    RANGE gNaTs2_tbar, gNaTs2_t, ina
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gNaTs2_tbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ena (mV)
    ina (mA/cm2)
    gNaTs2_t (S/cm2)
}

STATE { m h }

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gNaTs2_t
    gNaTs2_t = gNaTs2_tbar*m*m*m*h
    ina = gNaTs2_t*(v - ena)
}

INITIAL {
    m = activation(exp(-(v + 32)/6))
    h = inactivation(exp(-(v + 60)/6))
}

PROCEDURE states() {
    LOCAL u, e
    u = (v + 32)/6
    e = exp(-u)
    m = activated(m, u, e, 6)
    : exp(-(v + 60)/6), for h's u is m's and 28/6
    h = inactivated(h, u + 28/6.0, 0.009403562551495206*e, 6)
}

INCLUDE "relaxed.inc"
INCLUDE "sodium.inc"
