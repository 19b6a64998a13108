"""Random small networks of every kind a network file can describe, and random edits of them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from isfray import edits
from isfray.model.activity import SPIKE_SOURCES
from isfray.model.network import NetworkModel

NAMES = ("VPM_C2", "L5tt_A4", "L4ss_Delta", "L1_C2", "INH", "INH_D1")
positive = st.floats(1e-3, 1e4)
moderate = st.floats(1.0, 100.0)  # stays in its range through some edits
fraction = st.floats(0, 1)
time = st.floats(-500, 500)


@st.composite
def bins(draw: st.DrawFn, min_size: int = 0) -> list[float]:
    begin, widths = draw(time), draw(st.lists(st.floats(0.1, 50), min_size=min_size, max_size=5))
    return [begin + sum(widths[:i]) for i in range(len(widths) + 1)]


@st.composite
def binned(draw: st.DrawFn, key: str, value: st.SearchStrategy[Any]) -> dict[str, Any]:
    borders = draw(bins())
    intervals = list(pairwise(borders))
    return {"intervals": intervals, key: [draw(value) for _ in intervals]}


@st.composite
def v2(draw: st.DrawFn) -> dict[str, Any]:
    borders = draw(bins())
    return {"bins": borders, "rates": [draw(moderate) for _ in borders[1:]]}


MODULATED = {
    "rate_before_t_offset": moderate,
    "mean_rate": moderate,
    "max_modulation": fraction,
    "modulation_frequency": positive,
    "bin_size": positive,
    "phase_distribution": st.just("normal"),
    "mean_phase": time,
    "std_phase": positive,
}
POINTCELLS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "normal": st.fixed_dictionaries({"activeFrac": fraction, "spikeT": time, "spikeWidth": positive}),
    "uniform": st.fixed_dictionaries({"activeFrac": fraction, "window": positive}),
    "lognormal": st.fixed_dictionaries({"activeFrac": fraction, "mu": time, "sigma": positive}),
    "PSTH": binned("probabilities", st.floats(-0.1, 1)),
    "PSTH_absolute_number": binned("number_active_synapses", st.integers(0, 5)),
    "PSTH_poissontrain": binned("rates", moderate),
    "PSTH_poissontrain_v2": v2(),
    "poissontrain_modulated": st.fixed_dictionaries(MODULATED),
}
pointcell = st.one_of(
    *(
        st.tuples(keys, st.one_of(st.just({}), st.fixed_dictionaries({"offset": time}))).map(
            lambda parts, kind=kind: {"distribution": kind} | parts[0] | parts[1]
        )
        for kind, keys in POINTCELLS.items()
    )
)
spiketrain = st.fixed_dictionaries(
    {"interval": moderate.map(lambda rate: 1000.0 * rate)},
    optional={"noise": fraction, "start": time, "nspikes": st.integers(0, 9)},
)
activity = st.one_of(
    spiketrain.map(lambda keys: {"celltype": "spiketrain"} | keys),
    pointcell.map(lambda keys: {"celltype": "pointcell"} | keys),
    st.fixed_dictionaries({"spiketrain": spiketrain, "pointcell": pointcell}).map(lambda both: {"celltype": both}),
    st.fixed_dictionaries({"pointcell": pointcell}).map(lambda one: {"celltype": one}),
)
receptor = st.fixed_dictionaries(
    {"delay": st.floats(0, 5), "weight": st.one_of(moderate, st.lists(moderate, min_size=1, max_size=2))},
    optional={
        "threshold": time,
        "weightDistribution": st.just("lognormal"),
        "parameter": st.dictionaries(st.sampled_from(["e", "tau1", "risetime"]), st.floats(-90, 90)),
    },
)
release = st.one_of(st.just({}), st.fixed_dictionaries({"releaseProb": st.one_of(fraction, st.just("dynamic"))}))
receptors = st.dictionaries(st.sampled_from(["glutamate_syn", "gaba_syn"]), receptor, min_size=1)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, str]:
    """Files of a network, by path: `network.param`, and those it names, in folders beside it."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4))
    files: dict[str, list[str]] = {}
    network: dict[str, Any] = {}
    for name in names:
        n_cells, n_synapses = draw(st.integers(1, 5)), draw(st.integers(0, 6))
        folder = draw(st.sampled_from(["", "a/", "b/"]))
        references = {"distributionFile": f"{folder}cell.syn"}
        files.setdefault(f"{folder}cell.syn", []).extend(
            f"{name}\t{draw(st.integers(0, 9))}\t{draw(fraction)!r}" for _ in range(n_synapses)
        )
        entry: dict[str, Any] = {"cellNr": n_cells} | draw(activity)
        if draw(st.booleans()):
            references["connectionFile"] = f"{folder}cell.con"
            wired = draw(st.permutations(range(n_synapses)))[: draw(st.integers(0, n_synapses))]
            files.setdefault(f"{folder}cell.con", []).extend(
                f"{name}\t{draw(st.integers(0, n_cells - 1))}\t{synapse}" for synapse in wired
            )
        else:
            entry["convergence"] = draw(st.floats(0.01, 1))
            if draw(st.booleans()):
                entry["connectivity_seed"] = draw(st.integers(0, 2**40))
        entry["synapses"] = references | draw(release) | {"receptors": draw(receptors)}
        network[name] = entry
    if draw(st.booleans()):
        network["network_modify_functions"] = draw(functions(names))
    content = {"info": {"name": "'None' (ä)"}, "network": network}
    return {"network.param": json.dumps(content)} | {path: "\n".join(rows) + "\n" for path, rows in files.items()}


