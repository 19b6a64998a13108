// Gaussian elimination on the tree of segments in place of CoreNEURON's nrn_solve_minimal, to which the linker's calls are
// sent here (--wrap, see isfray/engine/build.py). The same elimination with half of its divisions, and with what a child
// hands to its parent kept in registers along an unbranched stretch: a twentieth of the integration. As there, nodes are
// numbered with every parent before its children, `ncell` roots first.
#pragma once
#ifdef __ELF__  // where linkers can do that
#include "coreneuron/sim/multicore.hpp"

namespace coreneuron {
extern int interleave_permute_type;
}  // namespace coreneuron

extern "C" void __real__ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE(coreneuron::NrnThread*) __attribute__((weak));

extern "C" __attribute__((weak, used)) void __wrap__ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE(
    coreneuron::NrnThread* thread) {
    if (coreneuron::interleave_permute_type != 0) {  // another numbering
        __real__ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE(thread);
        return;
    }
    double* __restrict__ d = thread->_actual_d;
    double* __restrict__ rhs = thread->_actual_rhs;
    const double* a = thread->_actual_a;
    const double* b = thread->_actual_b;
    const int* parent = thread->_v_parent_index;
    const int roots = thread->ncell, nodes = thread->end;
    for (int i = nodes - 1; i >= roots;) {
        double own_d = d[i], own_rhs = rhs[i];
        int up;
        do {
            const double inverse = 1.0 / own_d, factor = a[i] * inverse;
            d[i] = inverse;  // for the way back
            rhs[i] = own_rhs;
            up = parent[i];
            own_d = d[up] - factor * b[i];
            own_rhs = rhs[up] - factor * own_rhs;
            --i;
        } while (up == i && i >= roots);
        d[up] = own_d;
        rhs[up] = own_rhs;
    }
    for (int i = 0; i < roots; ++i) {
        rhs[i] /= d[i];
    }
    double above = 0.0;
    for (int i = roots; i < nodes; ++i) {
        if (parent[i] != i - 1 || i == roots) {
            above = rhs[parent[i]];
        }
        above = (rhs[i] - b[i] * above) * d[i];
        rhs[i] = above;
    }
}
#endif
