"""The dendrogram: every section as a line along its distance to the soma, with its synapses."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from isfray.analysis.grouping import signs
from isfray.arrays import F64
from isfray.check import number
from isfray.figures.models import CellSource, models
from isfray.look.style import SIGNS, STRUCTURE_NAMES, STRUCTURES, PathLike, Sheet, colour_of, legend, sheet
from isfray.model.cell import CellModel
from isfray.model.geometry import Geometry
from isfray.model.morphology import AIS, AXON, MYELIN
from isfray.model.network import NetworkModel

_AXONAL = (AIS, MYELIN, AXON)


def plot_dendrogram(
    source: CellSource,
    run: str | None = None,
    *,
    synapses: bool = True,
    distance_bin: float = 50.0,
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw the dendrites as a dendrogram, and where excitatory and inhibitory synapses lie on it.

    Parameters
    ----------
    source, run
        A catalog with the name of a run; or a cell model, alone or as (cell, network).
    synapses : bool
        Draw every synapse as a tick, excitatory above its dendrite and inhibitory below; and, in a figure of our own,
        the number of synapses per um of dendrite in bins of soma distance above.
    distance_bin : float
        um.
    theme, ax, path
        As in `plot_psth`.

    Returns
    -------
    matplotlib.axes.Axes
        Of the dendrogram.

    Raises
    ------
    InputError
        If the run is not there, an argument is out of range, or the file cannot be written.

    Examples
    --------
    >>> ax = isfray.plot_dendrogram((cell, network), path="dendrogram.pdf")
    """
    cell, network = models(source, run)
    distance_bin = number("distance_bin", distance_bin, least=0.01, unit="um")
    geometry, shown = cell.geometry, synapses and network is not None
    y = layout(geometry)
    tall = float(np.clip(0.9 * np.nanmax(y), 30, 130))
    on = sheet(ax, theme, height=tall + (40 if shown else 18), rows=(22, tall) if shown and ax is None else (1,))
    _sections(on, geometry, y)
    if shown and network is not None:
        _synapses(on, geometry, network, y)
        if on.own:
            _density(on, on.panels[0], geometry, network, distance_bin)
    on.ax.set(xlabel="Distance from the soma (µm)", yticks=[], xlim=(-0.01 * _reach(geometry), 1.01 * _reach(geometry)))
    on.ax.set_ylim(np.nanmin(y) - 1.5, np.nanmax(y) + 1.5)
    _mark_bifurcation(on, geometry, y)
    _explain(on, cell)
    axes = on.done(path=None)
    if on.own:
        on.ax.spines["left"].set_visible(False)
    return Sheet(axes, on.theme, False).done(path)


def layout(geometry: Geometry) -> F64:
    """Return the height of every section so that no two lines cross: ends of branches one apart; NaN for the axon."""
    morphology = geometry.morphology
    y = np.full(len(morphology), np.nan)
    free = 0

    def place(section: int) -> None:
        nonlocal free
        children = _dendrites(geometry, section)
        for child in children:
            place(child)
        if children:
            y[section] = (y[children[0]] + y[children[-1]]) / 2
        else:
            y[section], free = free, free + 1

    place(0)
    return y


def _dendrites(geometry: Geometry, section: int) -> list[int]:
    """Children that are not axon; at the soma, apical dendrites after the others."""
    labels = geometry.morphology.labels
    children = [c for c in geometry.morphology.children[section] if labels[c] not in _AXONAL]
    return sorted(children, key=lambda c: (labels[c] == "ApicalDendrite", c)) if section == 0 else children


def _sections(on: Sheet, geometry: Geometry, y: F64) -> None:
    morphology, start = geometry.morphology, geometry.surface_start
    lines, colours, widths = [], [], []
    for i in np.flatnonzero(~np.isnan(y)):
        if i == 0:
            continue
        parent, colour = morphology.parent[i], colour_of(morphology.labels[i], STRUCTURES, on.theme)
        lines += [[(start[i], y[i]), (start[i] + geometry.L[i], y[i])], [(start[i], y[parent]), (start[i], y[i])]]
        colours += [colour, colour]
        widths += [0.8, 0.4]
    on.ax.add_collection(LineCollection(lines, colors=colours, linewidths=widths, zorder=3))
    on.ax.plot([0], [y[0]], "o", color=on.theme.ink, markersize=4, zorder=4)


