"""How far a run is, as metrics of Ray, for Prometheus to scrape. Ray puts `ray_` before each name."""

from __future__ import annotations

from collections.abc import Callable

from ray.util.metrics import Counter, Gauge

from isfray.runs.progress import Progress

_Table = dict[str, tuple[str, Callable[[Progress], float]]]

COUNTERS: _Table = {
    "isfray_trials_done_total": ("trials committed to the catalog", lambda p: p.done - p.before),
    "isfray_trials_retried_total": ("trials that were begun again", lambda p: p.retried),
    "isfray_trials_failed_total": ("trials that were given up", lambda p: p.failed),
    "isfray_written_bytes_total": ("bytes stored in the catalog", lambda p: p.bytes_written),
}
GAUGES: _Table = {
    "isfray_trials_running": ("trials that run", lambda p: p.running),
    "isfray_trials_unwritten": ("trials that are simulated and not yet committed", lambda p: p.unwritten),
    "isfray_trials_left": ("trials not simulated yet", lambda p: p.left),
    "isfray_workers": ("simulation actors at work", lambda p: p.workers),
    "isfray_time_left_seconds": ("time left at the present rate", lambda p: p.seconds_left or 0.0),
}


class Metrics:
    """Metrics of one run or sweep, by the tag `run`.

    Parameters
    ----------
    name : str
        Of the run or sweep.
    """

    def __init__(self, name: str) -> None:
        self._tags = {"run": name}
        self._counters = {key: Counter(key, about, tag_keys=("run",)) for key, (about, _) in COUNTERS.items()}
        self._gauges = {key: Gauge(key, about, tag_keys=("run",)) for key, (about, _) in GAUGES.items()}
        self._counted = dict.fromkeys(COUNTERS, 0.0)

    def update(self, progress: Progress) -> None:
        """Tell Ray the present state."""
        for key, gauge in self._gauges.items():
            gauge.set(GAUGES[key][1](progress), self._tags)
        for key, counter in self._counters.items():
            if (news := COUNTERS[key][1](progress) - self._counted[key]) > 0:
                counter.inc(news, self._tags)
                self._counted[key] += news
