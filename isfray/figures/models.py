"""The models behind a figure: given as they are, or those a run was made with."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias

from isfray.analysis import RunTables, Source
from isfray.catalog import Catalog
from isfray.check import nearest, number
from isfray.errors import InputError
from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel

CellSource: TypeAlias = Catalog | CellModel | tuple[CellModel, NetworkModel | None]
"""A catalog, with the name of a run; or a cell, with or without its network."""


def models(source: CellSource, run: str | None = None) -> tuple[CellModel, NetworkModel | None]:
    """Return the cell, and the network if there is one."""
    if isinstance(source, CellModel):
        return source, None
    if isinstance(source, tuple):
        cell, network = source if len(source) == 2 else (None, None)
        if not isinstance(cell, CellModel) or not isinstance(network, NetworkModel | None):
            raise InputError("are no models", key="source", value=source, expected="(cell, network)")
        return cell, network
    if not isinstance(source, Catalog):
        raise InputError("holds no cell", key="source", value=source, expected="a catalog and a run, or a cell model")
    if run is None:
        raise InputError("is missing", file=source.uri, key="run", expected=nearest("", source.runs()))
    return source.load_models(run)


def stimulus_time(network: NetworkModel | None) -> float | None:
    """Return when most evoked activity of the network is aligned to, ms; None if there is none."""
    if network is None:
        return None
    every = (activity.stimulus for population in network.populations for activity in population.activity)
    offsets = Counter(at for at in every if at is not None)
    return offsets.most_common(1)[0][0] if offsets else None


def shown_time(stimulus: Any, network: NetworkModel | None) -> float | None:
    """Return when the stimulus is shown: at a time (ms), where the network has it ("network"), or not at all (None)."""
    if isinstance(stimulus, str) and stimulus == "network":
        return stimulus_time(network)
    return None if stimulus is None else number("stimulus", stimulus, unit="ms")


def as_runs(source: Source, run: str | list[str] | tuple[str, ...] | None) -> list[str | None]:
    """Names of one or several runs as a list."""
    if isinstance(run, list | tuple):
        if not run:
            raise InputError("names no run", key="run", value=run)
        return list(run)
    return [source.name] if isinstance(source, RunTables) and run is None else [run]
