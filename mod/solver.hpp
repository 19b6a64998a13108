// Axial currents and Gaussian elimination on the tree of segments, in place of CoreNEURON's: the linker sends its calls of
// setup_tree_matrix_minimal and nrn_solve_minimal here (--wrap, see isfray/engine/build.py). The same equations with half
// of the divisions, in passes that are vectorised but for what a node has to wait for from its child or its parent, and
// which keep that in registers along an unbranched stretch: 7 % of the integration. As there, nodes are numbered
// with every parent before its children, `ncell` roots first.
#pragma once
#ifdef __ELF__  // where linkers can do that
#include "coreneuron/sim/multicore.hpp"

namespace coreneuron {
extern int interleave_permute_type;
}  // namespace coreneuron

extern "C" void* __real__ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE(coreneuron::NrnThread*)
    __attribute__((weak));
extern "C" void __real__ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE(coreneuron::NrnThread*) __attribute__((weak));

extern "C" __attribute__((weak, used)) void* __wrap__ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE(
    coreneuron::NrnThread* thread) {
    const int roots = thread->ncell;
    if (coreneuron::interleave_permute_type == 0) {
        thread->ncell = thread->end;  // axial currents are those of nodes that are no roots: left to the solver
    }
    void* const result = __real__ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE(thread);
    thread->ncell = roots;
    return result;
}

extern "C" __attribute__((weak, used)) void __wrap__ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE(
    coreneuron::NrnThread* thread) {
    if (coreneuron::interleave_permute_type != 0) {  // another numbering
        __real__ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE(thread);
        return;
    }
    double* __restrict__ d = thread->_actual_d;
    double* __restrict__ rhs = thread->_actual_rhs;
    const double* v = thread->_actual_v;
    const double* a = thread->_actual_a;  // of the child's current in its parent's equation, negative
    const double* b = thread->_actual_b;  // and of the parent's in its child's
    const int* parent = thread->_v_parent_index;
    const int roots = thread->ncell, nodes = thread->end;
#pragma GCC ivdep
    for (int i = roots; i < nodes; ++i) {
        d[i] -= b[i];
        rhs[i] -= b[i] * (v[parent[i]] - v[i]);
    }
    for (int i = nodes - 1; i >= roots;) {
        double own_d = d[i], own_rhs = rhs[i];
        int up;
        do {
            up = parent[i];
            const double inverse = 1.0 / own_d;  // what waits for it is one multiplication and subtraction
            d[i] = inverse;  // for the way back
            rhs[i] = own_rhs;
            own_d = (d[up] - a[i]) - (a[i] * b[i]) * inverse;
            own_rhs = (rhs[up] + a[i] * (v[up] - v[i])) - (a[i] * own_rhs) * inverse;
            --i;
        } while (up == i && i >= roots);
        d[up] = own_d;
        rhs[up] = own_rhs;
    }
    for (int i = 0; i < roots; ++i) {
        rhs[i] /= d[i];
    }
#pragma GCC ivdep
    for (int i = roots; i < nodes; ++i) {
        rhs[i] *= d[i];
        d[i] *= b[i];
    }
    double above = 0.0;
    for (int i = roots; i < nodes; ++i) {
        if (parent[i] != i - 1 || i == roots) {
            above = rhs[parent[i]];
        }
        above = rhs[i] - d[i] * above;
        rhs[i] = above;
    }
}
#endif
