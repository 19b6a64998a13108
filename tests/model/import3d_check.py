"""Length and area of a morphology per structure: as NEURON imports the `.swc` itself, and from isfray's sections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Sizes = dict[str, tuple[int, float, float]]


def both(path: str) -> tuple[Sizes, Sizes]:
    """(sections, length, area) by structure, from NEURON's Import3d and from isfray; run in a child process."""
    from neuron import h

    from isfray.model.inputs import read_file
    from isfray.model.swc import read_swc

    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read()
    reader.quiet = 1
    reader.input(path)
    h.Import3d_GUI(reader, False).instantiate(None)
    theirs = _sizes(h.allsec())
    for section in list(h.allsec()):
        h.delete_section(sec=section)
    kept = []
    for part in read_swc(read_file(Path(path))):
        section = h.Section(name=part.name)
        for point in part.points:
            section.pt3dadd(*point)
        kept.append(section)
    return theirs, _sizes(kept)


def _sizes(sections: Any) -> Sizes:
    out: Sizes = {}
    for section in sections:
        section.nseg = 1
        name = section.name().split("[")[0].split("_")[0]
        n, length, area = out.get(name, (0, 0.0, 0.0))
        out[name] = (n + 1, length + section.L, area + sum(segment.area() for segment in section))
    return out
