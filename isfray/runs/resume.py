"""Take up a run from its catalog alone, with the models and settings it was begun with."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from isfray.catalog import Catalog
from isfray.catalog.inspection import IMPORTED
from isfray.catalog.log import numbers, union
from isfray.errors import InputError
from isfray.model.settings import FROM_NETWORK, Settings
from isfray.runs.handle import RunHandle
from isfray.runs.request import check_trials, most_trials
from isfray.runs.simulation import simulate

_FIXED = ("engine", "record", "clamp", "t_stop")


def resume(
    catalog: Catalog | str | os.PathLike[str], run: str, *, trials: int | Iterable[int] | None = None, **how: Any
) -> RunHandle:
    """Simulate the trials of a run that are missing, or more of them.

    Parameters
    ----------
    catalog : Catalog, str or path
        Where it is.
    run : str
        Its name.
    trials : int or iterable of int, optional
        Number of trials in all, or which; by default all that were asked for and a run may have.
    how
        Keywords of `simulate` that decide no value: `workers`, `wait`, `progress`, `batch_trials` and such.

    Returns
    -------
    RunHandle

    Raises
    ------
    InputError
        If there is no such run, or the files here make another model of its inputs.
    """
    catalog = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    if trials is not None:
        check_trials(trials)
    about = catalog.info(run)
    if problem := _not_ours(about.settings):
        raise InputError(
            f"{problem} and cannot be resumed", file=catalog.uri, key="run", value=run, expected="a run of `simulate`"
        )
    if fixed := sorted(how.keys() & {*_FIXED, "seed", "variants", "inputs"}):
        raise InputError("is fixed by the run", key=fixed[0], value=how[fixed[0]], expected="another run name")
    if trials is None:
        most = most_trials()
        sessions = (one.asked for one in about.sessions if one.trials <= most)
        trials = numbers(union((), tuple(pair for asked in sessions for pair in asked)))
    cell, network = catalog.load_models(run)
    settings = {key: getattr(about.settings, key) for key in _FIXED}
    handle: RunHandle = simulate(cell, network, catalog, run=run, trials=trials, seed=about.seed, **settings, **how)
    return handle


def _not_ours(settings: Settings) -> str | None:
    """Why the settings of a run do not say how to go on with it; None if they do."""
    if settings.engine == IMPORTED:
        return "was imported from ISF's files"
    if unknown := [key for key in _FIXED if getattr(settings, key) is None]:
        return f"was stored without {', '.join(unknown)}"
    if settings.others:
        return f"has settings that this isfray does not know ({', '.join(sorted(settings.others))})"
    if settings.source != FROM_NETWORK:
        return "has input that is not drawn from its network"
    return None
