TITLE High voltage activated calcium current (Reuveni et al. 1993, J Neurosci 13:4609)

NEURON {
    THREADSAFE
    SUFFIX Ca_HVA
    USEION ca READ eca WRITE ica
    RANGE gCa_HVAbar, gCa_HVA, ica
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gCa_HVAbar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    eca (mV)
    ica (mA/cm2)
    gCa_HVA (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gCa_HVA
    gCa_HVA = gCa_HVAbar*m*m*h
    ica = gCa_HVA*(v - eca)
}

STATE { m h }

INITIAL {
    m = alpham(v)/(alpham(v) + betam(v))
    h = alphah(v)/(alphah(v) + betah(v))
}

PROCEDURE states() {
    LOCAL u, d
    u = (v + 27)/3.8
    d = linoid_under(u, exp(-u))
    m = gated(m, 0.055*3.8*linoid_over(u), d*betam(v), d)
    d = 1 + exp(-(v + 15)/28)
    h = gated(h, d*alphah(v), 0.0065, d)
}

FUNCTION alpham(v (mV)) (/ms) {
    LOCAL u
    u = (v + 27)/3.8
    alpham = 0.055*3.8*linoid(u, exp(-u))
}

FUNCTION betam(v (mV)) (/ms) { betam = 0.94*exp(-(v + 75)/17) }

FUNCTION alphah(v (mV)) (/ms) { alphah = 0.000457*exp(-(v + 13)/50) }

FUNCTION betah(v (mV)) (/ms) { betah = 0.0065/(1 + exp(-(v + 15)/28)) }

INCLUDE "linoid.inc"
INCLUDE "relaxed.inc"
