// CoreNEURON sets the currents of ions to zero segment by segment, asking at each whether its reversal potential is to be
// worked out: 2 % of the integration. The linker sends the registration of mechanisms here (--wrap), which gives ions a
// function that asks first and then sets whole arrays.
#pragma once
#include <algorithm>
#include "choice.hpp"
#include "coreneuron/mechanism/mechanism.hpp"
#include "coreneuron/mechanism/membfunc.hpp"

namespace coreneuron {
extern void nrn_cur_ion(NrnThread*, Memb_list*, int);
}  // namespace coreneuron

namespace isfray {
inline void ion_currents(coreneuron::NrnThread* thread, coreneuron::Memb_list* ions, int type) {
    const int n = ions->nodecount, stride = ions->_nodecount_padded;
    int styles = 0;
    for (int i = 0; i < n; ++i) {
        styles |= ions->pdata[i];
    }
    if (are(Functions::coreneurons) || (styles & 0100) != 0) {  // a reversal potential that follows the concentrations
        coreneuron::nrn_cur_ion(thread, ions, type);
        return;
    }
    // an ion's arrays: reversal potential, concentrations inside and outside, current, its derivative
    std::fill_n(ions->data + 3 * stride, n, 0.0);
    std::fill_n(ions->data + 4 * stride, n, 0.0);
}
}  // namespace isfray
