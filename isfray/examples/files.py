"""The example as files of the In Silico Framework's formats, rendered to bytes; each says that it is synthetic."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from isfray.arrays import F64, I32
from isfray.model.inputs import InputFile
from isfray.model.morphology import Morphology

SYNTHETIC = "Synthetic: made by isfray's built-in example, not reconstructed or measured from any animal."

_NUMBERS = re.compile(r"\[([\d\s.,]+)\]")
"""A list of numbers, which stands on one line."""


def hoc(name: str, morphology: Morphology) -> InputFile:
    """Render a morphology (docs/formats.md, Morphologies)."""
    lines = [f"/* {SYNTHETIC} */"]
    for i, section in enumerate(morphology):
        lines += ["", f"{{create {section.name}}}", f"{{access {section.name}}}"]
        if i > 0:
            parent = morphology.sections[section.parent].name
            lines.append(f"{{connect {section.name}(0), {parent}({section.parent_x:g})}}")
        lines.append("{pt3dclear()}")
        lines += ["{{pt3dadd({:.3f},{:.3f},{:.3f},{:.3f})}}".format(*point) for point in section.points]
    return _file(name, lines)


def landmarks(name: str, points: F64) -> InputFile:
    """Render landmarks, points of shape (n, 3) in um (docs/formats.md, Landmarks)."""
    head = ["# AmiraMesh 3D ASCII 2.0", f"# {SYNTHETIC}", "", f"define Markers {len(points)}", ""]
    head += ['Parameters { ContentType "LandmarkSet" }', "", "Markers { float[3] Coordinates } @1", "", "@1"]
    return _file(name, [*head, *("{:.3f} {:.3f} {:.3f}".format(*point) for point in points)])


def param(name: str, title: str, content: dict[str, Any]) -> InputFile:
    """Render a parameter file as JSON, under an `info` that says what it is (docs/formats.md, Parameter files)."""
    info = {"name": title, "author": "isfray", "note": SYNTHETIC}
    text = json.dumps({"info": info, **content}, indent=2)
    return _file(name, [_NUMBERS.sub(lambda found: f"[{', '.join(found[1].split())}]".replace(",,", ","), text)])


def synapses(name: str, cell: str, locations: Sequence[tuple[str, F64]]) -> InputFile:
    """Render synapses, one array of (section id, x) a population (docs/formats.md, Synapses and connections)."""
    head = ["# Synapse distribution file", f"# corresponding to cell: {cell}", f"# {SYNTHETIC}"]
    rows = [f"{p}\t{section:.0f}\t{x:.6f}" for p, where in locations for section, x in where.tolist()]
    return _file(name, [*head, "# Type - section - section.x", "", *rows])


def connections(name: str, syn: str, wiring: Sequence[tuple[str, I32]]) -> InputFile:
    """Render connections, one array of (cell id, synapse id) a population.

    (docs/formats.md, Synapses and connections)
    """
    head = ["# Anatomical connectivity realization file; only valid with synapse realization:", f"# {syn}"]
    rows = [f"{p}\t{cell}\t{synapse}" for p, pairs in wiring for cell, synapse in pairs.tolist()]
    return _file(name, [*head, f"# {SYNTHETIC}", "# Type - cell ID - synapse ID", "", *rows])


def _file(name: str, lines: list[str]) -> InputFile:
    return InputFile(name, ("\n".join(lines) + "\n").encode())
