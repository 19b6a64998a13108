"""Ray tasks that simulate a trial again and draw its frames, chunk by chunk, from one array in the object store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np
import ray

from isfray.arrays import U8
from isfray.look.canvas import Packed
from isfray.look.segments import SegmentTraces
from isfray.runs import session
from isfray.runs.dispatch.failures import RunError
from isfray.runs.replay import Replay, Replayed

T = TypeVar("T")

CHUNK = 8
"""Frames of a task, fewer near the end of a film: what the loss of a renderer costs."""
_AHEAD = 2  # chunks begun per CPU: frames that wait to be written must not fill the object store
_RETRIES = 5  # of a task whose process died


class Scene(Protocol):
    """What draws frames; must pickle."""

    def frame(self, number: int, traces: SegmentTraces) -> U8:
        """Draw one frame; shape (height, width, 3)."""
        ...


def simulate_again(replay: Replay) -> tuple[Any, Replayed]:
    """Simulate a trial again in a process of its own; the result stays in the object store too, for renderers.

    Returns
    -------
    ray.ObjectRef, Replayed
    """
    # NEURON's state must not meet that of another trial or the renderers' memory: the process ends with the task.
    task = ray.remote(num_cpus=1, max_retries=_RETRIES, max_calls=1)(_simulate)
    ref = task.options(name="isfray replay").remote(replay)
    return ref, _get(ref)


def _simulate(replay: Replay) -> Replayed:
    return replay()


def render(
    scene: Scene,
    replayed: Any,
    frames: int,
    pack: Callable[[U8], bytes] | None = None,
    tell: Callable[[int], object] = lambda n: None,
) -> Iterator[Packed]:
    """Draw frames on all CPUs of the cluster.

    A renderer that dies costs the chunk it drew, which another draws again: the same frames, for they depend on the
    scene and the array only.

    Parameters
    ----------
    scene : Scene
    replayed : ray.ObjectRef
        Of the `Replayed` whose traces are drawn.
    frames : int
        How many.
    pack : callable, optional
        What to make of each frame's pixels before it leaves the renderer.
    tell : callable
        Told how many more frames are done.

    Yields
    ------
    ndarray of uint8, shape (height, width, 3), or what `pack` makes of it
        In order.
    """
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(draw).options(name="isfray frames")
    shared = ray.put(scene)
    begun: deque[Any] = deque()
    first = 0
    try:
        while True:
            cpus = max(1, session.cpus())  # an autoscaled cluster grows meanwhile
            while first < frames and len(begun) < _AHEAD * cpus:
                last = first + chunk(frames - first, cpus)
                begun.append(task.remote(shared, replayed, first, last, pack))
                first = last
            if not begun:
                return
            drawn = _get(begun.popleft())
            yield from drawn
            tell(len(drawn))
    finally:
        for ref in begun:
            ray.cancel(ref)


def chunk(left: int, renderers: int) -> int:
    """How many of the frames left make the next chunk: fewer towards the end, so that renderers end together."""
    return min(CHUNK, -(-left // (2 * renderers)))


def draw(scene: Scene, replayed: Replayed, first: int, last: int, pack: Callable[[U8], bytes] | None) -> Any:
    """Draw frames `first` to `last` - 1: a list of packed ones, or an array of their pixels."""
    frames = (scene.frame(number, replayed.traces) for number in range(first, last))
    if pack is not None:
        return [pack(frame) for frame in frames]
    start = next(frames)
    pixels = np.empty((last - first, *start.shape), start.dtype)  # one buffer: cheaper to hand over than one a frame
    pixels[0] = start
    for place, frame in zip(pixels[1:], frames, strict=True):
        place[...] = frame
    return pixels


def _get(ref: Any) -> Any:
    """Return a task's result, or raise what it raised as if it had been raised here."""
    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise RunError(f"Ray lost the film: {' '.join(str(error).split())[:300]}") from None
