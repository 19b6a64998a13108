"""Membrane currents at one place, stacked by channel: what depolarizes the cell and what holds it back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from isfray.analysis import RunTables, Source, run_tables
from isfray.arrays import F64
from isfray.check import nearest, window, words
from isfray.errors import InputError
from isfray.look.stimulus import Stimulus, shown_time
from isfray.look.style import CHANNELS, PathLike, colour_of, legend, note, place, sheet
from isfray.model.clock import sample_times

_BEFORE, _AFTER = 5.0, 55.0  # shown around the stimulus, ms


def plot_currents(
    source: Source,
    run: str | None = None,
    *,
    trial: int | None = None,
    site: str = "soma",
    variables: Sequence[str] | None = None,
    normalized: bool = False,
    net: bool = False,
    t_min: float | None = None,
    t_max: float | None = None,
    stimulus: Stimulus = "network",
    theme: str = "light",
    ax: Axes | None = None,
    path: PathLike | None = None,
) -> Axes:
    """Draw recorded membrane currents as stacked areas: outward above zero, inward below.

    Parameters
    ----------
    source, run
        See `isfray.analysis.run_tables`. The run must have recorded currents, such as `record=["sites", "Ca_HVA.ica"]`.
    trial : int, optional
        The first by default.
    site : str
        A recorded place, or a segment such as `sec_038_seg_032`.
    variables : list of str, optional
        Which; by default every recorded current of a mechanism.
    normalized : bool
        Percent of all inward and of all outward current at each time.
    net : bool
        Draw the sum too.
    t_min, t_max : float, optional
        Time shown, ms; by default from 5 ms before the stimulus to 55 ms after it, or the whole trial without one.
    stimulus, theme, ax, path
        As in `plot_psth`. A figure of our own shows the voltage there too, if it was recorded.

    Returns
    -------
    matplotlib.axes.Axes
        Of the currents.

    Raises
    ------
    InputError
        If the run is not there, an argument is out of range, or the file cannot be written.

    Examples
    --------
    >>> simulator = isfray.Simulator(cell, network, record=["sites", "NaTa_t.ina", "SKv3_1.ik"])
    >>> result = simulator.run(seed=isfray.trial_seed(7, trial=0), t_stop=50.0)
    >>> ax = isfray.plot_currents(result.tables, t_min=20.0, t_max=45.0, stimulus=None, path="currents.png")
    """
    tables = run_tables(source, run)
    t_min, t_max = window(t_min, t_max)
    number = int(tables.trials[0]) if trial is None else tables.finished("trial", trial)
    time, currents, voltage = _recorded(tables, number, site, variables)
    at = shown_time(stimulus, tables.network)
    begin = (0.0 if at is None else at - _BEFORE) if t_min is None else t_min
    end = (tables.t_stop if at is None else min(at + _AFTER, tables.t_stop)) if t_max is None else t_max
    seen = (time >= begin) & (time <= end)
    if not seen.any():
        raise InputError("hold no sample", key="t_min, t_max", value=(begin, end), expected="times of the trial, ms")
    on = sheet(ax, theme, height=80, rows=(1, 2.4) if voltage is not None and ax is None else (1,))
    shown = {name: values[seen] for name, values in currents.items()}
    outward, inward = stack(shown, normalized)
    order = sorted(shown, key=lambda name: -float(np.abs(shown[name]).mean()))
    for parts, labelled in ((outward, True), (inward, False)):
        areas = on.ax.stackplot(time[seen], *(parts[name] for name in order), linewidth=0)
        for area, name in zip(areas, order, strict=True):
            area.set_facecolor(colour_of(name.partition(".")[0], CHANNELS))
            area.set_label(_name(name, order) if labelled else "_")
    if net and not normalized:
        on.ax.plot(time[seen], sum(shown.values()), color=on.theme.ink, linewidth=0.8, label="net")
    on.ax.axhline(0, color=on.theme.ink, linewidth=0.5)
    unit = "%" if normalized else "mA/cm²"
    on.ax.set(xlabel="Time (ms)", ylabel=f"Current ({unit})", xlim=(begin, end))
    if on.own and voltage is not None:
        on.panels[0].plot(time[seen], voltage[seen], color=on.theme.series[0], linewidth=0.9)
        on.panels[0].set_ylabel("V (mV)")
    for panel in on.panels:
        if at is not None and begin <= at <= end:
            panel.axvline(at, color=on.theme.ink, linewidth=0.8, linestyle=(0, (3, 2)))
            if panel is on.panels[0]:
                note(panel, at, "stimulus", on.theme, ha="center")
    legend(on.ax, on.theme, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4, columnspacing=1.0)
    low, high = on.ax.get_ylim()
    for middle, text in ((high / 2, "outward"), (low / 2, "inward")):
        if abs(middle) > 0.12 * (high - low):  # room for the word
            on.ax.text(
                1.01,
                middle,
                text,
                transform=on.ax.get_yaxis_transform(),
                rotation=270,
                va="center",
                fontsize=7,
                color=on.theme.muted,
            )
    note(on.panels[0], begin, f"{place(site)}, trial {number}", on.theme, line=1)
    return on.done(path)


def stack(currents: dict[str, F64], normalized: bool = False) -> tuple[dict[str, F64], dict[str, F64]]:
    """Split currents into their outward (positive) and inward (negative) parts; normalized, percent of each sum."""
    outward = {name: np.maximum(values, 0.0) for name, values in currents.items()}
    inward = {name: np.minimum(values, 0.0) for name, values in currents.items()}
    if not normalized:
        return outward, inward
    out = []
    for parts in (outward, inward):
        total = np.abs(sum(parts.values()))
        scale = np.divide(100.0, total, out=np.zeros_like(total), where=total > 0)
        out.append({name: values * scale for name, values in parts.items()})
    return out[0], out[1]


def _name(variable: str, among: Sequence[str]) -> str:
    mechanism = variable.partition(".")[0]
    return mechanism if sum(other.partition(".")[0] == mechanism for other in among) == 1 else variable


def _recorded(
    tables: RunTables, trial: int, site: str, variables: Sequence[str] | None
) -> tuple[F64, dict[str, F64], F64 | None]:
    """Sample times, currents by variable, and the voltage there if recorded."""
    if not isinstance(site, str):
        raise InputError("was not recorded", key="site", value=site, expected="a recorded place or segment")
    variables = None if variables is None else words("variables", variables, '["Ca_HVA.ica"]')
    rows = tables.scan("variable_traces", trial)
    known = rows.select(pl.col("variable", "site").cast(pl.String), "section_id", "x").collect()
    volts = tables.scan("voltage_traces", trial)
    places = volts.select(pl.col("site").cast(pl.String), "section_id", "x").collect()
    if known.is_empty():
        raise InputError(
            "recorded no range variable", key="run", value=tables.name, expected='record=["Ca_HVA.ica", ...]'
        )
    named = pl.concat([places, known.select("site", "section_id", "x")]).filter(pl.col("site") == site)
    if named.is_empty():
        raise InputError("was not recorded", key="site", value=site, expected="a recorded place or segment")
    _, section, x = named.row(0)
    here = (pl.col("section_id") == section) & ((pl.col("x") - x).abs() < 1e-9)
    there = known.filter(here)["variable"].unique(maintain_order=True).to_list()
    wanted = [v for v in there if v.partition(".")[2].startswith("i")] if variables is None else list(variables)
    missing = [v for v in wanted if v not in there]
    if missing or not wanted:
        expected = nearest(str((missing or ["i"])[0]), there) if there else "variables recorded at another place"
        raise InputError(
            f"were not recorded at {site}", key="variables", value=missing or "currents", expected=expected
        )
    found = rows.filter(here & pl.col("variable").is_in(wanted)).collect()
    currents = {str(v): values.to_numpy() for v, values in zip(found["variable"], found["values"], strict=True)}
    time = sample_times(len(next(iter(currents.values()))), found["t_start"][0], found["dt"][0])
    trace = volts.filter(here).select("voltage").head(1).collect()
    return time, currents, trace["voltage"][0].to_numpy() if len(trace) else None
