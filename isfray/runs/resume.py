"""Take up a run from its catalog alone, with the models and settings it was begun with."""

from __future__ import annotations

import os
from typing import Any

from isfray.catalog import Catalog
from isfray.catalog.inspection import IMPORTED
from isfray.errors import InputError
from isfray.runs.handle import RunHandle
from isfray.runs.request import check_trials, most_trials
from isfray.runs.simulation import simulate

_FIXED = ("engine", "record", "clamp", "t_stop")


def resume(catalog: Catalog | str | os.PathLike[str], run: str, *, trials: int | None = None, **how: Any) -> RunHandle:
    """Simulate the trials of a run that are missing, or more of them.

    Parameters
    ----------
    catalog : Catalog, str or path
        Where it is.
    run : str
        Its name.
    trials : int, optional
        Number of trials in all; by default the most that were asked for and a run may have.
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
    if unknown := [key for key in _FIXED if key not in about.settings]:
        imported = about.settings.get("engine") == IMPORTED
        problem = "was imported from ISF's files" if imported else f"was stored without {', '.join(unknown)}"
        raise InputError(
            f"{problem} and cannot be resumed", file=catalog.uri, key="run", value=run, expected="a run of `simulate`"
        )
    cell, network = catalog.load_models(run)
    settings = {key: about.settings[key] for key in _FIXED}
    if fixed := sorted(how.keys() & {*_FIXED, "seed", "variants"}):
        raise InputError("is fixed by the run", key=fixed[0], value=how[fixed[0]], expected="another run name")
    if trials is None:
        trials = max((session.trials for session in about.sessions if session.trials <= most_trials()), default=0)
    wanted = check_trials(trials)
    handle: RunHandle = simulate(cell, network, catalog, run=run, trials=wanted, seed=about.seed, **settings, **how)
    return handle
