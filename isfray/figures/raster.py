"""Spikes as ticks: the cell's over trials, or its presynaptic cells' in one trial."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from isfray.analysis import RunTables, Source, run_tables
from isfray.analysis.grouping import Signs, group_columns
from isfray.check import one_of, window
from isfray.errors import InputError
from isfray.figures.histogram import SETTLING, Runs, mark_times
from isfray.figures.models import as_runs
from isfray.look.stimulus import Stimulus
from isfray.look.style import CELLTYPES, SIGNS, PathLike, Sheet, colour_of, sheet


def plot_raster(
    source: Source,
    run: Runs = None,
    *,
    of: Literal["spikes", "cells"] = "spikes",
    site: str = "soma",
    trial: int | None = None,
    by: str = "celltype",
    t_min: float = 0.0,
    t_max: float | None = None,
    stimulus: Stimulus = "network",
    settling: float | None = SETTLING,
    network: Signs | None = None,
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw every spike as a tick.

    Parameters
    ----------
    source, run
        A catalog with the name of a run, or a list of them: each is a block of rows.
    of : str
        "spikes": the cell's own at `site`, one row per trial, silent ones too. "cells": those of the presynaptic cells
        in one `trial`, one row per active cell, in blocks `by` type.
    site : str
        Recorded place.
    trial : int, optional
        Which, for "cells"; the first by default.
    by : str
        Blocks of "cells": "celltype", "column", "synapse_type" or "sign" (see `isfray.analysis`).
    t_min, t_max : float, optional
        Time shown, ms.
    stimulus, settling, theme, ax, path
        As in `plot_psth`.
    network : NetworkModel or mapping, optional
        For `by="sign"`; the run's by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If the run is not there, an argument is out of range, or the file cannot be written.

    Examples
    --------
    >>> ax = isfray.plot_raster(catalog, "stim_C2", of="cells", trial=0, path="inputs.png")
    """
    runs = [run_tables(source, name) for name in as_runs(source, run)]
    one_of("of", of, ("spikes", "cells"), "is nothing to draw")
    if of == "cells" and len(runs) > 1:
        raise InputError("shows one run", key="of", value=of, expected="the name of one run")
    blocks = [_trials(t, site) for t in runs] if of == "spikes" else _cells(runs[0], trial, by, network)
    seen = window(t_min, runs[0].t_stop if t_max is None else t_max)
    on = sheet(ax, theme, height=60 if of == "spikes" else 85)
    _draw(on, blocks)
    on.ax.set(xlabel="Time (ms)", xlim=seen)
    if of == "spikes" and len(runs) == 1:
        on.ax.set_ylabel("Trial")
    elif of == "cells":
        on.ax.set_ylabel(f"Presynaptic cells, trial {runs[0].trials[0] if trial is None else trial}")
    mark_times(on, runs[0], stimulus, settling)
    return on.done(path)


Block = tuple[str, int, np.ndarray, np.ndarray, str]  # label, rows, row of each tick, time of each tick, colour


def _trials(tables: RunTables, site: str) -> Block:
    spikes = tables.of_site("spike_times", site).select("trial", "time").collect(engine="streaming")
    row = np.searchsorted(tables.trials, spikes["trial"].to_numpy())
    return tables.name, tables.n_trials, row, spikes["time"].to_numpy(), ""


def _cells(tables: RunTables, trial: int | None, by: str, network: Signs | None) -> list[Block]:
    number = int(tables.trials[0]) if trial is None else tables.finished("trial", trial)
    group = group_columns(tables, [by], table="cell_activation", network=network)[by]
    rows = tables.scan("cell_activation", number).select("times", group=group)
    frame = rows.sort("group", maintain_order=True).collect()
    colours = SIGNS if by == "sign" else CELLTYPES
    blocks = []
    for (name,), part in frame.group_by("group", maintain_order=True):
        counts = part["times"].list.len().to_numpy()
        label = str(name)
        blocks.append(
            (
                label,
                len(part),
                np.repeat(np.arange(len(part)), counts),
                part["times"].explode().to_numpy(),
                colour_of(label.rpartition("_")[0] if by == "synapse_type" else label, colours),
            )
        )
    return blocks


def _draw(on: Sheet, blocks: list[Block]) -> None:
    total, first = sum(block[1] for block in blocks), 0
    height = on.ax.get_window_extent().height / on.ax.get_figure(root=True).dpi * 72  # type: ignore[union-attr]
    size = float(np.clip(0.9 * height / max(total, 1), 0.6, 8.0))
    crowded = sum(len(block[2]) for block in blocks) > 5000
    ticks, labels = [], []
    for number, (label, rows, row, time, colour) in enumerate(blocks):
        colour = colour or (on.theme.ink if len(blocks) == 1 else on.theme.series[number % len(on.theme.series)])
        (drawn,) = on.ax.plot(time, row + first, "|", color=colour, markersize=size, rasterized=crowded)
        drawn.set_markeredgewidth(0.5 if crowded else 0.9)
        if number:
            on.ax.axhline(first - 0.5, color=on.theme.muted, linewidth=0.4)
        ticks.append(first + (rows - 1) / 2)
        labels.append(label)
        first += rows
    on.ax.set_ylim(total - 0.5, -0.5)
    if len(blocks) > 1 or (blocks and blocks[0][4]):
        shown = _apart(ticks, [b[1] for b in blocks], 0.033 * total)
        on.ax.set_yticks([ticks[i] for i in shown], [labels[i] for i in shown])
        on.ax.tick_params(axis="y", length=0)


def _apart(ticks: list[float], rows: list[int], gap: float) -> list[int]:
    """Return which labels to write so that none covers another: those of the larger blocks first."""
    shown: list[int] = []
    for i in sorted(range(len(ticks)), key=lambda i: -rows[i]):
        if all(abs(ticks[i] - ticks[j]) >= gap for j in shown):
            shown.append(i)
    return sorted(shown)
