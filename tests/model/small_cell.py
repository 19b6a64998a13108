"""A small made-up cell, written as ISF files by the tests that need one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

SECTIONS = {
    "soma": ("", [(0, 0, 0, 10), (0, 5, 0, 14), (0, 10, 0, 10)]),
    "dend_1": ("soma(0.3)", [(0, 5, 0, 2), (40, 5, 0, 2), (80, 5, 5, 1.5)]),
    "dend_1_0": ("dend_1(1.0)", [(80, 5, 5, 1.5), (160, 20, 5, 1)]),
    "dend_1_1": ("dend_1(1.0)", [(80, 5, 5, 1.5), (160, -20, 5, 1)]),
    "apical_1": ("soma(1.0)", [(0, 10, 0, 4), (0, 10, 300, 3), (0, 10, 600, 2.5)]),
    "apical_1_0": ("apical_1(1.0)", [(0, 10, 600, 2.5), (50, 10, 900, 1.5), (80, 10, 1150, 1)]),
    "apical_1_1": ("apical_1(1.0)", [(0, 10, 600, 2.5), (-50, 10, 900, 1.5), (-80, 10, 1160, 1)]),
    "apical_1_2": ("apical_1(0.5)", [(0, 10, 300, 1.5), (0, 100, 350, 1)]),
}

PASSIVE = {"spatial": "uniform", "g": 1e-4, "e": -70.0}

PARAM: dict[str, Any] = {
    "info": {"name": "small"},
    "NMODL_mechanisms": {"channels": "/"},
    "neuron": {
        "filename": "small.hoc",
        "Soma": {
            "properties": {"Ra": 100.0, "cm": 1.0, "ions": {"ek": -85.0, "ena": 50.0}},
            "mechanisms": {
                "global": {},
                "range": {
                    "pas": PASSIVE,
                    "NaTa_t": {"spatial": "uniform", "gNaTa_tbar": 2.0},
                    "SKv3_1": {"spatial": "uniform", "gSKv3_1bar": 0.6},
                },
            },
        },
        "Dendrite": {"properties": {"Ra": 100.0, "cm": 1.0}, "mechanisms": {"range": {"pas": PASSIVE}}},
        "ApicalDendrite": {"properties": {"Ra": 100.0, "cm": 1.0}, "mechanisms": {"range": {"pas": PASSIVE}}},
    },
    "sim": {
        "Vinit": -70.0,
        "tStart": 0.0,
        "tStop": 100.0,
        "dt": 0.025,
        "T": 34.0,
        "recordingSites": ["sites.landmarkAscii"],
    },
}


def hoc(sections: dict[str, tuple[str, list[tuple[float, ...]]]] = SECTIONS) -> str:
    lines = []
    for name, (parent, points) in sections.items():
        lines.append(f"{{create {name}}}")
        if parent:
            lines.append(f"{{connect {name}(0), {parent}}}")
        lines += [f"{{access {name}}}", "{pt3dclear()}"]
        lines += ["{pt3dadd(" + ",".join(f"{v:f}" for v in point) + ")}" for point in points]
    return "\n".join(lines) + "\n"


def write(folder: Path, edit: Any = None, morphology: str | None = None) -> Path:
    """Write the cell's files into a folder, its parameters edited in place by `edit`; return the `.param`."""
    param = copy.deepcopy(PARAM)
    if edit is not None:
        edit(param)
    (folder / "small.hoc").write_text(hoc() if morphology is None else morphology)
    (folder / "sites.landmarkAscii").write_text("# AmiraMesh\nMarkers { float[3] Coordinates } @1\n\n@1\n1 11 590\n")
    path = folder / "small.param"
    path.write_text(json.dumps(param, indent=1))
    return path
