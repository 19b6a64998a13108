// Axial currents and Gaussian elimination on the tree of segments, in place of CoreNEURON's: the linker sends its calls of
// nrn_solve_minimal here (--wrap), and currents.hpp leaves the axial currents out. The same equations, in passes that are
// vectorised but for what a node has to wait for from its child or its parent. As there, nodes are numbered with every parent
// before its children, `ncell` roots first.
#pragma once
#include <algorithm>
#include <vector>
#include "choice.hpp"
#include "comparison.hpp"
#include "coreneuron/sim/multicore.hpp"

namespace isfray {
struct Tree {
    std::vector<int> parent;
    // Unbranched stretches of nodes that follow each other: their first nodes, by number, and the end. A long one counts as
    // several, so that the fractions of the elimination stay far inside double's range.
    std::vector<int> stretches;
    std::vector<double> below, product, axial;  // by node
    static constexpr int longest = 16;

    void follow(const coreneuron::NrnThread* thread) {
        const int nodes = thread->end;
        const int* of = thread->_v_parent_index;
        if (std::equal(parent.begin(), parent.end(), of, of + nodes)) {
            return;
        }
        parent.assign(of, of + nodes);
        stretches.clear();
        for (int i = thread->ncell; i < nodes; ++i) {
            if (stretches.empty() || of[i] != i - 1 || i - stretches.back() == longest) {
                stretches.push_back(i);
            }
        }
        stretches.push_back(nodes);
        for (auto* array : {&below, &product, &axial}) {
            array->resize(nodes);
        }
    }
};

inline void solve(coreneuron::NrnThread* thread) {
    static thread_local Tree tree;
    tree.follow(thread);
    double* __restrict__ d = thread->_actual_d;
    double* __restrict__ rhs = thread->_actual_rhs;
    double* __restrict__ below = tree.below.data();
    double* __restrict__ product = tree.product.data();
    double* __restrict__ axial = tree.axial.data();
    const double* v = thread->_actual_v;
    const double* a = thread->_actual_a;  // of the child's current in its parent's equation, negative
    const double* b = thread->_actual_b;  // and of the parent's in its child's
    const int* parent = tree.parent.data();
    const int* stretch = tree.stretches.data();
    const int roots = thread->ncell, nodes = thread->end, stretches = static_cast<int>(tree.stretches.size()) - 1;
#pragma GCC ivdep
    for (int i = roots; i < nodes; ++i) {
        const double difference = v[parent[i]] - v[i];
        d[i] -= b[i];
        rhs[i] -= b[i] * difference;
        axial[i] = a[i] * difference;
        product[i] = a[i] * b[i];
    }
    for (int s = stretches - 1; s >= 0; --s) {
        // Diagonals over/below and right sides sum/below: as fractions, no node waits for a division
        const int first = stretch[s];
        int i = stretch[s + 1] - 1;
        double over = d[i], sum = rhs[i];
        below[i] = 1.0;
        for (; i > first; --i) {
            d[i] = over;
            rhs[i] = sum;
            below[i - 1] = over;
            sum = (rhs[i - 1] + axial[i]) * over - a[i] * sum;
            over = (d[i - 1] - a[i]) * over - product[i] * below[i];
        }
        d[i] = over;
        rhs[i] = sum;
        const double inverse = 1.0 / over;
        const int up = parent[i];
        d[up] = (d[up] - a[i]) - product[i] * below[i] * inverse;
        rhs[up] = (rhs[up] + axial[i]) - a[i] * sum * inverse;
    }
    for (int i = 0; i < roots; ++i) {
        rhs[i] /= d[i];
    }
#pragma GCC ivdep
    for (int i = roots; i < nodes; ++i) {
        const double inverse = 1.0 / d[i];
        rhs[i] *= inverse;
        d[i] = b[i] * below[i] * inverse;
    }
    for (int s = 0; s < stretches; ++s) {
        double value = rhs[parent[stretch[s]]];
        for (int i = stretch[s]; i < stretch[s + 1]; ++i) {
            value = rhs[i] - d[i] * value;
            rhs[i] = value;
        }
    }
}
}  // namespace isfray

extern "C" void ISFRAY_SOLVE(__wrap_)(coreneuron::NrnThread* thread) {
    if (!isfray::does(thread)) {
        ISFRAY_SOLVE(__real_)(thread);
        return;
    }
    isfray::solve(thread);
    if (isfray::to_compare(thread)) {
        isfray::compare(thread);
    }
}
