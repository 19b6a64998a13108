TITLE Persistent sodium current (Magistretti & Alonso 1999, J Gen Physiol 114:491)

NEURON {
    THREADSAFE
    SUFFIX Nap_Et2
    USEION na READ ena WRITE ina
    RANGE gNap_Et2bar, gNap_Et2, ina
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gNap_Et2bar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ena (mV)
    ina (mA/cm2)
    gNap_Et2 (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gNap_Et2
    gNap_Et2 = gNap_Et2bar*m*m*m*h
    ina = gNap_Et2*(v - ena)
}

STATE { m h }

INITIAL {
    m = minf(v)
    h = hinf(v)
}

PROCEDURE states() {
    LOCAL u, e
    u = (v + 38)/6
    e = exp(-u)
    : m at a sixth of the transient channel's rate (sodium.inc)
    m = relaxed_by(m, 1, 1 + exp(-(v + 52.6)/4.6), 2.952882641412121*(0.182 + 0.124*e)*linoid_over(u), linoid_under(u, e))
    h = relaxed(h, hinf(v), hrate(v))
}

FUNCTION minf(v (mV)) { minf = 1/(1 + exp(-(v + 52.6)/4.6)) }

FUNCTION hinf(v (mV)) { hinf = 1/(1 + exp((v + 48.8)/10)) }

: qt (ah + bh), ah = -2.88e-6 (v + 17)/(1 - exp((v + 17)/4.63)), bh = 6.94e-6 (v + 64.4)/(1 - exp(-(v + 64.4)/2.63))
FUNCTION hrate(v (mV)) (/ms) {
    LOCAL ua, ub
    ua = -(v + 17)/4.63
    ub = (v + 64.4)/2.63
    hrate = 2.952882641412121*(2.88e-6*4.63*linoid(ua, exp(-ua)) + 6.94e-6*2.63*linoid(ub, exp(-ub)))
}

INCLUDE "relaxed.inc"
INCLUDE "sodium.inc"
