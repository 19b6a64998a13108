// Gates that relax to a steady state of the voltage at a rate of the voltage, x += (steady(v) - x) share(v), are stepped by
// table, at a third of what working both out anew costs. Tables are made of the mechanism's own function, called with x = 0
// and x = 1 at voltages of a grid, for a step and for ever; between them go polynomials, 1e-12 off. Mechanisms of the same
// segments are stepped together, as a team, from one row of a table to a segment. Before a run's first step, tables are
// compared with the mechanisms, and not used where they differ. Steps in which a voltage is beyond the grid are the
// mechanisms' own.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>
#include "coreneuron/coreneuron.hpp"
#include "coreneuron/mechanism/mechanism.hpp"
#include "coreneuron/mechanism/membfunc.hpp"
#include "coreneuron/sim/multicore.hpp"

namespace isfray {
using coreneuron::Memb_list;
using coreneuron::NrnThread;

constexpr std::array<std::string_view, 11> relaxing = {"Ca_HVA", "Ca_LVAst", "Ih", "Im", "K_Pst", "K_Tst", "NaTa_t",
    "NaTs2_t", "Nap_Et2", "SKv3_1", "SKv3_1_copy"};

constexpr double lowest = -128.0, pieces_per_mV = 8.0;
constexpr int pieces = 2048, terms = 5, most_gates = 8;
constexpr int asked = pieces * terms;  // voltages of the grid

struct Relaxing {
    coreneuron::mod_f_t own = nullptr, initial = nullptr;  // the mechanism's functions: a step; the state before the first
    coreneuron::mod_f_t construct = nullptr, destruct = nullptr;  // before and after a run
    int first = 0, count = 0;  // of its variables, those that are gates
    Memb_list* ml = nullptr;  // of the run
    std::size_t team = 0;
    double dt = 0.0;  // of what follows
    std::vector<double> steady, share;  // of every gate: the powers of the voltage in every piece
};
inline std::array<Relaxing, 512> relaxing_of;  // by type

struct alignas(64) Line {
    double at[8];
};

struct Team {
    std::vector<int> types;
    int gates = 0, lanes = 0;  // a power of 2 that holds them
    double dt = 0.0;
    bool usable = false, by_table = false;  // in this run, in this step
    std::vector<Line> lines;
    double* rows = nullptr;  // of every piece: by power of the voltage, the steady states and then the shares of all gates
    std::vector<double*> x;  // every lane's gate, by segment
    std::vector<double> unused;
};
inline std::vector<Team> teams;
inline bool made_for_this_run = false;

// Where on the grid the voltages of the step are
struct Places {
    double t = HUGE_VAL;
    bool inside = false;  // all of them
    std::vector<std::int64_t> row;  // of every node: the first of its piece
    std::vector<double> within;  // the piece, -1/2 to 1/2
};
inline Places places;

inline void find_places(const NrnThread* thread) {
    const std::size_t nodes = thread->end;
    places.row.resize(nodes);
    places.within.resize(nodes);
    const double* v = thread->_actual_v;
    std::int64_t* row = places.row.data();
    double* within = places.within.data();
    std::int64_t outside = 0;
#pragma GCC ivdep
    for (std::size_t i = 0; i < nodes; ++i) {
        const double u = (v[i] - lowest) * pieces_per_mV;
        outside |= !(u >= 0.0 && u < pieces);
        const auto piece = static_cast<std::int64_t>(u);
        row[i] = piece * terms;
        within[i] = u - piece - 0.5;
    }
    places.inside = outside == 0;
    places.t = thread->_t;
}

typedef double Two __attribute__((vector_size(16)));
typedef double Four __attribute__((vector_size(32)));
typedef double Eight __attribute__((vector_size(64)));

template <class Vector>
inline Vector read(const double* from) {
    Vector values;
    std::memcpy(&values, from, sizeof values);
    return values;
}

template <int width, class Step>
inline void for_each_segment(const Team& team, const Memb_list* ml, const Step& step) {
    const int n = ml->nodecount;
    const int* node = ml->nodeindices;
    const std::int64_t* first = places.row.data();
    const double* within = places.within.data();
    const double* rows = team.rows;
    std::array<double*, width / 2> x;
    std::copy_n(team.x.data(), width / 2, x.data());
#pragma GCC ivdep
    for (int i = 0; i < n; ++i) {
        step(rows + first[node[i]] * width, within[node[i]], x, i);
    }
}

// Steady states and shares in one vector, for few gates
template <class Row>
inline void step_narrow(const Team& team, const Memb_list* ml) {
    constexpr int width = sizeof(Row) / sizeof(double), lanes = width / 2;
    for_each_segment<width>(team, ml, [](const double* row, double within, const auto& x, int i) {
        Row y = read<Row>(row + (terms - 1) * width);
        for (int power = terms - 2; power >= 0; --power) {
            y = y * within + read<Row>(row + power * width);
        }
        for (int lane = 0; lane < lanes; ++lane) {
            x[lane][i] += y[lanes + lane] * (y[lane] - x[lane][i]);
        }
    });
}

inline Four of_segment(const std::array<double*, 4>& x, int i) { return Four{x[0][i], x[1][i], x[2][i], x[3][i]}; }

inline Eight of_segment(const std::array<double*, 8>& x, int i) {
    return Eight{x[0][i], x[1][i], x[2][i], x[3][i], x[4][i], x[5][i], x[6][i], x[7][i]};
}

// Steady states and shares in vectors of their own, `parts` of each
template <class Lanes, int parts>
inline void step_wide(const Team& team, const Memb_list* ml) {
    constexpr int lanes = sizeof(Lanes) / sizeof(double), all = lanes * parts, width = 2 * all;
    for_each_segment<width>(team, ml, [](const double* row, double within, const auto& x, int i) {
#pragma GCC unroll 2
        for (int part = 0; part < parts; ++part) {
            const double* from = row + part * lanes;
            Lanes steady = read<Lanes>(from + (terms - 1) * width), share = read<Lanes>(from + (terms - 1) * width + all);
            for (int power = terms - 2; power >= 0; --power) {
                steady = steady * within + read<Lanes>(from + power * width);
                share = share * within + read<Lanes>(from + power * width + all);
            }
            std::array<double*, lanes> these;
            std::copy_n(x.data() + part * lanes, lanes, these.data());
            Lanes now = of_segment(these, i);
            now += share * (steady - now);
            for (int lane = 0; lane < lanes; ++lane) {
                these[lane][i] = now[lane];
            }
        }
    });
}

inline bool step_by_table(const Team& team, const NrnThread* thread) {
    if (places.t != thread->_t) {
        find_places(thread);
    }
    if (!places.inside) {
        return false;
    }
    const Memb_list* ml = relaxing_of[team.types[0]].ml;
    switch (team.lanes) {
    case 1: step_narrow<Two>(team, ml); break;
    case 2: step_narrow<Four>(team, ml); break;
    case 4: step_wide<Four, 1>(team, ml); break;
#ifdef __AVX512F__
    default: step_wide<Eight, 1>(team, ml);
#else
    default: step_wide<Four, 2>(team, ml);
#endif
    }
    return true;
}

inline void step_by_own(const Team& team, NrnThread* thread) {
    for (const int type : team.types) {
        relaxing_of[type].own(thread, relaxing_of[type].ml, type);
    }
}

// Values of all gates: gate by gate, segment by segment
inline std::vector<double> gates_now(const Team& team) {
    const int n = relaxing_of[team.types[0]].ml->nodecount;
    std::vector<double> values;
    for (int gate = 0; gate < team.gates; ++gate) {
        values.insert(values.end(), team.x[gate], team.x[gate] + n);
    }
    return values;
}

inline void set_gates(const Team& team, const std::vector<double>& values) {
    const int n = relaxing_of[team.types[0]].ml->nodecount;
    for (int gate = 0; gate < team.gates; ++gate) {
        std::copy_n(values.data() + gate * n, n, team.x[gate]);
    }
}

// Polynomials that are 1 at one of the nodes of [-1/2, 1/2] and 0 at the others, by node and power
struct Nodes {
    std::array<double, terms> at;
    std::array<std::array<double, terms>, terms> basis{};
    Nodes() {
        for (int j = 0; j < terms; ++j) {
            at[j] = 0.5 * std::cos((2 * j + 1) * M_PI / (2 * terms));
        }
        for (int j = 0; j < terms; ++j) {
            basis[j][0] = 1.0;
            int degree = 0;
            for (int i = 0; i < terms; ++i) {
                if (i == j) {
                    continue;
                }
                for (int k = ++degree; k >= 0; --k) {
                    basis[j][k] = ((k > 0 ? basis[j][k - 1] : 0.0) - at[i] * basis[j][k]) / (at[j] - at[i]);
                }
            }
        }
    }
};

// A mechanism in a model of its own, with a segment for each voltage of the grid. In a model's own segments results would
// depend, in their last bits, on how many there are: loops end with steps of other width.
class Sheet {
public:
    Sheet(const Relaxing& mechanism, int type)
        : mechanism(mechanism), type(type), data(asked / 8 * coreneuron::corenrn.get_prop_param_size()[type]),
          ions(asked * coreneuron::corenrn.get_prop_dparam_size()[type]) {
        static const Nodes nodes;
        for (int i = 0; i < asked; ++i) {
            segments[i] = i;
            volts[i / 8].at[i % 8] = lowest + (i / terms + 0.5 + nodes.at[i % terms]) / pieces_per_mV;
        }
        thread._actual_v = volts[0].at;
        thread._data = ion.at;
        thread.end = ml.nodecount = ml._nodecount_padded = asked;
        ml.nodeindices = segments.data();
        ml.data = data[0].at;
        ml.pdata = ions.data();
        mechanism.construct(&thread, &ml, type);
        mechanism.initial(&thread, &ml, type);
    }
    ~Sheet() { mechanism.destruct(&thread, &ml, type); }
    Sheet(const Sheet&) = delete;
    Sheet& operator=(const Sheet&) = delete;

