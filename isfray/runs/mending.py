"""Wrong trials of earlier versions, withdrawn before a run goes on; and what is said meanwhile."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Literal

from isfray.catalog import Catalog
from isfray.catalog.mending import now_and_then
from isfray.model.soundness import told


def mend(catalog: Catalog, run: str, progress: bool | Literal["json"]) -> None:
    """Withdraw wrong trials of a run, as `Catalog.mend` does, saying on stderr how far it is and what was found."""

    def checking(percent: int) -> None:
        line = f"{run}: looking at trials that an earlier version stored, {percent}%"
        _say(progress, line, "checking", percent)

    if wrong := catalog.mend(run, now_and_then(checking)):
        line = f"{run}: {len(wrong)} trials that an earlier version stored are wrong and simulated again: {told(wrong)}"
        _say(progress, line, "withdrawn", sorted(wrong))


def _say(progress: bool | Literal["json"], line: str, event: str, value: object) -> None:
    if progress == "json":
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, event: value, "message": line})
    if progress:
        print(line, file=sys.stderr, flush=True)
