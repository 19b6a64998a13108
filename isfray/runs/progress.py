"""How far a run is, shown on stderr: a bar on a terminal or in a notebook, plain lines now and then in a log file."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, Literal, Protocol, TextIO

from tqdm import tqdm

_SUMMED = ("total", "done", "before", "running", "unwritten", "retried", "failed", "bytes_written")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    run : str
        Its name.
    total, done, before : int
        Trials asked for, committed, and of these committed before this call.
    running, unwritten, retried, failed : int
        Trials that run now, that wait to be written, that were begun again, and that were given up.
    workers : int
        Actors at work.
    bytes_written : int
        Bytes stored by this call.
    seconds : float
        Since this call began.
    """

    run: str
    total: int
    done: int
    before: int
    running: int
    unwritten: int
    retried: int
    failed: int
    workers: int
    bytes_written: int
    seconds: float

    @staticmethod
    def of_all(name: str, each: Sequence[Progress]) -> Progress:
        """Sum over runs that are worked on together."""
        if len(each) == 1:
            return each[0]
        sums = {field: sum(getattr(one, field) for one in each) for field in _SUMMED}
        workers, seconds = (max(getattr(one, field) for one in each) for field in ("workers", "seconds"))
        sums["running"] = min(sums["running"], workers)
        return Progress(run=name, workers=workers, seconds=seconds, **sums)

    @property
    def rate(self) -> float:
        """Trials per second, simulated by this call."""
        return (self.done + self.unwritten - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> int:
        """Trials not simulated yet."""
        return self.total - self.done - self.unwritten - self.failed

    @property
    def seconds_left(self) -> float | None:
        """Time left at this rate, s; None before the first trial."""
        return self.left / self.rate if self.rate > 0 else None

    @property
    def notes(self) -> str:
        """What else there is to say, briefly."""
        parts = [f"{self.running} running" if self.workers else "waiting for a worker"] if self.left else []
        counts = ((self.unwritten, "to write"), (self.retried, "retried"), (self.failed, "failed"))
        parts += [f"{n} {what}" for n, what in counts if n]
        return ", ".join([*parts, f"{self.bytes_written / 1e6:.1f} MB written"])

    def __str__(self) -> str:
        percent = 100 * self.done // self.total if self.total else 100
        parts = [f"{self.run}: {self.done}/{self.total} trials ({percent}%)"]
        if self.seconds:
            parts.append(f"{self.rate:.2f}/s in {clock(self.seconds)}")
        if self.left and self.seconds_left is not None:
            parts.append(f"{clock(self.seconds_left)} left")
        return ", ".join([*parts, self.notes])


class Reporter(Protocol):
    """Shows progress."""

    def update(self, progress: Progress) -> None:
        """Show the present state."""
        ...

    def close(self) -> None:
        """Leave the last state standing."""
        ...


class Silent:
    """Shows nothing."""

    def update(self, progress: Progress) -> None:
        """See `Reporter.update`."""

    def close(self) -> None:
        """See `Reporter.close`."""


class Lines:
    """A line at the start, at the end, and now and then between.

    Parameters
    ----------
    file : text file
        Where to.
    every : float
        Least seconds between two lines.
    render : callable
        Makes the line.
    """

    def __init__(self, file: TextIO, every: float = 30.0, render: Callable[[Progress], str] = str) -> None:
        self.file, self.every, self.render = file, every, render
        self._shown: Progress | None = None
        self._last: Progress | None = None

    def update(self, progress: Progress) -> None:
        """See `Reporter.update`."""
        self._last, shown = progress, self._shown
        if shown is None or progress.seconds - shown.seconds >= self.every:
            self._show(progress)

    def close(self) -> None:
        """See `Reporter.close`."""
        if self._last is not None and self._last is not self._shown:
            self._show(self._last)

    def _show(self, progress: Progress) -> None:
        self._shown = progress
        print(self.render(progress), file=self.file, flush=True)


class Bar:
    """One moving line."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self._bar: Any = None

    def update(self, progress: Progress) -> None:
        """See `Reporter.update`."""
        if self._bar is None:
            self._bar = tqdm(
                desc=progress.run,
                total=progress.total,
                initial=progress.before,
                unit="trial",
                file=self.file,
                dynamic_ncols=True,
            )
        self._bar.set_postfix_str(progress.notes, refresh=False)
        self._bar.n = progress.done + progress.unwritten
        self._bar.refresh()

    def close(self) -> None:
        """See `Reporter.close`."""
        if self._bar is not None:
            self._bar.close()


class Replaced:
    """A bar and a line in a notebook, put in the place of those before; needs no widgets."""

    def __init__(self) -> None:
        self._shown: Any = None

    def update(self, progress: Progress) -> None:
        """See `Reporter.update`."""
        self.show(progress.done + progress.unwritten, progress.total, str(progress))

    def show(self, done: int, total: int, line: str) -> None:
        """Put `done` of `total` and a line in the place of what was shown."""
        from IPython.display import display

        bar = f'<progress max="{total}" value="{done}" style="width:14em;vertical-align:middle"></progress>'
        data = {"text/plain": line, "text/html": f"<div>{bar} {escape(line)}</div>"}
        if self._shown is None:
            self._shown = display(data, raw=True, display_id=True)
        else:
            self._shown.update(data, raw=True)

    def close(self) -> None:
        """See `Reporter.close`."""


class Steps:
    """Counts steps, such as frames: a bar on a terminal, a replaced line in a notebook, elsewhere nothing.

    Parameters
    ----------
    total : int
        Steps in all.
    unit, of : str
        What a step is, and what it is one of.
    show : bool
        Whether to show anything.
    """

    def __init__(self, total: int, unit: str, of: str, *, show: bool) -> None:
        self._done, self._total, self._unit, self._of, self._note = 0, total, unit, of, ""
        notebook = show and "ipykernel" in sys.modules
        self._page = Replaced() if notebook else None
        shown = show and not notebook and sys.stderr.isatty()
        self._bar = tqdm(total=total, unit=unit, desc=of, disable=not shown)

    def note(self, text: str) -> None:
        """Say what goes on."""
        self._note = text
        self._bar.set_postfix_str(text)
        self.update(0)

    def update(self, n: int = 1) -> None:
        """Count n more."""
        self._done += n
        self._bar.update(n)
        if self._page is not None:
            rest = f", {self._note}" if self._note else ""
            self._page.show(self._done, self._total, f"{self._of}: {self._done}/{self._total} {self._unit}s{rest}")

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


class Records:
    """One JSON object a line: how far the run is, now and then, and what happens meanwhile.

    Parameters
    ----------
    file : text file
        Where to.
    every : float
        Least seconds between two lines about progress.
    """

    def __init__(self, file: TextIO, every: float = 30.0) -> None:
        self.file = file
        self._lines = Lines(file, every, render=_record)
        self._log, self._handler = logging.getLogger("isfray"), logging.StreamHandler(file)
        self._handler.setFormatter(_Record())
        self._log.addHandler(self._handler)
        self._level = self._log.level
        self._log.setLevel(logging.INFO)

    def update(self, progress: Progress) -> None:
        """See `Reporter.update`."""
        self._lines.update(progress)

    def close(self) -> None:
        """See `Reporter.close`."""
        self._lines.close()
        self._log.setLevel(self._level)
        self._log.removeHandler(self._handler)


class _Record(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {"level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps({"time": _now(), "event": "log", **event})


def _record(progress: Progress) -> str:
    left = None if progress.seconds_left is None else round(progress.seconds_left, 1)
    more = {"trials_per_second": round(progress.rate, 4), "seconds_left": left}
    return json.dumps({"time": _now(), "event": "progress", **asdict(progress), **more})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def reporter(show: bool | Literal["json"], file: TextIO | None = None) -> Reporter:
    """Return what suits the place stderr leads to."""
    file = file or sys.stderr
    if show == "json":
        return Records(file)
    if not show:
        return Silent()
    if "ipykernel" in sys.modules:
        return Replaced()
    return Bar(file) if file.isatty() else Lines(file)


def clock(seconds: float) -> str:
    """Return seconds as 1:05 or 2:00:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
