"""The cell in space on one HTML page: turn it, move through time, ask any section for its trace."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isfray.errors import InputError
from isfray.films.capsules import Capsules, capsules
from isfray.films.pages import asset
from isfray.films.scene3d import THICKNESS
from isfray.look.colours import colour_map
from isfray.look.interactive import document
from isfray.look.page import page_path, write_page
from isfray.look.segments import SegmentTraces
from isfray.look.style import CELLTYPES, STRUCTURE_NAMES, THEMES, PathLike, colour_of, ordered
from isfray.look.upright import own_points, upright_3d
from isfray.model.cell import CellModel
from isfray.model.morphology import MYELIN

LONGEST_FLASH = 10.0
"""Releases this long before the first frame can still be seen in it, ms."""
PIECE = 3.0
"""Length of the straight pieces that dendrites are drawn in, um."""
_MISSING = 2**16 - 1
_SIZE = (1000, 800)
_HINT = "Drag to turn, shift and drag to move, wheel or pinch to zoom; click a section for its trace."
_STYLES = ("base.css", "explore.css")
_SCRIPTS = ("transport.js", "view.js", "scene.js", "trace.js", "explore.js")


def explore(
    cell: CellModel,
    traces: SegmentTraces,
    releases: pl.DataFrame | None,
    *,
    title: str,
    path: PathLike,
    stimulus: float | None = None,
    limits: tuple[float, float] | None = None,
    fps: float = 20.0,
) -> Path:
    """Write a page that shows a trial in space and needs no other file: it can be turned, played and asked.

    Parameters
    ----------
    cell : CellModel
    traces : SegmentTraces
        The variable that colours the cell.
    releases : polars.DataFrame, optional
        The trial's rows of `synapse_activation`; synapses flash from their release on.
    title : str
    path : path
        `.html` file to write.
    stimulus : float, optional
        Marked in the trace, ms.
    limits : tuple of float, optional
        Values of the first and last colour; by default the least and greatest of the traces. The page can change them.
    fps : float
        Frames a second at normal speed.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the traces are not this cell's, or the file cannot be written.

    Notes
    -----
    Values are stored in steps of 1/65534 of their span, places in steps of 1/32767 of the cell's extent.
    """
    out = page_path(path)
    codes, low, high = _quantised(cell, traces)
    name = "Membrane potential" if traces.variable == "v" else traces.variable
    data = {
        "title": title,
        "label": f"{name} ({traces.unit})",
        "unit": f"{'V' if traces.variable == 'v' else traces.variable} ({traces.unit})",
        "times": [round(t, 6) for t in traces.times.tolist()],
        "fps": fps,
        "stimulus": stimulus,
        "low": low,
        "high": high,
        "limits": [low, high] if limits is None else list(limits),
        "thickness": THICKNESS,
        "missing": _MISSING,
        "values": _packed(codes),
        "maps": {theme: _packed(colour_map(None, look).astype(np.uint8)) for theme, look in THEMES.items()},
        **_shape(capsules(cell, axon=True).pieces(PIECE), cell),
        **_places(cell),
        **_releases(cell, releases, float(traces.times[0]), float(traces.times[-1])),
    }
    span = f"{traces.times[0]:g} to {traces.times[-1]:g} ms, {len(traces.times):,} frames"
    about = f"{cell.name}: {len(cell.morphology):,} sections, {cell.geometry.n_segments:,} segments; {span}"
    lines = f'<span>{escape(about)}</span> <span class="hint">{_HINT}</span>'
    head = f'<header><h1>{escape(title)}</h1><p class="muted">{lines}</p></header>'
    body = "\n".join([head, asset("explore.html"), asset("transport.html")])
    files = {"styles": [asset(name) for name in _STYLES], "scripts": [asset(name) for name in _SCRIPTS]}
    return write_page(out, document(title, body, data, size=_SIZE, **files))


def _packed(values: NDArray[Any]) -> str:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(np.ascontiguousarray(little).tobytes()).decode()


def _quantised(cell: CellModel, traces: SegmentTraces) -> tuple[NDArray[np.uint16], float, float]:
    """Values as whole numbers from `low` (0) to `high`, and those limits."""
    wanted = (len(traces.times), cell.geometry.n_segments)
    if traces.values.shape != wanted or not wanted[0]:
        expected = f"{wanted[1]} segments of {cell.name} in {max(wanted[0], 1)} frames"
        raise InputError("does not fit the cell", key="traces", value=traces.values.shape, expected=expected)
    values, there = traces.values, np.isfinite(traces.values)
    if not there.any():
        raise InputError("has no value in any segment", key="traces", value=traces.variable)
    low, high = float(values[there].min()), float(values[there].max())
    steps = (_MISSING - 1) / (high - low) if high > low else 0.0
    codes = np.full(values.shape, _MISSING, np.uint16)
    codes[there] = np.round((values[there].astype(np.float64) - low) * steps)
    return codes, low, high


def _shape(shape: Capsules, cell: CellModel) -> dict[str, Any]:
    """The pieces, and the box (um) that shows all but the myelin when the cell stands upright."""
    reach = float(np.abs(shape.ends).max()) or 1.0
    step = reach / (2**15 - 1)
    myelin = np.array([label == MYELIN for label in cell.morphology.labels])[shape.section]
    wide = np.where(shape.section == 0, 1.0, THICKNESS)[:, None, None] * shape.radius[..., None]
    ends = shape.ends[..., [0, 2]]
    low, high = (ends - wide)[~myelin].min(axis=(0, 1)), (ends + wide)[~myelin].max(axis=(0, 1))
    return {
        "ends": _packed(np.round(shape.ends / step).astype(np.int16)),
        "step": step,
        "reach": 4 * reach,
        "radius": _packed(shape.radius.astype(np.float32)),
        "segment": _packed(shape.segment.astype(np.uint16)),
        "box": [*low.tolist(), *high.tolist()],
    }


def _places(cell: CellModel) -> dict[str, Any]:
    """What the page tells about sections and segments."""
    g, labels = cell.geometry, cell.morphology.labels
    kinds = list(dict.fromkeys(labels))
    section, x = g.section_of_segment, g.segment_x
    distance = np.where(section == 0, 0.0, g.surface_start[section] + x * g.L[section])
    diameter = [
        float(np.interp(at, g.relpts[i], cell.morphology.sections[i].points[:, 3]) * cell.diameter_scale[i])
        for i, at in zip(section.tolist(), x.tolist(), strict=True)
    ]
    sections = [
        {
            "name": s.name,
            "label": STRUCTURE_NAMES.get(s.label, s.label),
            "structure": kinds.index(s.label),
            "first": int(g.offsets[i]),
            "widened": round(float(cell.diameter_scale[i]), 3),
        }
        for i, s in enumerate(cell.morphology)
    ]
    return {
        "sections": sections,
        "structures": [{"label": STRUCTURE_NAMES.get(kind, kind), "shown": kind != MYELIN} for kind in kinds],
        "distance": np.round(distance, 1).tolist(),
        "diameter": [round(d, 2) for d in diameter],
    }


def _releases(cell: CellModel, releases: pl.DataFrame | None, begin: float, end: float) -> dict[str, Any]:
    """Every release that can be seen, by time, and the populations."""
    names: list[str] = []
    rows = pl.DataFrame({"section_id": [], "section_pt_id": [], "time": [], "celltype": []})
    if releases is not None:
        rows = (
            releases.select("section_id", "section_pt_id", pl.col("celltype").cast(pl.String), time="times")
            .explode("time")
            .filter(pl.col("time").is_between(begin - LONGEST_FLASH, end))
            .sort("time", maintain_order=True)
        )
        names = ordered(set(rows["celltype"]), CELLTYPES)
    points = own_points(cell.geometry, upright_3d(cell.geometry))
    place = [
        (*points[i][k], cell.morphology.sections[i].points[k, 3] / 2 * cell.diameter_scale[i])
        for i, k in rows.select("section_id", "section_pt_id").rows()
    ]
    counts = dict(rows.filter(pl.col("time") >= begin).group_by("celltype").len().rows()) if names else {}
    return {
        "populations": [
            {"name": name, "colour": colour_of(name, CELLTYPES), "releases": counts.get(name, 0)} for name in names
        ],
        "releases": {
            "time": _packed(rows["time"].to_numpy().astype(np.float32)),
            "population": _packed(np.array([names.index(name) for name in rows["celltype"]], np.uint8)),
            "place": _packed(np.array(place, np.float32).reshape(-1, 4)),
        },
    }
