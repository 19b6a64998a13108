"""A run on one page that can be sent to a colleague."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from isfray import __version__
from isfray.analysis import (
    RunTables,
    bursts,
    mean_activation,
    response,
    run_tables,
    soma_distance,
    voltage_statistics,
)
from isfray.catalog import Catalog, RunInfo
from isfray.check import number
from isfray.figures.activations import plot_activations
from isfray.figures.dendrogram import plot_dendrogram
from isfray.figures.histogram import SETTLING, plot_psth
from isfray.figures.morphology import plot_morphology
from isfray.figures.raster import plot_raster
from isfray.figures.traces import plot_voltage
from isfray.look.page import facts, figure, film, grid, page, page_path, write_page
from isfray.look.stimulus import Stimulus, shown_time
from isfray.look.style import PathLike, place, trials

RESPONSE_WINDOW = 50.0
"""How long after the stimulus a spike counts as a response, ms."""


def write_report(
    catalog: Catalog,
    run: str,
    path: PathLike,
    *,
    stimulus: Stimulus = "network",
    window: float = RESPONSE_WINDOW,
    films: Sequence[str | os.PathLike[str]] = (),
) -> Path:
    """Write what was run and what came of it as one HTML page that needs no other file.

    Parameters
    ----------
    catalog, run
        The run; it may be unfinished.
    path : path
        `.html` file to write.
    stimulus : float, "network" or None
        Time of the stimulus, ms; by default where the network's evoked activity is aligned to.
    window : float
        How long after the stimulus a spike counts as a response, ms.
    films : list of path
        Animations to include: `.mp4`, `.webm`, `.gif`, `.png`, or pages with a player (`.html`).

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the run has no finished trial, or the file cannot be written.
    """
    out = page_path(path)
    shown = [film(f) for f in ([films] if isinstance(films, str | os.PathLike) else films)]
    tables, about = run_tables(catalog, run), catalog.info(run)
    at, window = shown_time(stimulus, tables.network), number("window", window, above=0.0, unit="ms")
    body = [_head(catalog, about, tables), "<h2>Response</h2>", facts(_response(tables, at, window))]
    body += ["<h2>Spikes and voltage</h2>", _grid(_outputs(tables, at))]
    if tables.network is not None:
        body += ["<h2>Inputs</h2>", _grid(_inputs(tables, at)), _by_type(tables)]
    body += ["<h2>Cell</h2>", _grid(_cell(catalog, run))]
    if shown:
        body += ["<h2>Animations</h2>", _grid([html for html, _ in shown])]
    body += ["<h2>What was run</h2>", *_provenance(about)]
    return write_page(out, page(f"{run}: isfray", body, [script for _, scripts in shown for script in scripts]))


def _grid(figures: Sequence[str]) -> str:
    return '<div class="figures">' + "\n".join(figures) + "</div>"


def _head(catalog: Catalog, about: RunInfo, tables: RunTables) -> str:
    asked = max(about.trials_asked, tables.n_trials)
    state = trials(tables.n_trials) if asked == tables.n_trials else f"{tables.n_trials:,} of {trials(asked)} so far"
    cell = about.inputs["cell"]["main"]["name"]
    network = about.inputs["network"]["main"]["name"] if "network" in about.inputs else "no network"
    line = f"{state} of {tables.t_stop:g} ms, seed {about.seed}, {cell}, {network}"
    where = f'<p class="muted">{escape(catalog.uri)}, made {escape(about.created[:16].replace("T", " "))} UTC</p>'
    return f"<h1>{escape(about.name)}</h1><p>{escape(line)}</p>{where}"


def _response(tables: RunTables, at: float | None, window: float) -> list[tuple[str, str]]:
    """Numbers of the cell's activity before and after the stimulus."""
    begin = SETTLING if tables.t_stop > SETTLING else 0.0
    before = tables.t_stop if at is None else min(at, tables.t_stop)
    rows = []
    if at is not None and at < tables.t_stop:
        end = min(at + window, tables.t_stop)
        found = response(tables, t_min=at, t_max=end)
        percent = [f"{100 * p:.0f}" for p in (found.probability, *found.probability_interval)]
        when = f"{at:g} to {end:g} ms"
        rows.append((f"Response probability, {when}", f"{percent[0]} % (95 %: {percent[1]} to {percent[2]} %)"))
        rows.append(("Responding trials", f"{found.responding:,} of {found.trials:,}"))
        rows.append(("Spikes per trial in it", _with(found.spikes, found.spikes_interval, 2)))
        latency = _with(found.latency, found.latency_interval, 1, " ms") if found.responding else "no trial responds"
        rows.append(("Median latency of the first", latency))
        if not math.isnan(found.jitter):
            rows.append(("Its standard deviation", f"{found.jitter:.1f} ms"))
    if before > begin:
        ongoing = response(tables, t_min=begin, t_max=before)
        seconds = (before - begin) / 1000.0
        low, high = (x / seconds for x in ongoing.spikes_interval)
        rows.append(
            (f"Ongoing rate, {begin:g} to {before:g} ms", _with(ongoing.spikes / seconds, (low, high), 2, " Hz"))
        )
        if tables.sites:
            v = voltage_statistics(tables, t_min=begin, t_max=before)
            mean, sd = v.select(pl.col("mean").mean(), pl.col("std").mean()).collect(engine="streaming").row(0)
            if mean is not None:
                rows.append(("Membrane potential then", f"{mean:.1f} mV, fluctuating by {sd:.1f} mV (mean SD)"))
    found_bursts = bursts(tables, t_min=begin).select("trial").collect(engine="streaming")
    in_trials = trials(found_bursts["trial"].n_unique())
    count = f"{len(found_bursts):,} in {in_trials}" if len(found_bursts) else "none"
    rows.append((f"Bursts (above 100 Hz) after {begin:g} ms", count))
    return [(name, escape(value)) for name, value in rows]


