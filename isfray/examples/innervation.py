"""Which presynaptic cells innervate the synthetic neuron, where, and what they do: the tables behind the example.

Made-up numbers of realistic order. Where axons of a type end follows, qualitatively, what is reported of rat barrel
cortex: layers and column borders of excitatory types from Narayanan et al. 2015 (Cereb Cortex 25:4450), the thalamus in
layer 4 and at the border of layers 5 and 6 from Constantinople & Bruno 2013 (Science 340:1591), deep corticocortical
cells answering touch first from Egger et al. 2020 (Neuron 105:122). Kinetics, release probabilities, weights and mean
intervals are those of published networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PRINCIPAL = "C2"
"""Column the neuron is in, and whose whisker is touched."""

COLUMNS: Mapping[str, float] = {
    "B1": 0.7,
    "B2": 1.1,
    "B3": 0.7,
    "C1": 1.5,
    "C2": 0.0,
    "C3": 1.5,
    "D1": 0.7,
    "D2": 1.1,
    "D3": 0.7,
}
"""Barrel columns and how the surround's synapses are shared among them: axons reach farther along a row."""

STIMULUS = 245.0
"""When the whisker is touched, ms."""

Layers = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Evoked:
    """Spikes per cell that a touch adds.

    Attributes
    ----------
    fast : float
        Expected spikes of the first response, normally distributed around `latency` with SD `spread` (ms after touch).
    sustained : float
        Expected spikes spread evenly over 15 to 50 ms.
    neighbour : float
        Response of a cell in a surrounding column relative to one in the principal column.
    """

    fast: float
    latency: float
    spread: float
    sustained: float
    neighbour: float


@dataclass(frozen=True)
class Innervation:
    """One presynaptic cell type.

    Attributes
    ----------
    synapses : int
        Synapses on the neuron, all columns together.
    principal : float
        Share of them from the principal column.
    contacts : float
        Mean number of synapses a connected cell has.
    layers : tuple of (depth, spread, share)
        Where they lie: normal profiles of depth below the pia (um).
    interval : float
        Mean interval of ongoing spikes, ms.
    evoked : Evoked
    weight : float
        Peak conductance of one release, nS (AMPA and NMDA alike, or GABA).
    inhibitory : bool
    soma : float
        Density of synapses on the soma relative to that on dendrites, per um of length.
    """

    synapses: int
    principal: float
    contacts: float
    layers: Layers
    interval: float
    evoked: Evoked
    weight: float = 1.0
    inhibitory: bool = False
    soma: float = 0.0


_INHIBITORY = 142.9
_FEEDFORWARD = Evoked(0.6, 10.0, 1.5, 0.4, 0.5)

TYPES: Mapping[str, Innervation] = {
    "L2": Innervation(
        2300, 0.45, 1.5, ((200, 120, 0.65), (1150, 150, 0.35)), 2173.9, Evoked(0.004, 14, 4, 0.012, 0.8), 1.47
    ),
    "L34": Innervation(
        3600, 0.40, 1.6, ((380, 180, 0.45), (1150, 150, 0.55)), 3225.8, Evoked(0.018, 13, 4, 0.03, 0.15), 1.68
    ),
    "L4py": Innervation(
        850, 0.40, 1.5, ((550, 220, 0.40), (1150, 150, 0.60)), 1562.5, Evoked(0.01, 12, 3, 0.02, 1.0), 1.14
    ),
    "L4sp": Innervation(
        850, 0.50, 1.5, ((600, 220, 0.70), (1150, 150, 0.30)), 1666.7, Evoked(0.055, 11, 3, 0.04, 0.1), 1.14
    ),
    "L4ss": Innervation(
        1450, 0.80, 1.6, ((750, 150, 0.75), (1150, 150, 0.25)), 1886.8, Evoked(0.035, 11, 3, 0.05, 0.3), 1.14
    ),
    "L5st": Innervation(
        2050, 0.32, 1.4, ((150, 120, 0.55), (1150, 150, 0.45)), 909.1, Evoked(0.01, 14, 4, 0.02, 0.8), 1.38
    ),
    "L5tt": Innervation(
        850, 0.47, 2.0, ((200, 150, 0.10), (1200, 150, 0.90)), 283.3, Evoked(0.065, 12, 4, 0.09, 0.7), 1.59
    ),
    "L6cc": Innervation(
        1200, 0.30, 1.4, ((200, 150, 0.15), (1150, 180, 0.85)), 1052.6, Evoked(0.06, 11, 3, 0.04, 0.25), 1.63
    ),
    "L6ccinv": Innervation(
        700, 0.25, 1.3, ((150, 120, 0.15), (1250, 150, 0.85)), 2325.6, Evoked(0.0, 11, 2, 0.02, 0.5), 1.63
    ),
    "L6ct": Innervation(700, 0.60, 1.3, ((1000, 150, 1.0),), 12500.0, Evoked(0.01, 12, 3, 0.04, 0.4), 1.8),
    "VPM": Innervation(
        320, 0.80, 2.0, ((760, 130, 0.45), (1330, 120, 0.55)), 4761.9, Evoked(0.31, 9, 2, 0.0, 0.08), 1.78
    ),
    "L1": Innervation(260, 0.55, 2.0, ((80, 70, 1.0),), 909.1, Evoked(0.07, 10, 2, 0.0, 0.0), inhibitory=True),
    "L23Trans": Innervation(100, 0.70, 2.0, ((350, 200, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
    "L45Peak": Innervation(260, 0.60, 2.5, ((1000, 180, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
    "L45Sym": Innervation(200, 0.60, 2.5, ((1050, 160, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
    "L56Trans": Innervation(300, 0.45, 2.5, ((1300, 150, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True, soma=4.0),
    "SymLocal1": Innervation(100, 0.80, 2.0, ((200, 120, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
    "SymLocal2": Innervation(60, 0.80, 2.0, ((400, 150, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
    "SymLocal3": Innervation(200, 0.80, 2.5, ((900, 150, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
    "SymLocal4": Innervation(240, 0.55, 3.0, ((1200, 120, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True, soma=6.0),
    "SymLocal5": Innervation(100, 0.60, 3.0, ((1300, 120, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True, soma=6.0),
    "SymLocal6": Innervation(40, 0.60, 2.0, ((1420, 120, 1.0),), _INHIBITORY, _FEEDFORWARD, inhibitory=True),
}
"""The 22 cell types, excitatory ones first."""
