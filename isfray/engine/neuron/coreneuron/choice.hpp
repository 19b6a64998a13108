// Whose the loop over currents, the solver and the zeroing of ions' currents are: ours or CoreNEURON's.
#pragma once
#include <atomic>
#include "coreneuron/sim/multicore.hpp"

// By the linker's names: __real_ is CoreNEURON's own, __wrap_ what is called in its place
#define ISFRAY_SETUP(which) which##_ZN10coreneuron25setup_tree_matrix_minimalEPNS_9NrnThreadE
#define ISFRAY_SOLVE(which) which##_ZN10coreneuron17nrn_solve_minimalEPNS_9NrnThreadE
extern "C" void* ISFRAY_SETUP(__real_)(coreneuron::NrnThread*);
extern "C" void ISFRAY_SOLVE(__real_)(coreneuron::NrnThread*);

namespace coreneuron {
extern int interleave_permute_type;
}  // namespace coreneuron

namespace isfray {
enum class Functions { ours_untried, ours, coreneurons };
inline std::atomic<Functions> functions{Functions::ours_untried};  // of this process, see comparison.hpp

inline bool are(Functions which) { return functions.load(std::memory_order_relaxed) == which; }

// Ours are for this numbering of the nodes, and give no membrane currents
inline bool does(const coreneuron::NrnThread* thread) {
    return !are(Functions::coreneurons) && coreneuron::interleave_permute_type == 0 && thread->nrn_fast_imem == nullptr;
}
}  // namespace isfray
