// CoreNEURON learns the globals of mechanisms from NEURON before the first run of a process and forgets then where they are,
// so that later runs keep the first one's. The linker sends both calls here (--wrap): what mechanisms say of their
// globals when they are registered is remembered, and said again before every run.
#pragma once
#include <tuple>
#include <vector>
#include "coreneuron/mechanism/membfunc.hpp"

#define ISFRAY_REGISTER_VAR(which) \
    which##_ZN10coreneuron16hoc_register_varEPNS_8DoubScalEPNS_7DoubVecEPNS_8VoidFuncE
extern "C" void ISFRAY_REGISTER_VAR(__real_)(coreneuron::DoubScal*, coreneuron::DoubVec*, coreneuron::VoidFunc*);
extern "C" void __real__ZN10coreneuron11set_globalsEPKcbi(const char*, bool, int);

namespace isfray {
using Globals = std::tuple<coreneuron::DoubScal*, coreneuron::DoubVec*, coreneuron::VoidFunc*>;
inline std::vector<Globals> globals_of_mechanisms;
}  // namespace isfray

extern "C" void ISFRAY_REGISTER_VAR(__wrap_)(
    coreneuron::DoubScal* scalars, coreneuron::DoubVec* arrays, coreneuron::VoidFunc* functions) {
    isfray::globals_of_mechanisms.emplace_back(scalars, arrays, functions);
    ISFRAY_REGISTER_VAR(__real_)(scalars, arrays, functions);
}

extern "C" void __wrap__ZN10coreneuron11set_globalsEPKcbi(
    const char* path, bool seed_given, int seed) {
    for (const auto& [scalars, arrays, functions] : isfray::globals_of_mechanisms) {
        ISFRAY_REGISTER_VAR(__real_)(scalars, arrays, functions);
    }
    __real__ZN10coreneuron11set_globalsEPKcbi(path, seed_given, seed);
}
#undef ISFRAY_REGISTER_VAR
