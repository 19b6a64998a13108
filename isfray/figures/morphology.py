"""The neuron's shape, upright and to scale."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from isfray.analysis import run_tables, signs
from isfray.arrays import F64
from isfray.catalog import Catalog
from isfray.errors import InputError
from isfray.figures.models import CellSource, models
from isfray.look.style import SIGNS, STRUCTURE_NAMES, STRUCTURES, PathLike, Sheet, colour_of, legend, sheet
from isfray.look.upright import own_points, point_at, upright
from isfray.model.cell import CellModel
from isfray.model.morphology import MYELIN


def plot_morphology(
    source: CellSource,
    run: str | None = None,
    *,
    trial: int | None = None,
    axon: bool = False,
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw the cell from the side, its trunk upright, dendrites as thick as they are.

    Parameters
    ----------
    source, run
        A catalog with the name of a run; or a cell model, alone or as (cell, network).
    trial : int, optional
        Mark the synapses that released in this trial, by whether they excite or inhibit; needs a catalog.
    axon : bool
        Draw the artificial axon's myelin too (1 mm).
    theme, ax, path
        As in `plot_psth`.

    Returns
    -------
    matplotlib.axes.Axes
        Coordinates in um from the soma's centre.

    Raises
    ------
    InputError
        If the run is not there, an argument is out of range, or the file cannot be written.

    Examples
    --------
    >>> ax = isfray.plot_morphology(cell, path="cell.png")
    """
    cell, network = models(source, run)
    points = upright(cell.geometry)
    drawn = [i for i, label in enumerate(cell.morphology.labels) if axon or label != MYELIN]
    outer = np.concatenate([points[i] for i in drawn])
    low, high = outer.min(axis=0) - 20, outer.max(axis=0) + 20
    low[1] -= 0.04 * (high[1] - low[1])  # room for the scale bar
    tall = (high[1] - low[1]) / (high[0] - low[0])
    width = float(np.clip(110 / tall, 45, 85))
    on = sheet(ax, theme, width=width, height=float(np.clip(width * tall, 40, 200)))
    on.ax.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    on.ax.axis("off")
    handles = [
        Line2D([], [], color=colour_of(label, STRUCTURES, on.theme), label=STRUCTURE_NAMES.get(label, label))
        for label in dict.fromkeys(cell.morphology.labels[i] for i in drawn)
        if label != "Soma" and trial is None
    ]
    if trial is not None:
        if not isinstance(source, Catalog) or network is None:
            raise InputError("needs a run with a network", key="trial", value=trial, expected="a catalog and a run")
        trial = run_tables(source, run).finished("trial", trial)
        handles += _active(on, source, run, trial, own_points(cell.geometry, points), signs(network))
    for site in cell.sites if trial is None else ():
        x, y = point_at(cell.geometry, points, site.section, site.x)
        on.ax.plot([x], [y], "v", color=on.theme.ink, markersize=4, zorder=6)
    if cell.sites and trial is None:
        handles.append(Line2D([], [], color=on.theme.ink, marker="v", markersize=4, ls="none", label="recording site"))
    legend(on.ax, on.theme, handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0))
    _scale_bar(on, low, high)
    _branches(on, cell, points, drawn, plain=trial is not None)
    return on.done(path)


def _branches(on: Sheet, cell: CellModel, points: list[F64], drawn: list[int], plain: bool) -> None:
    figure = on.ax.get_figure(root=True)
    assert figure is not None
    if on.own:
        figure.draw_without_rendering()  # lays it out, so that widths can be to scale
    per_um = on.ax.get_window_extent().height / figure.dpi * 72 / float(np.ptp(on.ax.get_ylim()))
    lines, widths, colours = [], [], []
    for i in drawn:
        if i == 0:
            continue
        diameter = cell.morphology.sections[i].points[:, 3]
        diameter = np.concatenate([np.full(len(points[i]) - len(diameter), diameter[0]), diameter])
        lines.append(np.stack([points[i][:-1], points[i][1:]], axis=1))
        widths.append(np.maximum((diameter[:-1] + diameter[1:]) / 2 * per_um, 0.35))
        colour = on.theme.muted if plain else colour_of(cell.morphology.labels[i], STRUCTURES, on.theme)
        colours += [colour] * (len(points[i]) - 1)
    pieces = LineCollection(
        np.concatenate(lines),  # type: ignore[arg-type]
        linewidths=np.concatenate(widths),
        colors=colours,
        capstyle="round",
        zorder=3,
    )
    on.ax.add_collection(pieces)
    soma = np.stack([points[0][:-1], points[0][1:]], axis=1)
    across = np.maximum(cell.morphology.sections[0].points[:-1, 3] * per_um, 1.0)
    body = LineCollection(soma, linewidths=across, colors=on.theme.ink, zorder=4)  # type: ignore[arg-type]
    on.ax.add_collection(body)


def _active(
    on: Sheet, catalog: Catalog, run: str | None, trial: int, points: list[F64], sign: dict[str, str]
) -> list[Line2D]:
    rows = run_tables(catalog, run).scan("synapse_activation", trial)
    kind = pl.col("synapse_type").cast(pl.String).replace_strict(sign, return_dtype=pl.String)
    found = rows.select("section_id", "section_pt_id", sign=kind).collect()
    if found.is_empty():
        raise InputError("has no release", key="trial", value=trial)
    # in any order, so that neither kind hides the other
    mixed = found.sample(fraction=1.0, shuffle=True, seed=0)
    xy = np.array([points[section][point] for section, point in mixed.select("section_id", "section_pt_id").rows()])
    on.ax.scatter(
        xy[:, 0], xy[:, 1], s=1.7, c=[SIGNS[name] for name in mixed["sign"]], linewidths=0, zorder=5, rasterized=True
    )
    handles = []
    for name in ("excitatory", "inhibitory"):
        label = f"{name} ({(found['sign'] == name).sum():,} active)"
        handles.append(Line2D([], [], color=SIGNS[name], marker="o", markersize=3, linestyle="none", label=label))
    return handles


def _scale_bar(on: Sheet, low: F64, high: F64) -> None:
    length = 100.0 if high[1] - low[1] > 300 else 20.0
    x, y = high[0] - length - 10, low[1] + 0.01 * (high[1] - low[1])
    on.ax.plot([x, x + length], [y, y], color=on.theme.ink, linewidth=1.5, solid_capstyle="butt")
    text = f"{length:g} µm"
    on.ax.annotate(
        text,
        (x + length / 2, y),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=7,
        color=on.theme.ink,
    )