@st.composite
def functions(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    def ranges() -> dict[str, list[float]]:
        return {name: sorted(draw(st.tuples(positive, positive))) for name in names if draw(st.booleans())}

    out: dict[str, Any] = {"silence_synapses_by_somadist": {"soma_dist_ranges": ranges()}}
    if draw(st.booleans()):
        sources = draw(st.lists(st.sampled_from(SPIKE_SOURCES), max_size=2))
        out["silence_synapses_by_somadist_and_spike_source"] = {
            "soma_dist_ranges": ranges(),
            "spike_sources": sources,
        }
    return out


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "network.param"


factor = st.floats(0.1, 10)
selection = st.one_of(
    st.none(),
    st.sampled_from([*NAMES, "VPM", "INH", "C2"]),
    st.just(lambda p: p.n_cells > 2),
    st.just(lambda p: p.is_inhibitory),
)
EDITS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "scale_ongoing_rates": st.tuples(factor, selection),
    "scale_evoked": st.tuples(st.one_of(factor, st.integers(0, 3)), selection),
    "scale_evoked_inhibition": st.tuples(factor),
    "silence_evoked": st.tuples(selection),
    "silence_populations": st.tuples(selection),
    "silence_by_soma_distance": st.tuples(
        positive, positive, selection, st.one_of(st.none(), st.just(["poissontrain"]))
    ),
    "move_stimulus": st.tuples(time, selection),
    "repeat_stimulus": st.tuples(st.integers(1, 3), positive, st.none(), selection),
    "scale_weights": st.tuples(st.one_of(factor, st.tuples(factor, factor)), selection),
    "set_weights": st.tuples(st.dictionaries(st.sampled_from(NAMES), st.one_of(factor, st.lists(factor, max_size=2)))),
    "redraw_connections": st.tuples(st.integers(0, 99), selection),
}
some_edits = st.lists(
    st.one_of(*(st.tuples(st.just(name), arguments) for name, arguments in EDITS.items())), min_size=1, max_size=4
)


def edit(network: NetworkModel, name: str, arguments: tuple[Any, ...]) -> NetworkModel:
    edited: NetworkModel = getattr(edits, name)(network, *arguments)
    return edited
