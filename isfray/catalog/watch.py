"""A run in progress, seen from another process: what its catalog tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from isfray.catalog.catalog import Catalog
from isfray.catalog.runs import RunInfo, Session

QUIET = 900.0  # s without a new trial after which a session that has not ended is called quiet


def in_progress(catalog: Catalog, run: str, now: datetime | None = None) -> str | None:
    """Tell how a run that is being worked on goes; None if every session has ended.

    A driver that was killed could not note the end of its session: then the time since the last trial tells.
    """
    return states(catalog, [catalog.info(run)], now).get(run)


def states(catalog: Catalog, runs: Sequence[RunInfo], now: datetime | None = None) -> dict[str, str]:
    """Tell by name how those of some runs go that are being worked on; see `in_progress`."""
    now, open_ = now or datetime.now(UTC), dict[str, tuple[RunInfo, Session]]()
    for about in runs:
        session = next((one for one in reversed(about.sessions) if one.ended is None), None)
        if session is not None and about.trials_committed < session.trials:
            open_[about.name] = about, session
    if not open_:
        return {}
    began = {run: datetime.fromisoformat(session.started) for run, (_, session) in open_.items()}
    starts = pl.LazyFrame({"run": list(began), "began": list(began.values())})
    finished, run = pl.col("finished_at"), pl.col("run").cast(pl.String)
    table = catalog.scan("trials", run=next(iter(began)) if len(began) == 1 else None)
    ended = table.select(run, finished).join(starts, on="run").filter(finished >= pl.col("began"))
    found = ended.group_by("run").agg(pl.len(), finished.max()).collect().rows()
    since = {name: (done, last) for name, done, last in found}
    return {
        name: _state(about, session, began[name], *since.get(name, (0, None)), now)
        for name, (about, session) in open_.items()
    }


def _state(about: RunInfo, session: Session, began: datetime, done: int, last: datetime | None, now: datetime) -> str:
    where = f"on {session.provenance['host']} " if "host" in session.provenance else ""
    state = f"begun {where}{_ago(now, began)} ago, {done} trials since"
    if last is None:
        return f"in progress: {state}"
    rate = done / max((last - began).total_seconds(), 1e-3)
    left = max(session.trials - about.trials_committed, 0) / rate
    word = "in progress" if (now - last).total_seconds() < QUIET else "in progress, or its driver was killed"
    return f"{word}: {state}, {rate:.2f}/s, the last one {_ago(now, last)} ago; about {_clock(left)} left"


def _ago(now: datetime, then: datetime) -> str:
    return _clock(max((now - then).total_seconds(), 0.0))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
