TITLE Transient potassium current (Korngreen & Sakmann 2000, J Physiol 525:621), v + 10 mV for the junction potential

NEURON {
    THREADSAFE
    SUFFIX K_Tst
    USEION k READ ek WRITE ik
    RANGE gK_Tstbar, gK_Tst, ik
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gK_Tstbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    gK_Tst (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gK_Tst
    gK_Tst = gK_Tstbar*m*m*m*m*h
    ik = gK_Tst*(v - ek)
}

STATE { m h }

INITIAL {
    m = minf(v)
    h = hinf(v)
}

PROCEDURE states() {
    m = relaxed(m, minf(v), mrate(v))
    h = relaxed(h, hinf(v), hrate(v))
}

FUNCTION minf(v (mV)) { minf = 1/(1 + exp(-(v + 10)/19)) }

FUNCTION mrate(v (mV)) (/ms) {
    LOCAL u
    u = (v + 81)/59
    mrate = 2.952882641412121/(0.34 + 0.92*exp(-u*u))
}

FUNCTION hinf(v (mV)) { hinf = 1/(1 + exp((v + 76)/10)) }

FUNCTION hrate(v (mV)) (/ms) {
    LOCAL u
    u = (v + 83)/23
    hrate = 2.952882641412121/(8 + 49*exp(-u*u))
}

INCLUDE "relaxed.inc"
