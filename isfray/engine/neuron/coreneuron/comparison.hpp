// The first step of a process is done twice, from the same data: by our loop over currents and solver, and by CoreNEURON's.
// Where they differ by more than rounding, CoreNEURON's are used from this step on, and a line says so. Currents can be worked
// out twice: NEURON itself does so, for their slope.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <vector>
#include "choice.hpp"
#include "coreneuron/sim/multicore.hpp"

namespace isfray {
inline std::vector<double> before_step;  // all data of the model, while ours are untried

// Called before a step's currents
inline void remember(const coreneuron::NrnThread* thread) {
    if (!are(Functions::ours_untried) || thread->end == 0) {
        return;
    }
    before_step.clear();
    const auto* threads = coreneuron::nrn_threads;
    const auto has_nodes = [](const coreneuron::NrnThread& other) { return other.end > 0; };
    if (std::count_if(threads, threads + coreneuron::nrn_nthread, has_nodes) == 1) {  // others would be at it now
        before_step.assign(thread->_data, thread->_data + thread->_ndata);
    }
}

inline bool to_compare(const coreneuron::NrnThread* thread) {
    return are(Functions::ours_untried) && thread->end > 0 && !before_step.empty();
}

// Of a step's largest change of voltage, and a voltage (mV). Rounding gives a thousandth of it
constexpr double tolerance = 1e-10, least = 1e-12;

// Called after a step by ours; leaves the data of whichever are used
inline void compare(coreneuron::NrnThread* thread) {
    double* data = thread->_data;
    const std::size_t n = thread->_ndata, nodes = thread->end;
    const std::vector<double> ours(data, data + n);
    std::copy(before_step.begin(), before_step.end(), data);
    functions = Functions::coreneurons;
    ISFRAY_SETUP(__real_)(thread);
    ISFRAY_SOLVE(__real_)(thread);
    // The right side is the change of voltage now, and the diagonal of no meaning
    const std::size_t change = thread->_actual_rhs - data, diagonal = thread->_actual_d - data;
    double largest = 0.0, apart = 0.0;
    bool finite = true, same = true;
    for (std::size_t i = change; i < change + nodes; ++i) {
        finite = finite && std::isfinite(data[i]);
        largest = std::max(largest, std::abs(data[i]));
    }
    std::size_t others = 0;  // currents of ions, and whatever else mechanisms say of theirs
    for (std::size_t i = 0; i < n; ++i) {
        if (i - change < nodes) {
            const double difference = std::abs(ours[i] - data[i]);
            same = same && difference <= least + tolerance * largest;
            apart = std::max(apart, difference);
        } else if (i - diagonal >= nodes) {
            others += std::memcmp(&ours[i], &data[i], sizeof(double)) != 0;
        }
    }
    same = same && others == 0;
    if (same || !finite) {
        std::copy(ours.begin(), ours.end(), data);
        functions = finite ? Functions::ours : Functions::ours_untried;
    } else {
        std::fprintf(stderr,
            "CoreNEURON's own solver and loop over currents from here on, a little slower: isfray's differ in the first step, "
            "by %.2g mV and in %zu other values\n",
            apart, others);
    }
    std::vector<double>().swap(before_step);
}
}  // namespace isfray