def _synapses(on: Sheet, geometry: Geometry, network: NetworkModel, y: F64) -> None:
    distance, excites = synapse_places(geometry, network)
    height = y[network.synapses.section_id]
    for sign, side in (("excitatory", 0.48), ("inhibitory", -0.48)):
        these = (excites == (sign == "excitatory")) & ~np.isnan(height)
        x, base = distance[these], height[these]
        ticks = np.stack([np.column_stack([x, base]), np.column_stack([x, base + side])], axis=1)
        drawn = LineCollection(ticks, colors=SIGNS[sign], linewidths=0.35, zorder=2)  # type: ignore[arg-type]
        drawn.set_rasterized(len(x) > 2000)
        on.ax.add_collection(drawn)


def synapse_places(geometry: Geometry, network: NetworkModel) -> tuple[F64, np.ndarray]:
    """Return soma distance (um) of every synapse, and whether it excites."""
    s, sign = network.synapses, signs(network)
    by_population = np.array([sign[name] == "excitatory" for name in network.names])
    distance = np.where(s.section_id == 0, 0.0, geometry.surface_start[s.section_id] + s.x * geometry.L[s.section_id])
    return distance, by_population[s.population]


def _density(on: Sheet, panel: Axes, geometry: Geometry, network: NetworkModel, width: float) -> None:
    distance, excites = synapse_places(geometry, network)
    dendritic = np.array([label not in (*_AXONAL, "Soma") for label in geometry.morphology.labels])
    on_dendrite = dendritic[network.synapses.section_id]
    edges = np.arange(0, _reach(geometry) + width, width)
    length = length_by_distance(geometry, edges)
    for sign, these in (("excitatory", excites), ("inhibitory", ~excites)):
        count = np.histogram(distance[these & on_dendrite], edges)[0]
        per_um = np.divide(count, length, out=np.zeros(len(length)), where=length > 0)
        panel.stairs(per_um, edges, color=SIGNS[sign], linewidth=1.0, label=f"{sign} ({int(these.sum()):,})")
    panel.set_ylabel("Synapses\nper µm")
    panel.set_ylim(bottom=0)
    panel.tick_params(labelbottom=False)
    legend(panel, on.theme, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def length_by_distance(geometry: Geometry, edges: F64) -> F64:
    """Return the length of dendrite (um) in bins of distance from the soma, shape (bins,)."""
    out = np.zeros(len(edges) - 1)
    for i, label in enumerate(geometry.morphology.labels):
        if i and label not in _AXONAL:
            begin, end = geometry.surface_start[i], geometry.surface_start[i] + geometry.L[i]
            out += np.clip(np.minimum(end, edges[1:]) - np.maximum(begin, edges[:-1]), 0, None)
    return out


def _reach(geometry: Geometry) -> float:
    dendrites = [i for i, label in enumerate(geometry.morphology.labels) if label not in _AXONAL]
    return float((geometry.surface_start[dendrites] + geometry.L[dendrites]).max())


def _mark_bifurcation(on: Sheet, geometry: Geometry, y: F64) -> None:
    section = geometry.main_bifurcation
    if section is not None:
        x = geometry.surface_start[section] + geometry.L[section]
        on.ax.plot([x], [y[section]], "D", color=on.theme.ink, markersize=3, zorder=5)
        on.ax.annotate(
            "main bifurcation",
            (x, y[section]),
            xytext=(-4, 5),
            textcoords="offset points",
            ha="right",
            fontsize=6.5,
            color=on.theme.ink,
            zorder=5,
        )


def _explain(on: Sheet, cell: CellModel) -> None:
    handles = [
        Line2D([], [], color=STRUCTURES[label], label=STRUCTURE_NAMES[label])
        for label in ("Dendrite", "ApicalDendrite")
        if label in cell.morphology.labels
    ]
    legend(on.ax, on.theme, handles=handles, loc="lower right")