    // All gates after a step of dt: gate by gate, voltage by voltage
    std::vector<double> stepped(double from, double dt) {
        double* gates = ml.data + mechanism.first * asked;
        std::fill_n(gates, mechanism.count * asked, from);
        thread._dt = dt;
        mechanism.own(&thread, &ml, type);
        return std::vector<double>(gates, gates + mechanism.count * asked);
    }

private:
    const Relaxing& mechanism;
    const int type;
    NrnThread thread;
    Memb_list ml;
    std::vector<Line> data, volts = std::vector<Line>(asked / 8);
    Line ion{};  // what all its ions have, which no gate heeds
    std::vector<coreneuron::Datum> ions;
    std::vector<int> segments = std::vector<int>(asked);
};

// Asks a mechanism, unless it was asked for this step before
inline void ask(Relaxing& mechanism, int type, double dt) {
    if (mechanism.dt == dt) {
        return;
    }
    static const Nodes nodes;
    Sheet sheet(mechanism, type);
    const std::vector<double> steady = sheet.stepped(0.0, 1e9), low = sheet.stepped(0.0, dt), high = sheet.stepped(1.0, dt);
    mechanism.steady.assign(steady.size(), 0.0);
    mechanism.share.assign(steady.size(), 0.0);
    for (std::size_t i = 0; i < steady.size(); ++i) {
        const std::size_t piece = i / terms * terms, node = i % terms;
        for (int power = 0; power < terms; ++power) {
            mechanism.steady[piece + power] += steady[i] * nodes.basis[node][power];
            mechanism.share[piece + power] += (1.0 - (high[i] - low[i])) * nodes.basis[node][power];
        }
    }
    mechanism.dt = dt;
}

// Puts what its mechanisms say into a team's rows
inline void tabulate(Team& team, double dt) {
    team.lines.assign(asked * 2 * team.lanes / 8, Line{});
    team.rows = team.lines[0].at;
    int lane = 0;
    for (const int type : team.types) {
        Relaxing& mechanism = relaxing_of[type];
        ask(mechanism, type, dt);
        for (int gate = 0; gate < mechanism.count; ++gate, ++lane) {
            for (int i = 0; i < asked; ++i) {
                double* row = team.rows + static_cast<std::size_t>(i) * 2 * team.lanes;
                row[lane] = mechanism.steady[gate * asked + i];
                row[team.lanes + lane] = mechanism.share[gate * asked + i];
            }
        }
    }
    team.dt = dt;
}

// Whether this step by table is the mechanisms' own
inline bool agrees(const Team& team, NrnThread* thread) {
    const std::vector<double> before = gates_now(team);
    if (!step_by_table(team, thread)) {
        return false;
    }
    const std::vector<double> by_table = gates_now(team);
    set_gates(team, before);
    step_by_own(team, thread);
    const std::vector<double> by_own = gates_now(team);
    set_gates(team, before);
    return std::equal(by_table.begin(), by_table.end(), by_own.begin(),
        [](double table, double own) { return std::abs(table - own) <= 1e-10 * std::abs(own); });
}

// Mechanisms of the same segments, up to as many as make a full row; tables are kept from run to run
inline void make_teams(NrnThread* thread) {
    std::vector<Team> made;
    for (auto* entry = thread->tml; entry != nullptr; entry = entry->next) {
        if (entry->index >= static_cast<int>(relaxing_of.size()) || relaxing_of[entry->index].own == nullptr) {
            continue;
        }
        Relaxing& mechanism = relaxing_of[entry->index];
        mechanism.ml = entry->ml;
        const auto joins = [&](const Team& team) {
            const Memb_list* other = relaxing_of[team.types[0]].ml;
            return team.gates + mechanism.count <= most_gates &&
                std::equal(other->nodeindices, other->nodeindices + other->nodecount, entry->ml->nodeindices,
                    entry->ml->nodeindices + entry->ml->nodecount);
        };
        auto team = std::find_if(made.begin(), made.end(), joins);
        if (team == made.end()) {
            team = made.insert(made.end(), Team{});
        }
        team->types.push_back(entry->index);
        team->gates += mechanism.count;
        mechanism.team = team - made.begin();
        for (int gate = 0; gate < mechanism.count; ++gate) {
            team->x.push_back(entry->ml->data + (mechanism.first + gate) * entry->ml->_nodecount_padded);
        }
    }
    for (Team& team : made) {
        for (team.lanes = 1; team.lanes < team.gates;) {
            team.lanes *= 2;
        }
        team.unused.resize(relaxing_of[team.types[0]].ml->nodecount);
        team.x.resize(team.lanes, team.unused.data());
        for (Team& old : teams) {
            if (old.types == team.types && old.dt == thread->_dt) {
                team.dt = old.dt;
                team.lines.swap(old.lines);
                team.rows = old.rows;
                break;
            }
        }
    }
    teams.swap(made);
    made_for_this_run = true;
    places.t = HUGE_VAL;
    for (Team& team : teams) {
        if (team.dt != thread->_dt) {
            tabulate(team, thread->_dt);
        }
        team.usable = agrees(team, thread);
    }
}

inline void construct_gates(NrnThread* thread, Memb_list* ml, int type) {
    made_for_this_run = false;
    relaxing_of[type].construct(thread, ml, type);
}

inline void step_gates(NrnThread* thread, Memb_list* ml, int type) {
    const Relaxing& mechanism = relaxing_of[type];
    if (coreneuron::nrn_nthread > 2) {  // one has the cell, one could have artificial cells
        mechanism.own(thread, ml, type);
        return;
    }
    if (!made_for_this_run) {
        make_teams(thread);
    }
    Team& team = teams[mechanism.team];
    if (type == team.types[0]) {
        team.by_table = team.usable && step_by_table(team, thread);
    }
    if (!team.by_table) {
        mechanism.own(thread, ml, type);
    }
}

// A mechanism's gates among its variables, whose names come in groups that end with 0
inline Relaxing gates_among(const char** names) {
    Relaxing mechanism;
    int group = 0;
    for (const char** name = names + 2; group < 3; ++name) {
        if (*name == nullptr) {
            ++group;
        } else {
            (group < 2 ? mechanism.first : mechanism.count) += 1;
        }
    }
    return mechanism;
}
}  // namespace isfray

// How many mechanisms the last step took by table: what tests ask
extern "C" int isfray_mechanisms_by_table() {
    int mechanisms = 0;
    for (const isfray::Team& team : isfray::teams) {
        mechanisms += team.by_table ? static_cast<int>(team.types.size()) : 0;
    }
    return mechanisms;
}
