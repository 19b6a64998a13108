"""Ports for servers of a test's own."""

from __future__ import annotations

import random
import socket

# Below the range that outgoing connections take theirs from, and above that of Ray's workers.
_FIRST, _LAST = 20_000, 32_768


def free_ports(count: int, *, above: int = 0) -> list[int]:
    """Return different ports nobody listens on; `above`: the one so far above each is free too."""
    shuffled = random.SystemRandom().sample(range(_FIRST, _LAST - above), _LAST - above - _FIRST)
    free = (port for port in shuffled if _is_free(port) and _is_free(port + above))
    return [next(free) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
