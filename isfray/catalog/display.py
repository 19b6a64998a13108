"""How a catalog shows itself: its runs, the latest first."""

from __future__ import annotations

from collections.abc import Sequence

from isfray.catalog.runs import RunInfo
from isfray.model.display import Facts, megabytes, plural

SHOWN = 12
"""Runs shown at most."""
HEADER = ("run", "trials", "t_stop", "seed", "cell", "network", "stored", "made (UTC)")


def catalog_facts(uri: str, names: Sequence[str], runs: Sequence[RunInfo]) -> Facts:
    """Return what to show of a catalog.

    Parameters
    ----------
    uri : str
        Where it is.
    names : sequence of str
        All its runs.
    runs : sequence of RunInfo
        Those to show.
    """
    lines = [_line(run) for run in sorted(runs, key=lambda run: run.created, reverse=True)]
    left_out = [("not shown", plural(len(names) - len(runs), "run"))] if len(names) > len(runs) else []
    return Facts("Catalog", uri, plural(len(names), "run"), left_out, HEADER, lines)


def _line(run: RunInfo) -> tuple[str, ...]:
    done, asked = run.trials_committed, max(run.trials_asked, run.trials_committed)
    trials = f"{done:,}" if done == asked else f"{done:,} of {asked:,}"
    files = [run.inputs[role]["main"]["name"] if role in run.inputs else "none" for role in ("cell", "network")]
    t_stop = run.settings.t_stop
    stored = megabytes(sum(run.bytes.values()))
    made = run.created[:16].replace("T", " ")
    return run.name, trials, "" if t_stop is None else f"{t_stop:g} ms", str(run.seed), *files, stored, made
