TITLE Current of the shape of an EPSP: a difference of exponentials with peak imax from onset on

NEURON {
    THREADSAFE
    POINT_PROCESS epsp
    NONSPECIFIC_CURRENT i
    RANGE onset, tau0, tau1, imax, i
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
}

PARAMETER {
    onset = 0 (ms)
    tau0 = 0.2 (ms)
    tau1 = 3 (ms)
    imax = 0 (nA)
}

ASSIGNED {
    v (mV)
    i (nA)
    norm
}

INITIAL { norm = peak_norm(tau0, tau1) }

BREAKPOINT {
    i = 0
    if (t >= onset) { i = -norm*imax*(decayed(t - onset, tau1) - decayed(t - onset, tau0)) }
}

FUNCTION decayed(elapsed (ms), tau (ms)) {
    decayed = 0
    if (elapsed <= 100*tau) { decayed = exp(-elapsed/tau) }
}

INCLUDE "twoexponential.inc"
