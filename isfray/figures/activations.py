"""Releases over soma distance and time as an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from isfray.analysis import Source, run_tables, space_time
from isfray.analysis.grouping import Sign, Signs, group_columns
from isfray.check import one_of
from isfray.figures.histogram import mark_times
from isfray.look.stimulus import Stimulus
from isfray.look.style import (
    CELLTYPES,
    SIGNS,
    PathLike,
    colour_bar,
    colour_of,
    density_map,
    note,
    sheet,
    trials,
)


def plot_activations(
    source: Source,
    run: str | None = None,
    *,
    sign: Sign | None = None,
    celltype: str | None = None,
    bin_size: float = 2.0,
    distance_bin: float = 50.0,
    t_min: float = 0.0,
    t_max: float | None = None,
    stimulus: Stimulus = "network",
    network: Signs | None = None,
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw when and how far from the soma synapses release, per trial.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    sign, celltype : str, optional
        Only excitatory or inhibitory synapses (by receptor); only those of one presynaptic cell type.
    bin_size, distance_bin : float
        ms and um.
    t_min, t_max : float, optional
        Time shown, ms.
    network : NetworkModel or mapping, optional
        For `sign`; the run's by default.
    stimulus, theme, ax, path
        As in `plot_psth`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If the run is not there, an argument is out of range, or the file cannot be written.

    Examples
    --------
    >>> ax = isfray.plot_activations(catalog, "stim_C2", sign="excitatory", path="excitation.svg")
    """
    tables = run_tables(source, run)
    where, what = pl.lit(True), "all synapses"
    on = sheet(ax, theme, height=60)
    colour = on.theme.series[0]
    if sign is not None:
        one_of("sign", sign, SIGNS, "is no sign")
        where &= group_columns(tables, ["sign"], network=network)["sign"] == sign
        colour, what = SIGNS[sign], f"{sign} synapses"
    if celltype is not None:
        known = tables.scan("synapse_activation").select(pl.col("celltype").cast(pl.String).unique().sort()).collect()
        one_of("celltype", celltype, known["celltype"].to_list(), "has no release in this run")
        where &= pl.col("celltype").cast(pl.String) == celltype
        colour, what = colour_of(celltype, CELLTYPES), f"{celltype} synapses"
    bins: dict[str, Any] = {"bin_size": bin_size, "distance_bin": distance_bin, "t_min": t_min, "t_max": t_max}
    rows = space_time(tables, where=where, **bins).collect(engine="streaming")
    times, distances = rows["bin_start"].unique().sort(), rows["distance_start"].unique().sort()
    extent = (times[0], rows["bin_end"].max(), 0.0, rows["distance_end"].max())
    image = rows["per_trial"].to_numpy().reshape(len(distances), len(times)) / bin_size
    drawn = on.ax.imshow(
        image,
        extent=extent,  # type: ignore[arg-type]
        origin="lower",
        aspect="auto",
        cmap=density_map(on.theme, colour),
        vmin=0,
        vmax=float(np.quantile(image, 0.999)) or None,
        interpolation="nearest",
    )
    colour_bar(on.ax, drawn, f"Releases per ms and {distance_bin:g} µm", extend="max")
    on.ax.set(xlabel="Time (ms)", ylabel="Soma distance (µm)")
    mark_times(on, tables, stimulus, None)
    note(on.ax, t_min, f"{what}, mean of {trials(tables.n_trials)}", on.theme, line=1)
    return on.done(path)
