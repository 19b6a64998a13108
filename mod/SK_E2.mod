TITLE Small conductance calcium activated potassium current (Kohler et al. 1996, Science 273:1709)

NEURON {
    THREADSAFE
    SUFFIX SK_E2
    USEION k READ ek WRITE ik
    USEION ca READ cai
    RANGE gSK_E2bar, gSK_E2, ik
    GLOBAL zTau
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (mM) = (milli/liter)
    (S) = (siemens)
}

PARAMETER {
    gSK_E2bar = 1e-6 (S/cm2)
    zTau = 1 (ms)
}

ASSIGNED {
    v (mV)
    cai (mM)
    ek (mV)
    ik (mA/cm2)
    gSK_E2 (S/cm2)
    dt (ms)
    z_keep
}

STATE { z }

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gSK_E2
    gSK_E2 = gSK_E2bar*z
    ik = gSK_E2*(v - ek)
}

INITIAL {
    z = zinf(cai)
    z_keep = exp(-dt/zTau)
}

PROCEDURE states() {
    LOCAL zi
    zi = zinf(cai)
    z = zi + (z - zi)*z_keep
}

: 1/(1 + (0.00043/c)^4.8), the power as exp(log) so that it is vectorised
FUNCTION zinf(ca (mM)) {
    LOCAL c
    c = ca
    if (ca < 1e-7) { c = ca + 1e-7 }
    zinf = 1/(1 + exp(-4.8*log(c/0.00043)))
}