def _with(value: float, interval: tuple[float, float], digits: int, unit: str = "") -> str:
    shown = f"{value:.{digits}f}{unit}"
    if math.isnan(interval[0]):
        return shown
    return f"{shown} (95 %: {interval[0]:.{digits}f} to {interval[1]:.{digits}f}{unit})"


def _outputs(tables: RunTables, at: float | None) -> list[str]:
    out = [
        figure(partial(_psth, tables, at), "Spike rate at the soma over trials, with its 95 % confidence band."),
        figure(partial(_raster, tables, at), "Spikes at the soma, one row per trial."),
    ]
    for site in tables.sites[:3]:
        caption = f"Membrane potential, {place(site)}, {trials(tables.n_trials)}."
        out.append(figure(partial(_voltage, tables, at, site), caption))
    return out


def _psth(tables: RunTables, at: float | None, theme: str) -> Axes:
    return plot_psth(tables, stimulus=at, theme=theme)


def _raster(tables: RunTables, at: float | None, theme: str) -> Axes:
    return plot_raster(tables, stimulus=at, theme=theme)


def _voltage(tables: RunTables, at: float | None, site: str, theme: str) -> Axes:
    return plot_voltage(tables, site=site, stimulus=at, theme=theme)


def _inputs(tables: RunTables, at: float | None) -> list[str]:
    out = []
    for sign in ("excitatory", "inhibitory"):

        def draw(theme: str, sign: Any = sign) -> Axes:
            return plot_activations(tables, sign=sign, stimulus=at, theme=theme)

        out.append(figure(draw, f"Releases of {sign} synapses by soma distance and time, mean over trials."))

    def cells(theme: str) -> Axes:
        return plot_raster(tables, of="cells", stimulus=at, theme=theme)

    out.append(figure(cells, f"Spikes of the presynaptic cells in trial {tables.trials[0]}, by type."))
    return out


def _by_type(tables: RunTables) -> str:
    synapses = mean_activation(tables, by=["celltype", "sign"])
    cells = mean_activation(tables, by=["celltype"], table="cell_activation").select("celltype", spikes="events_mean")
    distances = soma_distance(tables).select("celltype", distance="mean")
    # one after the other: each reads the whole run
    rows, *others = (frame.collect(engine="streaming") for frame in (synapses, cells, distances))
    for other in others:
        rows = rows.join(other, on="celltype", how="left")
    shown = rows.sort("celltype").select("celltype", "sign", "spikes", "active_mean", "events_mean", "distance")
    header = (
        "Cell type",
        "Acts as",
        "Presynaptic spikes per trial",
        "Active synapses per trial",
        "Releases per trial",
        "Mean soma distance of active synapses (µm)",
    )
    return grid(header, [[0.0 if v is None else v for v in row] for row in shown.rows()])


def _cell(catalog: Catalog, run: str) -> list[str]:
    models = catalog.load_models(run)

    def shape(theme: str) -> Axes:
        return plot_morphology(models, theme=theme)

    def tree(theme: str) -> Axes:
        return plot_dendrogram(models, theme=theme)

    return [
        figure(shape, "The cell from the side; triangles mark recording sites.", narrow=True),
        figure(tree, "Dendrogram with all synapses: excitatory above each dendrite, inhibitory below."),
    ]


def _provenance(about: RunInfo) -> list[str]:
    units = {"dt": " ms", "t_stop": " ms"}
    settings = [
        (name, escape(f"{value}{units.get(name, '')}" if value or value == 0 else "none"))
        for name, value in sorted(about.settings.items())
    ]
    files = []
    for role, given in about.inputs.items():
        for file in (given["main"], *given["references"].values()):
            files.append((role, file["name"], file["sha256"][:16]))
    sessions = []
    for session in about.sessions:
        p = session.provenance
        versions = ", ".join(f"{name} {version}" for name, version in p.get("versions", {}).items() if version)
        commit = str(p.get("git_commit") or "")[:12] + (" (changed)" if p.get("git_dirty") else "")
        ended = (session.ended or "not ended")[:19].replace("T", " ")
        row = (session.started[:19].replace("T", " "), ended, str(session.trials), p.get("host", ""), commit, versions)
        sessions.append(row)
    return [
        facts([("Seed of the run", escape(str(about.seed))), *settings]),
        "<h2>Files</h2>",
        grid(("Model", "File", "SHA-256 begins"), files),
        "<h2>Sessions</h2>",
        grid(("Started (UTC)", "Ended", "Trials asked for", "Host", "Git commit", "Versions"), sessions),
        f'<p class="muted">Written by isfray {escape(__version__)}.</p>',
    ]
