"""The network around the synthetic cell: synapses placed by depth, cells that drive them, and what those do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from isfray.arrays import F64, I32
from isfray.examples import files
from isfray.examples.innervation import COLUMNS, PRINCIPAL, STIMULUS, TYPES, Evoked, Innervation
from isfray.formats.isf.network import network_from_inputs
from isfray.model.geometry import Geometry
from isfray.model.inputs import ModelInputs
from isfray.model.morphology import APICAL, DENDRITE, SOMA
from isfray.model.network import NetworkModel

SEED = 1
_BINS = [(float(t), float(t + 1)) for t in range(20)] + [(float(t), float(t + 5)) for t in range(20, 50, 5)]
_SUSTAINED = (15.0, 50.0)
_GLUTAMATE = {"tau1": 26.0, "tau2": 2.0, "tau3": 2.0, "tau4": 0.1} | {
    f"{what}{receptor}": value for what, value in (("decay", 1.0), ("facil", 0.0)) for receptor in ("ampa", "nmda")
}
_GABA = {"risetime": 1.0, "decaytime": 20.0, "e": -80.0, "decaygaba": 1.0, "facilgaba": 0.0}


def example_network(geometry: Geometry, name: str) -> NetworkModel:
    """Innervate a cell, render the network's files and read them.

    Parameters
    ----------
    geometry : Geometry
        The synthetic cell's.
    name : str
        Stem of the `.syn` and `.con` files.
    """
    sites = _Sites(geometry)
    syn, con = f"{name}.syn", f"{name}.con"
    entries: dict[str, Any] = {}
    locations: list[tuple[str, F64]] = []
    wiring: list[tuple[str, I32]] = []
    for number, (celltype, innervation) in enumerate(TYPES.items()):
        rng = np.random.default_rng([SEED, number])
        for column, count in _counts(innervation).items():
            n_cells = max(1, round(count / innervation.contacts))
            cells = np.concatenate([np.arange(n_cells), rng.integers(0, n_cells, count - n_cells)])
            population = f"{celltype}_{column}"
            locations.append((population, sites.draw(innervation, count, rng)))
            wiring.append((population, np.column_stack([np.sort(cells), np.arange(count)])))
            entries[population] = _entry(innervation, column, n_cells, syn, con)
    references = {syn: files.synapses(syn, name, locations), con: files.connections(con, syn, wiring)}
    content = {"NMODL_mechanisms": {"synapses": "/", "VecStim": "/"}, "network": entries}
    title = f"synthetic network of {name}, touch of whisker {PRINCIPAL} at {STIMULUS:g} ms"
    return network_from_inputs(ModelInputs(files.param("network.param", title, content), references))


def _counts(innervation: Innervation) -> dict[str, int]:
    """Synapses of one type by column; at least one each."""
    surround = innervation.synapses * (1 - innervation.principal) / sum(COLUMNS.values())
    own = round(innervation.synapses * innervation.principal)
    return {c: own if c == PRINCIPAL else max(1, round(surround * share)) for c, share in COLUMNS.items()}


class _Sites:
    """Every stretch between neighbouring 3D points that a synapse can lie on."""

    def __init__(self, geometry: Geometry) -> None:
        section, low, high, depth = [], [], [], []
        for i, s in enumerate(geometry.morphology):
            if s.label in (SOMA, DENDRITE, APICAL):
                z = s.points[:, 2]
                section.append(np.full(len(z) - 1, i))
                low.append(geometry.relpts[i][:-1])
                high.append(geometry.relpts[i][1:])
                depth.append(-(z[:-1] + z[1:]) / 2)
        self.section, self.low, self.high = np.concatenate(section), np.concatenate(low), np.concatenate(high)
        self.depth = np.concatenate(depth)
        self.length = (self.high - self.low) * geometry.L[self.section]
        self.soma = self.section == 0

    def draw(self, innervation: Innervation, count: int, rng: np.random.Generator) -> F64:
        """Return section and x of `count` synapses, shape (count, 2)."""
        density = np.zeros(len(self.section))
        for centre, spread, share in innervation.layers:
            profile = self.length * np.exp(-0.5 * ((self.depth - centre) / spread) ** 2)
            density += share * profile / profile.sum()
        density[self.soma] *= innervation.soma
        cumulative = np.cumsum(density)
        here = np.searchsorted(cumulative, rng.random(count) * cumulative[-1])
        x = self.low[here] + rng.random(count) * (self.high[here] - self.low[here])
        return np.column_stack([self.section[here], x])


def _entry(innervation: Innervation, column: str, n_cells: int, syn: str, con: str) -> dict[str, Any]:
    ongoing: dict[str, Any] = {"interval": innervation.interval}
    touch = _psth(innervation.evoked, 1.0 if column == PRINCIPAL else innervation.evoked.neighbour)
    activity = {"celltype": {"spiketrain": ongoing, "pointcell": touch} if touch else {"spiketrain": ongoing}}
    if innervation.inhibitory:
        receptor: dict[str, Any] = {"gaba_syn": {"weight": innervation.weight, "parameter": _GABA}}
    else:
        receptor = {"glutamate_syn": {"weight": [innervation.weight] * 2, "parameter": _GLUTAMATE}}
    for settings in receptor.values():
        settings |= {"threshold": 0.0, "delay": 0.0}
    synapses = {
        "releaseProb": 0.25 if innervation.inhibitory else 0.6,
        "distributionFile": syn,
        "connectionFile": con,
        "receptors": receptor,
    }
    return {"cellNr": n_cells, **activity, "synapses": synapses}


def _psth(evoked: Evoked, gain: float) -> dict[str, Any] | None:
    """Return the touch response as a PSTH entry; None for a type and column that do not answer."""
    bins, probabilities = [], []
    for begin, end in _BINS:
        fast = evoked.fast * (_normal(end, evoked) - _normal(begin, evoked))
        overlap = max(0.0, end - max(begin, _SUSTAINED[0]))
        p = round(gain * (fast + evoked.sustained * overlap / (_SUSTAINED[1] - _SUSTAINED[0])), 5)
        if p > 0:
            bins.append([begin, end])
            probabilities.append(p)
    if not bins:
        return None
    return {"distribution": "PSTH", "intervals": bins, "probabilities": probabilities, "offset": STIMULUS}


def _normal(t: float, evoked: Evoked) -> float:
    return 0.5 * (1 + math.erf((t - evoked.latency) / (evoked.spread * math.sqrt(2))))
