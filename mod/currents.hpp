// CoreNEURON's loop over the currents of mechanisms makes a name for each call, for a profiler that is not there: 1 % of the
// integration. The linker sends setup_tree_matrix_minimal here (--wrap, see isfray/engine/neuron/build.py): the same without names.
// Axial currents are left to the solver, which goes over the tree anyway (mod/solver.hpp).
#pragma once
#ifdef __ELF__  // where linkers can do that
#include <algorithm>
#include "coreneuron/coreneuron.hpp"
#include "coreneuron/mechanism/membfunc.hpp"
#include "coreneuron/sim/multicore.hpp"

namespace coreneuron {
extern int interleave_permute_type;
}  // namespace coreneuron

namespace isfray {
// Whether the loops here and the solver of mod/solver.hpp are for this numbering of the nodes, and give all that is asked for
inline bool does(const coreneuron::NrnThread* thread) {
    return coreneuron::interleave_permute_type == 0 && thread->nrn_fast_imem == nullptr;
}
}  // namespace isfray

extern "C" void* __real__ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE(coreneuron::NrnThread*)
    __attribute__((weak));

extern "C" __attribute__((weak, used)) void* __wrap__ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE(
    coreneuron::NrnThread* thread) {
    if (!isfray::does(thread)) {
        return __real__ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE(thread);
    }
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
#endif
