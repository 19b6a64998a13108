// CoreNEURON looks the name of every mechanism up in every step, by walking through a map: 8 % of the integration. The
// linker sends these calls here (--wrap), where a name is looked up once. Names are copied, and kept: within one
// process a mechanism's number stays its own.
#pragma once
#include <array>
#include <atomic>
#include <string>

extern "C" const char* __real__ZN10coreneuron16nrn_get_mechnameEi(int type);

extern "C" const char* __wrap__ZN10coreneuron16nrn_get_mechnameEi(int type) {
    static std::array<std::atomic<const std::string*>, 512> names{};
    if (type < 0 || type >= static_cast<int>(names.size())) {
        return __real__ZN10coreneuron16nrn_get_mechnameEi(type);
    }
    const std::string* name = names[type].load(std::memory_order_acquire);
    if (name == nullptr) {
        const char* found = __real__ZN10coreneuron16nrn_get_mechnameEi(type);
        if (found == nullptr) {
            return nullptr;
        }
        name = new std::string(found);
        names[type].store(name, std::memory_order_release);
    }
    return name->c_str();
}
