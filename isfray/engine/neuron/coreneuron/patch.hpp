// What is included before everything else that is compiled for CoreNEURON: exp everywhere, CoreNEURON's functions once, in the
// file (enginemech.cpp) for which NEURON's makefile defines this.
#pragma once
#include "exp.hpp"
#ifdef ADDITIONAL_MECHS
#include "currents.hpp"
#include "globals.hpp"
#include "names.hpp"
#include "register.hpp"
#include "solver.hpp"
#endif
