"""The peristimulus time histogram of one or several runs."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes

from isfray import check
from isfray.analysis import RunTables, Source, psth, run_tables
from isfray.analysis.confidence import normal_quantile
from isfray.figures.models import as_runs
from isfray.look.stimulus import Stimulus, shown_time
from isfray.look.style import PathLike, Sheet, legend, note, sheet, trials

Runs: TypeAlias = str | list[str] | tuple[str, ...] | None

SETTLING = 100.0
"""Time (ms) in which a simulation leaves its initial state; spikes in it are no response.

(docs/formats.md, Integration)
"""


def plot_psth(
    source: Source,
    run: Runs = None,
    *,
    site: str = "soma",
    bin_size: float = 5.0,
    t_min: float | None = None,
    t_max: float | None = None,
    stimulus: Stimulus = "network",
    settling: float | None = SETTLING,
    confidence: float | None = 0.95,
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw the peristimulus time histogram of one run, or of several over each other.

    Parameters
    ----------
    source, run
        A catalog with the name of a run or a list of them; see `isfray.analysis.run_tables` for what else.
    site, bin_size, t_min, t_max
        As in `isfray.analysis.psth`.
    stimulus : float, "network" or None
        Where to draw the line of the stimulus, ms; "network": where the network's evoked activity is aligned to.
    settling : float or None
        Shade the time up to here, in which the cell settles, ms.
    confidence : float or None
        Of the band around the rate (normal, over trials); None for no band.
    theme : str
        "light" or "dark".
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure of half a page's width.
    path : path, optional
        Save as PNG, SVG, PDF or JPEG.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If the run is not there, an argument is out of range, or the file cannot be written.

    Examples
    --------
    >>> ax = isfray.plot_psth(catalog, "stim_C2", path="psth.png")
    """
    runs = [run_tables(source, name) for name in as_runs(source, run)]
    on = sheet(ax, theme, height=55)
    for number, tables in enumerate(runs):
        rows = psth(tables, site=site, bin_size=bin_size, t_min=t_min, t_max=t_max).collect(engine="streaming")
        edges = np.append(rows["bin_start"].to_numpy(), rows["bin_end"][-1])
        rate, colour = rows["rate"].to_numpy(), on.theme.series[number % len(on.theme.series)]
        label = f"{tables.name or site}, {trials(tables.n_trials)}"
        on.ax.stairs(rate, edges, color=colour, linewidth=1.0, label=label, zorder=3)
        if len(runs) == 1:
            on.ax.stairs(rate, edges, color=colour, fill=True, alpha=0.25, linewidth=0, zorder=1)
        if confidence is not None and rows["sem"].null_count() == 0:
            half = normal_quantile(confidence) * rows["sem"].to_numpy()
            low, high = np.maximum(rate - half, 0.0), rate + half
            on.ax.stairs(high, edges, baseline=low, color=colour, fill=True, alpha=0.22, linewidth=0, zorder=2)
    on.ax.set(xlabel="Time (ms)", ylabel="Spike rate (Hz)", xlim=(edges[0], edges[-1]))
    on.ax.set_ylim(bottom=0)
    mark_times(on, runs[0], stimulus, settling)
    legend(on.ax, on.theme, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=1.2)
    return on.done(path)


def mark_times(on: Sheet, tables: RunTables, stimulus: Stimulus, settling: float | None) -> None:
    """Draw the stimulus line and shade the time in which the cell settles, where they are in view."""
    low, high = on.ax.get_xlim()
    if settling is not None and low < check.number("settling", settling, unit="ms") < high:
        on.ax.axvspan(low, settling, color=on.theme.shade, linewidth=0, zorder=-2)
        note(on.ax, (low + settling) / 2, "settling", on.theme, ha="center")
    at = shown_time(stimulus, tables.network)
    if at is not None and low <= at <= high:
        on.ax.axvline(at, color=on.theme.ink, linewidth=0.8, linestyle=(0, (3, 2)), zorder=2)
        note(on.ax, at, "stimulus", on.theme, ha="center")
