"""isfray: what does a detailed neuron in its network do, over thousands of trials, and why.

The names below are the public Python interface. Each is imported when first used, so that `import isfray` is quick and
starts neither NEURON nor Ray.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isfray import analysis, edits
    from isfray.activity import draw_trial, trial_seed
    from isfray.catalog import Catalog
    from isfray.edits.from_measurements import build_network
    from isfray.engine import Simulator, TrialResult
    from isfray.errors import InputError
    from isfray.examples import example, write_example
    from isfray.figures import (
        plot_activations,
        plot_currents,
        plot_dendrogram,
        plot_morphology,
        plot_psth,
        plot_raster,
        plot_voltage,
    )
    from isfray.films import animate_2d, animate_3d, explore_3d, plot_cell
    from isfray.formats.isf import load_cell, load_network
    from isfray.model import CellModel, CurrentClamp, NetworkModel, UnsoundTrialError
    from isfray.runs import ReplayError, RunError, RunHandle, SweepHandle, TrialError, simulate

__version__ = "0.1.0"

__all__ = [
    "Catalog",
    "CellModel",
    "CurrentClamp",
    "InputError",
    "NetworkModel",
    "ReplayError",
    "RunError",
    "RunHandle",
    "Simulator",
    "SweepHandle",
    "TrialError",
    "TrialResult",
    "UnsoundTrialError",
    "analysis",
    "animate_2d",
    "animate_3d",
    "build_network",
    "draw_trial",
    "edits",
    "example",
    "explore_3d",
    "load_cell",
    "load_network",
    "plot_activations",
    "plot_cell",
    "plot_currents",
    "plot_dendrogram",
    "plot_morphology",
    "plot_psth",
    "plot_raster",
    "plot_voltage",
    "simulate",
    "trial_seed",
    "write_example",
]

_ROOMS = {
    "activity": ("draw_trial", "trial_seed"),
    "catalog": ("Catalog",),
    "edits.from_measurements": ("build_network",),
    "engine": ("Simulator", "TrialResult"),
    "errors": ("InputError",),
    "examples": ("example", "write_example"),
    "figures": (
        "plot_activations",
        "plot_currents",
        "plot_dendrogram",
        "plot_morphology",
        "plot_psth",
        "plot_raster",
        "plot_voltage",
    ),
    "films": ("animate_2d", "animate_3d", "explore_3d", "plot_cell"),
    "formats.isf": ("load_cell", "load_network"),
    "model": ("CellModel", "CurrentClamp", "NetworkModel", "UnsoundTrialError"),
    "runs": ("ReplayError", "RunError", "RunHandle", "SweepHandle", "TrialError", "simulate"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in ("analysis", "edits"):
        return import_module(f"isfray.{name}")
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'isfray' has no attribute {name!r}")
    value = getattr(import_module(f"isfray.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
