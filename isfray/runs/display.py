"""How runs and sweeps in progress, or over, show themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isfray.model.display import Facts, listed, megabytes, plural
from isfray.runs.progress import Progress, clock


def run_facts(progress: Progress, uri: str, state: str, failed: Sequence[int]) -> Facts:
    """Return what to show of a run: how far it is, where its results are, and its state in a word."""
    rows = [("state", state), *_how(progress), ("catalog", uri)]
    if failed:
        rows.insert(1, ("failed", f"trials {listed([str(trial) for trial in failed], 20)}"))
    return Facts("RunHandle", progress.run, _done(progress), rows)


def sweep_facts(progress: Progress, uri: str, runs: Mapping[str, tuple[Progress, str]]) -> Facts:
    """Return what to show of a sweep: each variant's run, and all together."""
    lines = [
        (variant, of.run, f"{of.done:,} of {of.total:,}", str(of.failed), state)
        for variant, (of, state) in runs.items()
    ]
    header = ("variant", "run", "trials", "failed", "state")
    return Facts("SweepHandle", progress.run, _done(progress), [*_how(progress), ("catalog", uri)], header, lines)


def _done(progress: Progress) -> str:
    return f"{progress.done:,} of {plural(progress.total, 'trial')} committed"


def _how(progress: Progress) -> list[tuple[str, str]]:
    new = progress.done + progress.unwritten - progress.before
    if not new and not progress.left:
        return [("simulated", "nothing: all trials were there")]
    rows = [("simulated", f"{plural(new, 'trial')} in {clock(progress.seconds)}, {progress.rate:.2f} a second")]
    if progress.left:
        left = "" if progress.seconds_left is None else f", about {clock(progress.seconds_left)} more"
        rows.append(("left", f"{plural(progress.left, 'trial')}{left}"))
    if progress.before:
        rows.append(("there before", plural(progress.before, "trial")))
    if progress.retried:
        rows.append(("begun again", plural(progress.retried, "trial")))
    rows.append(("written", megabytes(progress.bytes_written)))
    return rows
