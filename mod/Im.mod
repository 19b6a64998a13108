TITLE Muscarinic (M) potassium current (Adams, Brown & Constanti 1982, J Physiol 330:537)

NEURON {
    THREADSAFE
    SUFFIX Im
    USEION k READ ek WRITE ik
    RANGE gImbar, gIm, ik
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gImbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    gIm (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gIm
    gIm = gImbar*m
    ik = gIm*(v - ek)
}

STATE { m }

INITIAL { m = minf(v) }

: a = 0.0033 exp(0.1 (v + 35)) qt, b = 0.0033 exp(-0.1 (v + 35)) qt
PROCEDURE states() {
    LOCAL e
    e = exp(-0.1*(v + 35))
    m = gated(m, 2.952882641412121*0.0033, 2.952882641412121*0.0033*e*e, e)
}

FUNCTION minf(v (mV)) {
    LOCAL e
    e = exp(-0.1*(v + 35))
    minf = 1/(1 + e*e)
}

INCLUDE "relaxed.inc"
