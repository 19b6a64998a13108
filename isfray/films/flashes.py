"""Synaptic releases as they appear in a film: each from its time on, for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from matplotlib.colors import is_color_like

from isfray.analysis.grouping import signs
from isfray.arrays import F64, I64
from isfray.check import nearest, one_of
from isfray.errors import InputError
from isfray.look.style import CELLTYPES, SIGNS, Theme, colour_of, ordered
from isfray.look.upright import own_points, upright_3d
from isfray.model.geometry import Geometry
from isfray.model.network import NetworkModel

GROUPINGS = ("celltype", "sign", "column", "synapse_type")
FLASH = 2.0
"""How long a release is shown, ms, as ISF shows it; but from the release on, not before."""
FAINTEST = 0.3
"""Opacity at the end of that time."""


@dataclass(frozen=True)
class Flashes:
    """Releases of one trial, by time.

    Attributes
    ----------
    time : ndarray, shape (releases,)
        ms, ascending.
    place : ndarray, shape (releases, 3)
        Where the synapse sits, um, as `upright_3d` has it.
    distance : ndarray, shape (releases,)
        Soma distance, um.
    group : ndarray of int64, shape (releases,)
        Index into `names` and `colours`.
    names, colours : tuple of str
    duration : float
        How long each is shown, ms.
    """

    time: F64
    place: F64
    distance: F64
    group: I64
    names: tuple[str, ...]
    colours: tuple[str, ...]
    duration: float

    def at(self, time: float) -> tuple[I64, F64]:
        """Return which releases are shown at a time (ms), oldest first, and how opaque each is."""
        first = np.searchsorted(self.time, time - self.duration + 1e-9)
        last = np.searchsorted(self.time, time + 1e-9)
        shown = np.arange(first, max(first, last))
        age = np.maximum(time - self.time[shown], 0.0)
        return shown, 1.0 - (1.0 - FAINTEST) * age / self.duration


def check_groups(network: NetworkModel | None, by: str, colours: Mapping[str, str] | None) -> None:
    """Raise InputError for what is no grouping, no group of it, or no colour."""
    one_of("by", by, GROUPINGS, "is no grouping of synapses")
    if colours is not None and not isinstance(colours, Mapping):
        raise InputError("is no mapping", key="colours", value=colours, expected="{group: colour}")
    if colours is None or network is None:
        return
    named = {p.name: {"celltype": p.celltype, "column": p.column, "synapse_type": p.name} for p in network.populations}
    known = {sign if by == "sign" else named[name][by] for name, sign in signs(network).items()}
    for group, colour in colours.items():
        if group not in known:
            expected = nearest(str(group), known)
            raise InputError(f"is no {by} of the network", key="colours", value=group, expected=expected)
        if not is_color_like(colour):
            raise InputError("is no colour", key=f"colours.{group}", value=colour, expected="such as '#0072B2'")


def flashes(
    releases: pl.DataFrame | None,
    geometry: Geometry,
    network: NetworkModel | None,
    window: tuple[float, float],
    *,
    by: str = "celltype",
    colours: Mapping[str, str] | None = None,
    duration: float = FLASH,
    theme: Theme,
) -> Flashes:
    """Return the releases that a film of a window shows.

    Parameters
    ----------
    releases : polars.DataFrame or None
        The trial's rows of `synapse_activation`.
    geometry, network
        The cell's, and the network, which tells excitation from inhibition.
    window : tuple of float
        First and last time shown, ms.
    by : str
        "celltype", "sign", "column" or "synapse_type".
    colours : mapping, optional
        Colour by group, instead of the usual ones; groups that it does not name are not shown.
    duration : float
        ms.
    theme : Theme
    """
    if releases is None or network is None:
        empty = np.empty(0)
        return Flashes(empty, np.empty((0, 3)), empty, empty.astype(np.int64), (), (), duration)
    name = pl.col("synapse_type" if by == "sign" else by).cast(pl.String)
    if by == "sign":
        name = name.replace_strict(signs(network), return_dtype=pl.String)
    rows = (
        releases.select("section_id", "section_pt_id", "soma_distance", time=pl.col("times"), group=name)
        .explode("time")
        .filter(pl.col("time").is_between(window[0] - duration, window[1]))
        .sort("time", maintain_order=True)
    )
    table = SIGNS if by == "sign" else CELLTYPES
    if colours is not None:
        rows = rows.filter(pl.col("group").is_in(list(colours)))
    there = set(rows["group"])
    names = tuple(ordered(there, table) if colours is None else [group for group in colours if group in there])
    of_group = {group: i for i, group in enumerate(names)}
    points = own_points(geometry, upright_3d(geometry))
    place = [points[section][point] for section, point in rows.select("section_id", "section_pt_id").rows()]
    return Flashes(
        rows["time"].to_numpy(),
        np.array(place).reshape(-1, 3),
        rows["soma_distance"].to_numpy(),
        np.array([of_group[group] for group in rows["group"]], np.int64),
        names,
        tuple(colours[group] if colours is not None else _colour(group, by, theme) for group in names),
        duration,
    )


def _colour(group: str, by: str, theme: Theme) -> str:
    if by == "synapse_type":
        group = group.rpartition("_")[0]
    return colour_of(group, SIGNS if by == "sign" else CELLTYPES, theme)
