"""Everything that is public: what a user calls, by the name a user writes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import isfray
from isfray import analysis, edits
from isfray.catalog.snapshot import Snapshot

ROOMS = {"isfray": isfray, "isfray.analysis": analysis, "isfray.edits": edits}


def public() -> dict[str, Any]:
    """Functions, classes, and the public methods and properties of these classes."""
    found = dict(_named())
    found["isfray.catalog.snapshot.Snapshot"] = Snapshot
    for name, thing in list(found.items()):
        if inspect.isclass(thing):
            found |= {f"{name}.{key}": method for key, method in _methods(thing)}
    return found


def functions() -> dict[str, Any]:
    """Of these, what is called: functions and methods, and classes that a user makes."""
    made_by_users = ("isfray.Catalog", "isfray.Simulator", "isfray.CurrentClamp")
    return {n: t for n, t in public().items() if inspect.isfunction(t) or n in made_by_users}


def _named() -> Iterator[tuple[str, Any]]:
    for room, module in ROOMS.items():
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield f"{room}.{name}", thing


def _methods(of: type) -> Iterator[tuple[str, Any]]:
    for owner in of.__mro__:
        if owner.__module__.startswith("isfray"):
            for key, value in vars(owner).items():
                if not key.startswith("_") and inspect.isfunction(value):
                    yield key, value
