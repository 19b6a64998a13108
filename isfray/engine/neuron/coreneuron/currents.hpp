// CoreNEURON's loop over the currents of mechanisms makes a name for each call, for a profiler that is not there: 1 % of the
// integration. The linker sends setup_tree_matrix_minimal here (--wrap): the same without names. Axial currents are left to the
// solver, which goes over the tree anyway (solver.hpp).
#pragma once
#include <algorithm>
#include "choice.hpp"
#include "comparison.hpp"
#include "coreneuron/coreneuron.hpp"
#include "coreneuron/mechanism/membfunc.hpp"
#include "coreneuron/sim/multicore.hpp"

extern "C" void* ISFRAY_SETUP(__wrap_)(coreneuron::NrnThread* thread) {
    if (!isfray::does(thread)) {
        return ISFRAY_SETUP(__real_)(thread);
    }
    isfray::remember(thread);
    std::fill_n(thread->_actual_rhs, thread->end, 0.0);
    std::fill_n(thread->_actual_d, thread->end, 0.0);
    coreneuron::nrn_ba(thread, BEFORE_BREAKPOINT);
    for (auto* entry = thread->tml; entry != nullptr; entry = entry->next) {
        if (const auto current = coreneuron::corenrn.get_memb_func(entry->index).current) {
            current(thread, entry->ml, entry->index);
        }
    }
    for (auto* entry = thread->tml; entry != nullptr; entry = entry->next) {
        if (const auto jacob = coreneuron::corenrn.get_memb_func(entry->index).jacob) {
            jacob(thread, entry->ml, entry->index);
        }
    }
    coreneuron::nrn_jacob_capacitance(thread, thread->tml->ml, thread->tml->index);
    return nullptr;
}
