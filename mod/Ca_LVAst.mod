TITLE Low voltage activated calcium current (Avery & Johnston 1996, J Neurosci 16:5567; Randall & Tsien 1997, Neuropharmacology 36:879), v + 10 mV for the junction potential

NEURON {
    THREADSAFE
    SUFFIX Ca_LVAst
    USEION ca READ eca WRITE ica
    RANGE gCa_LVAstbar, gCa_LVAst, ica
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gCa_LVAstbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    gCa_LVAst (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gCa_LVAst
    gCa_LVAst = gCa_LVAstbar*m*m*h
    ica = gCa_LVAst*(v - eca)
}

STATE { m h }

INITIAL {
    m = minf(v)
    h = hinf(v)
}

: tau of m is (5 + 20/(1 + e))/qt, of h (20 + 50/(1 + e))/qt
PROCEDURE states() {
    LOCAL e
    e = exp((v + 35)/5)
    m = relaxed_by(m, 1, 1 + exp(-(v + 40)/6), 2.952882641412121*(1 + e), 25 + 5*e)
    e = exp((v + 50)/7)
    h = relaxed_by(h, 1, 1 + exp((v + 90)/6.4), 2.952882641412121*(1 + e), 70 + 20*e)
}

FUNCTION minf(v (mV)) { minf = 1/(1 + exp(-(v + 40)/6)) }

FUNCTION hinf(v (mV)) { hinf = 1/(1 + exp((v + 90)/6.4)) }

INCLUDE "relaxed.inc"
