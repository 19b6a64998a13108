TITLE Hyperpolarisation activated cation current (Kole, Hallermann & Stuart 2006, J Neurosci 26:1677)

NEURON {
    THREADSAFE
    SUFFIX Ih
    NONSPECIFIC_CURRENT ihcn
    RANGE gIhbar, gIh, ihcn
    GLOBAL ehcn
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER {
    gIhbar = 1e-5 (S/cm2)
    ehcn = -45 (mV)
}

ASSIGNED {
    v (mV)
    ihcn (mA/cm2)
    gIh (S/cm2)
}

STATE { m }

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gIh
    gIh = gIhbar*m
    ihcn = gIh*(v - ehcn)
}

INITIAL { m = alpha(v)/(alpha(v) + beta(v)) }

PROCEDURE states() {
    LOCAL u, d
    u = -(v + 154.9)/11.9
    d = linoid_under(u, exp(-u))
    m = gated(m, 0.00643*11.9*linoid_over(u), d*beta(v), d)
}

: 0.00643 (v + 154.9)/(exp((v + 154.9)/11.9) - 1)
FUNCTION alpha(v (mV)) (/ms) {
    LOCAL u
    u = -(v + 154.9)/11.9
    alpha = 0.00643*11.9*linoid(u, exp(-u))
}

FUNCTION beta(v (mV)) (/ms) { beta = 0.193*exp(v/33.1) }

INCLUDE "linoid.inc"
INCLUDE "relaxed.inc"
