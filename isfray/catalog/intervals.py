"""Sets of trials that cost by their intervals, however many trials they hold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import overload

from isfray.catalog.log import Commit, Ranges, union


class Intervals(Sequence[int]):
    """Ascending whole numbers, kept as inclusive ranges."""

    def __init__(self, of: Ranges) -> None:
        self._ranges = [range(a, b + 1) for a, b in of]
        self._begins = [0, *accumulate(map(len, self._ranges))]

    def __len__(self) -> int:
        return self._begins[-1]

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> list[int]: ...

    def __getitem__(self, at: int | slice) -> int | list[int]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        at += len(self) if at < 0 else 0
        if not 0 <= at < len(self):
            raise IndexError(at)
        here = bisect_right(self._begins, at) - 1
        return self._ranges[here][at - self._begins[here]]


def committed_ranges(commits: Iterable[Commit]) -> Ranges:
    """Trials of some commits."""
    return union((), tuple(one for commit in commits for one in commit.trials))


def count(of: Ranges) -> int:
    """How many numbers there are in some ranges that do not touch."""
    return sum(b - a + 1 for a, b in of)


def missing(asked: Ranges, there: Ranges) -> Intervals:
    """Those of the trials asked for that are not there; both ascending, without overlaps."""
    gaps, others = list[tuple[int, int]](), iter((*there, (2**63, 2**63)))
    low, high = next(others)
    for a, b in asked:
        while a <= b:
            while high < a:
                low, high = next(others)
            if low > a:
                gaps.append((a, min(b, low - 1)))
            a = max(a, high + 1) if low <= b else b + 1
    return Intervals(tuple(gaps))
