TITLE Transient sodium current with free half-activation shifts and slopes (Colbert & Pan 2002, Nat Neurosci 5:533)

NEURON {
    THREADSAFE
    SUFFIX NaTg
    USEION na READ ena WRITE ina
    RANGE gNaTgbar, gNaTg, ina, vshiftm, vshifth, slopem, slopeh
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gNaTgbar = 1e-5 (S/cm2)
    vshiftm = 0 (mV)
    vshifth = 0 (mV)
    slopem = 6 (mV)
    slopeh = 6 (mV)
}

ASSIGNED {
    v (mV)
    ena (mV)
    ina (mA/cm2)
    gNaTg (S/cm2)
}

STATE { m h }

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gNaTg
    gNaTg = gNaTgbar*m*m*m*h
    ina = gNaTg*(v - ena)
}

INITIAL {
    m = activation(exp(-(v + 38 - vshiftm)/slopem))
    h = inactivation(exp(-(v + 66 - vshifth)/slopeh))
}

PROCEDURE states() {
    LOCAL u, e
    u = (v + 38 - vshiftm)/slopem
    e = exp(-u)
    m = activated(m, u, e, slopem)
    u = (v + 66 - vshifth)/slopeh
    e = exp(-u)
    h = inactivated(h, u, e, slopeh)
}

INCLUDE "relaxed.inc"
INCLUDE "sodium.inc"
