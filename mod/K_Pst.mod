TITLE Slowly inactivating potassium current (Korngreen & Sakmann 2000, J Physiol 525:621), v + 10 mV for the junction potential

NEURON {
    THREADSAFE
    SUFFIX K_Pst
    USEION k READ ek WRITE ik
    RANGE gK_Pstbar, gK_Pst, ik
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gK_Pstbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    gK_Pst (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gK_Pst
    gK_Pst = gK_Pstbar*m*m*h
    ik = gK_Pst*(v - ek)
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

FUNCTION minf(v (mV)) { minf = 1/(1 + exp(-(v + 11)/12)) }

: tau = (1.25 + 175.03 exp(0.026 (v + 10)))/qt below -60 mV, (1.25 + 13 exp(-0.026 (v + 10)))/qt above
FUNCTION mrate(v (mV)) (/ms) {
    LOCAL amplitude, slope
    amplitude = 13
    slope = -0.026
    if (v + 10 < -50) {
        amplitude = 175.03
        slope = 0.026
    }
    mrate = 2.952882641412121/(1.25 + amplitude*exp(slope*(v + 10)))
}

FUNCTION hinf(v (mV)) { hinf = 1/(1 + exp((v + 64)/11)) }

FUNCTION hrate(v (mV)) (/ms) {
    LOCAL u
    u = (v + 85)/48
    hrate = 2.952882641412121/(360 + (1010 + 24*(v + 65))*exp(-u*u))
}

INCLUDE "relaxed.inc"
