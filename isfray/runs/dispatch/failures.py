"""What `simulate` raises when a run does not end with every trial in the catalog; and what films raise.

What is committed stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from isfray.runs.dispatch.ledger import Failure


class RunError(RuntimeError):
    """The run stopped early; the same call resumes it."""


class ReplayError(RuntimeError):
    """A trial that was simulated again is not the stored one."""


class TrialError(RuntimeError):
    """Some trials failed for reasons of their own; all others are committed.

    Attributes
    ----------
    run, catalog : str
        Name of the run, and where its results are.
    failures : tuple of Failure
        The failed trials in ascending order, each with its number, tries, error and traceback.
    """

    def __init__(self, run: str, catalog: str, failures: Sequence[Failure], total: int) -> None:
        self.run, self.catalog, self.total = run, catalog, total
        self.failures = tuple(sorted(failures, key=lambda failure: failure.trial))
        first, numbers = self.failures[0], [str(failure.trial) for failure in self.failures]
        shown = ", ".join(numbers[:20]) + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
        super().__init__(
            f"{len(numbers)} of {total} trials of {run} failed: {shown}; trial {first.trial}: {first.error}; "
            f"the other {total - len(numbers)} are in {catalog}"
        )

    def __reduce__(self) -> tuple[type[TrialError], tuple[str, str, tuple[Failure, ...], int]]:
        return TrialError, (self.run, self.catalog, self.failures, self.total)
