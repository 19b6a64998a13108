"""Membrane potential over time: many trials over each other, or how many are at which voltage."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from numpy.typing import NDArray

from isfray.analysis import RunTables, Source, mean_voltage, run_tables, voltage_density
from isfray.analysis.voltage import traces
from isfray.arrays import F64
from isfray.check import number, one_of
from isfray.errors import InputError
from isfray.figures.histogram import SETTLING, mark_times
from isfray.look.stimulus import Stimulus
from isfray.look.style import PathLike, Sheet, colour_bar, density_map, note, place, sheet, trials

_MANY = 200
_COLUMNS = 1200  # of a figure half a page wide, in print


def plot_voltage(
    source: Source,
    run: str | None = None,
    *,
    site: str = "soma",
    kind: Literal["auto", "lines", "density"] = "auto",
    t_min: float = 0.0,
    t_max: float | None = None,
    mean: bool = False,
    stimulus: Stimulus = "network",
    settling: float | None = SETTLING,
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw a site's membrane potential in all trials.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`.
    site : str
        Recorded place.
    kind : str
        "lines": every trial, each reduced to what the paper can show. "density": the fraction of trials at each
        voltage. "auto": lines for up to 200 trials.
    t_min, t_max : float, optional
        Time shown, ms.
    mean : bool
        Draw the mean over trials too.
    stimulus, settling, theme, ax, path
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
    >>> ax = isfray.plot_voltage(catalog, "stim_C2", mean=True, theme="dark", path="voltage.png")
    """
    tables = run_tables(source, run)
    one_of("kind", kind, ("auto", "lines", "density"), "is no way to draw")
    t_min = number("t_min", t_min, below=tables.t_stop, unit="ms")
    end = tables.t_stop if t_max is None else number("t_max", t_max, above=max(t_min, 0.0), unit="ms")
    on = sheet(ax, theme, height=55)
    dense = kind == "density" or (kind == "auto" and tables.n_trials > _MANY)
    (_image if dense else _lines)(on, tables, site, t_min, end)
    if mean:
        over = mean_voltage(tables, site=site)
        on.ax.plot(over.time, over.mean, color=on.theme.ink, linewidth=1.0, label="mean", zorder=4)
    on.ax.set(xlabel="Time (ms)", ylabel="Membrane potential (mV)", xlim=(t_min, end))
    mark_times(on, tables, stimulus, settling)
    note(on.ax, t_min, f"{place(site)}, {trials(tables.n_trials)}", on.theme, line=1)
    return on.done(path)


def _lines(on: Sheet, tables: RunTables, site: str, t_min: float, t_max: float) -> None:
    paths: list[F64] = []
    low, high = np.inf, -np.inf
    for _, time, block in traces(tables, site):
        seen = _seen(time, t_min, t_max)
        low, high = min(low, block[:, seen].min()), max(high, block[:, seen].max())
        paths += outline(time[seen], block[:, seen], _COLUMNS)
    faint = float(np.clip(3.0 / len(paths), 0.06, 1.0))
    single = len(paths) == 1
    lines = LineCollection(
        paths,
        colors=on.theme.series[0],
        linewidths=0.7 if single else 0.5,
        alpha=1.0 if single else max(faint, 0.3),
        zorder=3,
    )
    lines.set_rasterized(len(paths) > 20)
    on.ax.add_collection(lines)
    margin = 0.04 * (high - low)
    on.ax.set_ylim(low - margin, high + margin)


def _seen(time: F64, t_min: float, t_max: float) -> NDArray[np.bool_]:
    """Return which samples are in the window; InputError if none is."""
    seen: NDArray[np.bool_] = (time >= t_min) & (time <= t_max)
    if not seen.any():
        raise InputError("hold no sample", key="t_min, t_max", value=(t_min, t_max), expected="times of the trial, ms")
    return seen


def outline(time: F64, block: F64, columns: int) -> list[F64]:
    """Reduce traces (k, n) to paths of at most two points a column that look the same: least and greatest of each."""
    n = block.shape[1]
    if n <= 2 * columns:
        return [np.column_stack([time, v]) for v in block]
    first = np.linspace(0, n, columns, endpoint=False).astype(np.int64)
    low, high = np.minimum.reduceat(block, first, axis=1), np.maximum.reduceat(block, first, axis=1)
    # least first where the trace rises, so that a slow trace stays a line
    begin, end = block[:, first], block[:, np.append(first[1:], n) - 1]
    rising = end >= begin
    pairs = np.stack([np.where(rising, low, high), np.where(rising, high, low)], axis=2).reshape(len(block), -1)
    middle = np.repeat(time[first], 2)
    middle[1::2] = time[np.append(first[1:], n) - 1]
    return [np.column_stack([middle, v]) for v in pairs]


def _image(on: Sheet, tables: RunTables, site: str, t_min: float, t_max: float) -> None:
    found = voltage_density(tables, site=site, v_bin=1.0, every=_every(tables))
    seen = _seen(found.time, t_min, t_max)
    fraction = 100.0 * found.counts[:, seen] / found.n_trials
    occupied = np.flatnonzero(fraction.any(axis=1))
    extent = (found.time[seen][0], found.time[seen][-1], found.edges[0], found.edges[-1])
    image = on.ax.imshow(
        np.ma.masked_equal(fraction, 0.0),
        extent=extent,
        origin="lower",
        aspect="auto",
        cmap=density_map(on.theme, on.theme.series[0]),
        norm=PowerNorm(0.4, 0, max(float(fraction.max()), 1e-9)),
        interpolation="nearest",
        zorder=1,
    )
    on.ax.set_ylim(found.edges[occupied[0]] - 2, found.edges[occupied[-1] + 1] + 2)
    colour_bar(on.ax, image, "Trials (% per mV)")


def _every(tables: RunTables) -> int:
    dt = float(tables.scan("trials").select("dt").head(1).collect().item())
    return max(1, int(tables.t_stop / dt / _COLUMNS))
