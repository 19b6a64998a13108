"""The synthetic cell's membrane: the channels published for the class, with densities tuned to this morphology.

Channel set and distributions are those of Hay et al. 2011 (PLoS Comput Biol 7:e1002107), the artificial
axon that of Hay et al. 2013. The numbers are this example's own: they make the synthetic neuron rest, fire and burst as
the class does (Larkum et al. 1999, Nature 398:338), and are no fit to any recorded cell.
"""

from __future__ import annotations

from typing import Any

_IONS = {"ek": -85.0, "ena": 50.0}
_LEAK = -90.0

_SOMA = {
    "NaTa_t": {"gNaTa_tbar": 2.0},
    "Nap_Et2": {"gNap_Et2bar": 0.002},
    "K_Tst": {"gK_Tstbar": 0.08},
    "K_Pst": {"gK_Pstbar": 0.01},
    "SKv3_1": {"gSKv3_1bar": 0.7},
    "Ca_HVA": {"gCa_HVAbar": 0.001},
    "Ca_LVAst": {"gCa_LVAstbar": 0.0035},
    "SK_E2": {"gSK_E2bar": 0.015},
    "CaDynamics_E2": {"decay": 450.0, "gamma": 0.0005},
    "Ih": {"gIhbar": 0.0002},
}

_AXON = {
    "NaTa_t": {"gNaTa_tbar": 3.0},
    "Nap_Et2": {"gNap_Et2bar": 0.007},
    "K_Tst": {"gK_Tstbar": 0.06},
    "K_Pst": {"gK_Pstbar": 0.9},
    "SKv3_1": {"gSKv3_1bar": 1.0},
    "Ca_HVA": {"gCa_HVAbar": 0.001},
    "Ca_LVAst": {"gCa_LVAstbar": 0.009},
    "SK_E2": {"gSK_E2bar": 0.0005},
    "CaDynamics_E2": {"decay": 300.0, "gamma": 0.003},
    "Ih": {"gIhbar": 0.0002},
}

_APICAL = {
    "NaTa_t": {"gNaTa_tbar": 0.014},
    "SKv3_1": {"gSKv3_1bar": 0.0003},
    "Im": {"gImbar": 0.00007},
    "SK_E2": {"gSK_E2bar": 0.003},
    "CaDynamics_E2": {"decay": 120.0, "gamma": 0.0005},
}

_HOT_ZONE = {"begin": 550.0, "end": 950.0}
"""Where around the main bifurcation the dendritic calcium spike starts, um from the apical dendrite's root."""

_CALCIUM = {
    "Ca_LVAst": {"spatial": "uniform_range", "gCa_LVAstbar": 0.012, **_HOT_ZONE, "outsidescale": 0.01},
    "Ca_HVA": {"spatial": "uniform_range", "gCa_HVAbar": 0.002, **_HOT_ZONE, "outsidescale": 0.2},
}

_IH_GRADIENT = {
    "spatial": "exponential",
    "distance": "relative",
    "offset": -0.8696,
    "linScale": 2.087,
    "_lambda": 3.6161,
    "xOffset": 0.0,
}
"""Ih rises exponentially along the apical dendrite (Kole et al. 2006, J Neurosci 26:1677; as in Hay et al. 2011)."""


def membranes() -> dict[str, Any]:
    """Return the structures of the cell parameter file (docs/formats.md, Cell files), in its units."""
    return {
        "Soma": _structure(1.0, _IONS, _pas(3e-5) | _uniform(_SOMA)),
        "Dendrite": _structure(2.0, {}, _pas(3e-5) | _uniform({"Ih": {"gIhbar": 0.0002}})),
        "ApicalDendrite": _structure(
            2.0, _IONS, _pas(4e-5) | _uniform(_APICAL) | _CALCIUM | {"Ih": {"gIhbar": 0.0002, **_IH_GRADIENT}}
        ),
        "AIS": _structure(1.0, _IONS, _pas(3e-5) | _uniform(_AXON)),
        "Myelin": _structure(0.02, {}, _pas(4e-5)),
    }


def _structure(cm: float, ions: dict[str, float], mechanisms: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {"Ra": 100.0, "cm": cm}
    if ions:
        properties["ions"] = dict(ions)
    return {"properties": properties, "mechanisms": {"global": {}, "range": mechanisms}}


def _uniform(densities: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {name: {"spatial": "uniform", **values} for name, values in densities.items()}


def _pas(g: float) -> dict[str, Any]:
    return _uniform({"pas": {"g": g, "e": _LEAK}})
