"""A run or a sweep in progress, as its caller holds it."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence

from isfray.catalog import Catalog
from isfray.model.display import Facts, Shown
from isfray.runs.dispatch.failures import TrialError
from isfray.runs.dispatch.ledger import Failure
from isfray.runs.display import run_facts, sweep_facts
from isfray.runs.progress import Progress


class RunHandle(Shown):
    """A run of trials, in progress or over.

    Iterating gives the numbers of the trials this call simulated, as they are committed.

    Attributes
    ----------
    name : str
        Name of the run.
    catalog : Catalog
        Where its results are.
    """

    def __init__(self, name: str, catalog: Catalog, progress: Progress) -> None:
        self.name, self.catalog = name, catalog
        self._progress = progress
        self._committed = array("i")
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._failures: tuple[Failure, ...] = ()
        self._stop: Callable[[], None] = lambda: None
        self._over = False
        self._cancelled = False

    def _facts(self) -> Facts:
        return run_facts(self._progress, self.catalog.uri, _state(self), [f.trial for f in self._failures])

    def __iter__(self) -> Iterator[int]:
        position = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda at=position: self._over or len(self._committed) > at)  # type: ignore[misc]
                news = self._committed[position:]
            if not news:
                return
            yield from news
            position += len(news)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self._over

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end early."""
        return self._cancelled

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Trials that were given up, once the run is over, with number, tries, error and traceback of each."""
        return self._failures

    def progress(self) -> Progress:
        """How far the run is.

        Returns
        -------
        Progress
            Trials done, running, unwritten and failed; rate; time left, s.

        Examples
        --------
        >>> progress = run.progress()
        >>> progress.done, progress.total, progress.left
        (8, 8, 0)
        """
        return self._progress

    def cancel(self) -> None:
        """Ask the run to end: it begins nothing more, writes what is simulated, and can be resumed. Returns at once.

        One run of a sweep ends with the whole sweep.

        Examples
        --------
        >>> run.cancel()
        >>> run.cancelled
        True
        """
        self._cancelled = True
        self._stop()

    def wait(self, timeout: float | None = None) -> RunHandle:
        """Wait until the run is over.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        RunHandle
            Itself.

        Raises
        ------
        TrialError
            If some trials failed for reasons of their own; all others are committed.
        RunError
            If the run could not go on.
        TimeoutError
            If it is not over in time.

        Examples
        --------
        >>> run.wait(timeout=60.0)
        <RunHandle stim_C2: 8 of 8 trials committed>
        """
        if not self.join(timeout):
            raise TimeoutError(f"run {self.name} is not over after {timeout} s: {self._progress}")
        if self._error is not None:
            raise self._error
        if self._failures:
            raise TrialError(self.name, self.catalog.uri, self._failures, self._progress.total)
        return self

    def join(self, timeout: float | None = None) -> bool:
        """Wait like `wait`, but raise nothing; returns whether the run is over.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        bool

        Examples
        --------
        >>> run.join(timeout=60.0)
        True
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._over, timeout)

    # told by the driver thread

    def _tell(self, progress: Progress) -> None:
        self._progress = progress

    def _tell_committed(self, trials: Sequence[int]) -> None:
        with self._changed:
            self._committed.extend(trials)
            self._changed.notify_all()

    def _tell_over(self, failures: Sequence[Failure], error: BaseException | None) -> None:
        with self._changed:
            self._failures = tuple(sorted(failures, key=lambda failure: failure.trial))
            self._error, self._over = error, True
            self._changed.notify_all()


class SweepHandle(Shown, Mapping[str, RunHandle]):
    """Runs that are worked on together, in progress or over: a mapping from variant to its `RunHandle`.

    Attributes
    ----------
    name : str
        Name of the sweep; the run of variant V is called NAME.V.
    catalog : Catalog
        Where the results are.
    """

    def __init__(self, name: str, catalog: Catalog, runs: Mapping[str, RunHandle]) -> None:
        self.name, self.catalog = name, catalog
        self._runs = dict(runs)

    def __getitem__(self, variant: str) -> RunHandle:
        return self._runs[variant]

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def _facts(self) -> Facts:
        runs = {name: (run.progress(), _state(run)) for name, run in self.items()}
        return sweep_facts(self.progress(), self.catalog.uri, runs)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return all(run.over for run in self.values())

    def progress(self) -> Progress:
        """How far all runs together are.

        Returns
        -------
        Progress
            Sums over the runs.

        Examples
        --------
        >>> sweep.progress().total
        6
        """
        return Progress.of_all(self.name, [run.progress() for run in self.values()])

    def cancel(self) -> None:
        """Ask all runs to end, as `RunHandle.cancel` does.

        Examples
        --------
        >>> sweep.cancel()
        >>> [run.cancelled for run in sweep.values()]
        [True, True, True]
        """
        for run in self.values():
            run.cancel()

    def wait(self, timeout: float | None = None) -> SweepHandle:
        """Wait until all runs are over, and raise what `RunHandle.wait` raises, for the first run that has a reason.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        SweepHandle
            Itself.

        Raises
        ------
        TrialError, RunError, TimeoutError
            As `RunHandle.wait`.

        Examples
        --------
        >>> sweep.wait(timeout=60.0)
        <SweepHandle touch: 6 of 6 trials committed>
        """
        if not self.join(timeout):
            raise TimeoutError(f"sweep {self.name} is not over after {timeout} s: {self.progress()}")
        for run in self.values():
            run.wait()
        return self

    def join(self, timeout: float | None = None) -> bool:
        """Wait like `wait`, but raise nothing; returns whether all runs are over.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        bool

        Examples
        --------
        >>> sweep.join(timeout=60.0)
        True
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        return all(run.join(None if deadline is None else deadline - time.monotonic()) for run in self.values())


def _state(run: RunHandle) -> str:
    if not run.over:
        return "ending" if run.cancelled else "in progress"
    return "over" if run._error is None else f"stopped: {run._error}"
