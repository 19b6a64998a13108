"""What a trial records: the soma, the recording sites, named places, or every segment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isfray.model.cell import CellModel, segment_label, soma_site
from isfray.model.entry import nearest
from isfray.model.errors import InputError
from isfray.model.landmarks import RecordingSite

SOMA_THRESHOLD, DENDRITE_THRESHOLD = 0.0, -30.0
"""Voltages (mV) whose upward crossing is a spike, at the soma and elsewhere (FORMATS 14)."""

_PLACE = re.compile(r"(\d+)\(([\d.eE+-]+)\)")


def recorded_sites(cell: CellModel, record: str | Sequence[str]) -> tuple[RecordingSite, ...]:
    """Return the places to record.

    Parameters
    ----------
    cell : CellModel
    record : str or list of str
        "sites": the soma and the cell's recording sites. "all": those and every segment, as `sec_038_seg_032`.
        Names: "soma", a site's label, a segment's name, or `38(0.93)` for section 38 at x = 0.93.
    """
    default = (soma_site(), *cell.sites)
    if record == "sites":
        return default
    if record == "all":
        return (*default, *_every_segment(cell))
    names = [record] if isinstance(record, str) else list(record)
    if not names:
        raise InputError("is empty", key="record", expected='"sites", "all" or names of places')
    known = {site.label: site for site in (*default, *_every_segment(cell))}
    return tuple(known[name] if name in known else _place(name, cell, known) for name in dict.fromkeys(names))


def _every_segment(cell: CellModel) -> list[RecordingSite]:
    g = cell.geometry
    within = np.arange(g.n_segments) - g.offsets[g.section_of_segment]
    columns = (g.section_of_segment.tolist(), within.tolist(), g.segment_x.tolist(), g.segment_distance.tolist())
    return [RecordingSite(segment_label(s, i), s, i, x, d) for s, i, x, d in zip(*columns, strict=True)]


def _place(name: str, cell: CellModel, known: dict[str, RecordingSite]) -> RecordingSite:
    match = _PLACE.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise InputError("is no place of the cell", key="record", value=name, expected=nearest(str(name), known))
    section, x, g = int(match[1]), float(match[2]), cell.geometry
    if section >= len(cell.morphology) or not 0 <= x <= 1:
        expected = f"a section below {len(cell.morphology)} and x from 0 to 1"
        raise InputError("is no place of the cell", key="record", value=name, expected=expected)
    segment = g.segment_index(section, x)
    flat = g.offsets[section] + segment
    return RecordingSite(name, section, segment, float(g.segment_x[flat]), float(g.segment_distance[flat]))


def detect_spikes(time: NDArray[Any], voltage: NDArray[Any], threshold: float) -> NDArray[np.float64]:
    """Return the times of samples at or above threshold (mV) whose predecessor is below (FORMATS 14)."""
    above = voltage >= threshold
    out: NDArray[np.float64] = time[1:][above[1:] & ~above[:-1]]
    return out
