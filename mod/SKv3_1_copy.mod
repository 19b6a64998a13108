TITLE SKv3_1 under another name, for two populations of the channel in one section

NEURON {
    THREADSAFE
    SUFFIX SKv3_1_copy
    USEION k READ ek WRITE ik
    RANGE gSKv3_1bar, gSKv3_1, ik
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (S) = (siemens)
}

PARAMETER { gSKv3_1bar = 1e-5 (S/cm2) }

ASSIGNED {
    v (mV)
    ek (mV)
    ik (mA/cm2)
    gSKv3_1 (S/cm2)
}

BREAKPOINT {
    SOLVE states
    CONDUCTANCE gSKv3_1
    gSKv3_1 = gSKv3_1bar*m
    ik = gSKv3_1*(v - ek)
}

STATE { m }

INITIAL { m = minf(v) }

PROCEDURE states() {
    m = relaxed(m, minf(v), mrate(v))
}

FUNCTION minf(v (mV)) { minf = 1/(1 + exp(-(v - 18.7)/9.7)) }

FUNCTION mrate(v (mV)) (/ms) { mrate = 0.25*(1 + exp(-(v + 46.56)/44.14)) }

INCLUDE "relaxed.inc"
