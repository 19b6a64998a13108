"""Answers of actors as a queue of events: work per answer is the same with two actors and with two thousand."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import ray


class Events:
    """What is to be handled next, one callable each, in order of arrival."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def put(self, event: Callable[[], None]) -> None:
        """Add an event; from any thread."""
        self._queue.put(event)

    def watch(self, ref: ray.ObjectRef[Any], handle: Callable[[Future[Any]], None]) -> None:
        """Add `handle(future)` as an event once `ref` has a value or an error."""
        ref.future().add_done_callback(lambda future: self._queue.put(partial(handle, future)))

    def handle(self, timeout: float, most: int = 1000) -> None:
        """Wait up to `timeout` s for an event, then handle those that are there (`most` at once)."""
        try:
            self._queue.get(timeout=max(timeout, 0.001))()
            for _ in range(most):
                self._queue.get_nowait()()
        except queue.Empty:
            pass
