"""A run in progress, seen from another process: what its catalog tells."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from isfray.catalog.catalog import Catalog

QUIET = 900.0  # s without a new trial after which a session that has not ended is called quiet


def in_progress(catalog: Catalog, run: str, now: datetime | None = None) -> str | None:
    """Tell how a run that is being worked on goes; None if every session has ended.

    A driver that was killed could not note the end of its session: then the time since the last trial tells.
    """
    about, now = catalog.info(run), now or datetime.now(UTC)
    session = next((one for one in reversed(about.sessions) if one.ended is None), None)
    if session is None or about.trials_committed >= session.trials:
        return None
    began = datetime.fromisoformat(session.started)
    finished = pl.col("finished_at")
    since = catalog.scan("trials", run=run).filter(finished >= began)
    done, last = since.select(pl.len(), finished.max()).collect().row(0)
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
