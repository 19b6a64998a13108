// Registration of mechanisms with CoreNEURON: the linker sends it here (--wrap), where a mechanism gets the functions
// of gates.hpp and ions.hpp in place of its own.
#pragma once
#include <algorithm>
#include <utility>
#include "coreneuron/mechanism/membfunc.hpp"
#include "gates.hpp"
#include "ions.hpp"

#define ISFRAY_REGISTER(which) \
    which##_ZN10coreneuron13register_mechEPPKcPFvPdPiiEPFvPNS_9NrnThreadEPNS_9Memb_listEiESC_SC_SC_SC_SC_ii
extern "C" int ISFRAY_REGISTER(__real_)(const char**, coreneuron::mod_alloc_t, coreneuron::mod_f_t, coreneuron::mod_f_t,
    coreneuron::mod_f_t, coreneuron::mod_f_t, coreneuron::mod_f_t, coreneuron::mod_f_t, int, int);

extern "C" int ISFRAY_REGISTER(__wrap_)(const char** names, coreneuron::mod_alloc_t alloc,
    coreneuron::mod_f_t current, coreneuron::mod_f_t jacob, coreneuron::mod_f_t state, coreneuron::mod_f_t initial,
    coreneuron::mod_f_t construct, coreneuron::mod_f_t destruct, int pointers, int vectorized) {
    current = current == coreneuron::nrn_cur_ion ? isfray::ion_currents : current;
    isfray::Relaxing relaxing;
    if (std::count(isfray::relaxing.begin(), isfray::relaxing.end(), names[1]) != 0) {
        relaxing = isfray::gates_among(names);
        relaxing.own = std::exchange(state, isfray::step_gates);
        relaxing.construct = std::exchange(construct, isfray::construct_gates);
        relaxing.initial = initial;
        relaxing.destruct = destruct;
    }
    const int type = ISFRAY_REGISTER(__real_)(
        names, alloc, current, jacob, state, initial, construct, destruct, pointers, vectorized);
    if (relaxing.own != nullptr) {
        isfray::relaxing_of.at(type) = relaxing;
    }
    return type;
}
#undef ISFRAY_REGISTER
