"""Wrong trials of earlier versions, withdrawn before a run goes on; and what is said meanwhile."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Literal

from isfray.catalog import Catalog
from isfray.model.soundness import told

_EVERY_S = 2.0  # between two lines about how far it is


def mend(catalog: Catalog, run: str, progress: bool | Literal["json"]) -> None:
    """Withdraw wrong trials of a run, as `Catalog.mend` does, saying on stderr how far it is and what was found."""
    shown = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _EVERY_S:
            shown = time.monotonic()
            percent = 100 * done // max(total, 1)
            _say(progress, f"{run}: looking at trials that an earlier version stored, {percent}%", "checking", percent)

    if wrong := catalog.mend(run, tell):
        line = f"{run}: {len(wrong)} trials that an earlier version stored are wrong and simulated again: {told(wrong)}"
        _say(progress, line, "withdrawn", sorted(wrong))


def _say(progress: bool | Literal["json"], line: str, event: str, value: object) -> None:
    if progress == "json":
        time_ = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time_, "event": event, event: value, "message": line})
    if progress:
        print(line, file=sys.stderr, flush=True)
