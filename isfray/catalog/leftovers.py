"""Files that no reader can see: written by a writer that died or came second, or replaced by compaction."""

from __future__ import annotations

import time
from collections.abc import Iterable

from isfray.catalog.batch import number_of
from isfray.catalog.log import Commit, CommitLog
from isfray.catalog.storage import Entry, Storage
from isfray.tables import SCHEMAS

GRACE_S = 3600.0
"""Age in s below which an unlisted file may still be in use: a writer about to commit it, a reader about to open it."""


_REPLACING = {"compaction", "check"}


def unlisted(storage: Storage, live: Iterable[Commit], run: str) -> dict[str, Entry]:
    """Data files of a run that no live commit lists, by key."""
    listed = {file.path for commit in live for file in commit.files}
    found = storage.listings(f"{table}/run={run}/" for table in SCHEMAS)
    return {key: entry for key, entry in found.items() if key not in listed}


def remove_leftovers(storage: Storage, log: CommitLog, run: str, grace_s: float) -> dict[str, Entry]:
    """Remove unlisted files, if they and the last commit that replaced some are older than `grace_s`; return them.

    However slow a writer is, what it commits stays: a fence comes first, and only files that it shuts out are removed.
    """
    live, border = log.live(), time.time() - grace_s
    commits = storage.listing(log.prefix)
    if any(commits[log.key(c.sequence)].modified > border for c in live if c.kind in _REPLACING):
        return {}
    old = {key: entry for key, entry in unlisted(storage, live, run).items() if entry.modified <= border}
    if any(number_of(key) > log.fence for key in old):
        log.raise_fence()
    listed = {file.path for commit in log.live() for file in commit.files}
    removable = {key: entry for key, entry in old.items() if key not in listed and number_of(key) <= log.fence}
    storage.delete(removable)
    return removable
