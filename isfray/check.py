"""One set of checks of what is given to isfray: numbers, whole numbers, files, names."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from isfray.errors import InputError

_NEAREST = 3  # names offered for one that is not known
_LISTED = 12  # words that are all listed where one was expected
_NAME, _PATH = 255, 4095  # bytes that a file's name, and a path, may have
_MOST_ITEMS = 1_000_000  # of a list that an argument may have


def number(
    key: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    unit: str = "",
) -> float:
    """Return a finite number within its bounds (`above` and `below` are exclusive) as a float.

    Parameters
    ----------
    key : str
        Name of the argument.
    value : Any
        A number of Python's or NumPy's; a truth value is none.
    above, least, below, most : float, optional
        Bounds.
    unit : str
        What it is measured in, for the message.

    Raises
    ------
    InputError
        If it is something else.
    """
    limits = ((">", above), (">=", least), ("<", below), ("<=", most))
    bounds = " and ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)
    expected = " ".join(f"a number {bounds} {unit}".split())
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError("is not a number", key=key, value=value, expected=expected)
    try:
        given = float(value)
    except OverflowError:
        given = math.inf
    if not math.isfinite(given):
        raise InputError("is not a finite number", key=key, value=value, expected=expected)
    if (
        (above is not None and given <= above)
        or (least is not None and given < least)
        or (below is not None and given >= below)
        or (most is not None and given > most)
    ):
        raise InputError("is out of range", key=key, value=value, expected=expected)
    return given


def whole(key: str, value: Any, least: int, most: int | None = None) -> int:
    """Return a whole number of Python's or NumPy's within its bounds, both inclusive, as an int.

    Raises
    ------
    InputError
        If it is something else.
    """
    given = int(value) if not isinstance(value, bool) and isinstance(value, Integral) else None
    if given is None or given < least or (most is not None and given > most):
        expected = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
        raise InputError("is not valid", key=key, value=value, expected=expected)
    return given


def items(key: str, value: Any, expected: str) -> list[Any]:
    """Return the items of a list, or of what else there is to go through; a text or a number is no list.

    Raises
    ------
    InputError
        If it is something else, or does not end.
    """
    if not isinstance(value, str | bytes | Mapping):
        with suppress(TypeError):  # what only looks as if it could be gone through
            found = list(islice(value, _MOST_ITEMS + 1))
            if len(found) <= _MOST_ITEMS:
                return found
    raise InputError("is not a list", key=key, value=value, expected=expected)


def window(start: Any, end: Any, *, keys: tuple[str, str] = ("t_min", "t_max")) -> tuple[float | None, float | None]:
    """Return the ends of a window of time in ms, either of which may be None, as floats.

    Raises
    ------
    InputError
        If one is no finite number, or the window ends before it begins.
    """
    low, high = (
        None if value is None else number(key, value, unit="ms") for key, value in zip(keys, (start, end), strict=True)
    )
    if low is not None and high is not None and not low < high:
        raise InputError("is not after " + keys[0], key=keys[1], value=high, expected=f"above {low:g} ms")
    return low, high


def one_of(key: str, value: Any, known: Collection[str], problem: str = "is not known") -> str:
    """Return one of some words.

    Raises
    ------
    InputError
        If it is something else; the nearest are offered.
    """
    if isinstance(value, str) and value in known:
        return value
    few = len(known) <= _LISTED
    expected = "one of " + ", ".join(known) if few else nearest(value if isinstance(value, str) else "", known)
    raise InputError(problem, key=key, value=value, expected=expected)


def words(key: str, value: Any, expected: str) -> tuple[str, ...]:
    """Return a list of words; one word alone is no list.

    Raises
    ------
    InputError
        If it is something else.
    """
    found = items(key, value, expected)
    if not all(isinstance(word, str) for word in found):
        raise InputError("is no list of names", key=key, value=value, expected=expected)
    return tuple(found)


def path(key: str, value: Any) -> Path:
    """Return a path of this machine with ``~`` expanded; whether there is something is not asked.

    Raises
    ------
    InputError
        If it is no path, empty, or one that no file can have.
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError("is not a path", key=key, value=value, expected="a path")
    text = os.fspath(value)
    if not isinstance(text, str) or not text.strip():
        raise InputError("is not a path", key=key, value=value, expected="a path")
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:
        name = b"\0"
    if b"\0" in name or len(name) > _PATH or any(len(part) > _NAME for part in name.split(b"/")):
        raise InputError("cannot be a path", key=key, value=text[:60], expected=f"names of 1 to {_NAME} bytes, no NUL")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # a home folder that nobody has
        raise InputError("names a home folder that is not there", key=key, value=text, expected="a path") from None


def name_of_file(key: str, value: Any, *, file: str | None = None) -> str:
    """Return one name that a file may have on every system: no separators, no ``..``, nothing that cannot be printed.

    What is read from a catalog, a bundle or a folder goes through here before it becomes part of a path.

    Raises
    ------
    InputError
        If it is something else; `file` says where it was read.
    """
    if (
        not isinstance(value, str)
        or not value
        or value in {".", ".."}
        or re.search(r"[/\\]", value)
        or not value.isprintable()
        or len(value.encode("utf-8", "replace")) > 255
    ):
        raise InputError("cannot be the name of a file", file=file, key=key, value=value, expected="a name without /")
    return value


def nearest(word: str, known: Iterable[str]) -> str:
    """Return what to suggest for a misspelt word: one name that is close, else the three nearest and how many more."""
    names = sorted(set(known))
    if not names:
        return "nothing here"
    if len(names) <= _NEAREST:
        return _close(word, names) or "one of " + ", ".join(names)
    if close := _close(word, names):
        return close
    by_likeness = sorted(names, key=lambda name: -_likeness(word, name))[:_NEAREST]
    return f"one of {', '.join(by_likeness)} or {len(names) - _NEAREST} more"


def _close(word: str, names: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word[:100], names, n=1, cutoff=0.7)), None)


def _likeness(word: str, name: str) -> float:
    """Of a word and a name or one of its parts, 0 to 1: `VPN` is like `VPM_C2`."""
    word = word[:100].casefold()
    parts = {name.casefold(), *re.split(r"[^0-9a-z]+", name.casefold())} - {""}
    return max((difflib.SequenceMatcher(None, word, part).ratio() for part in parts), default=0.0)


def bound(name: str, default: int) -> int:
    """Return a bound on what may be asked for, or what its environment variable says instead."""
    said = os.environ.get(name, "")
    return int(said) if said.isdecimal() and len(said) < 20 else default


def lift(name: str, most: int) -> str:
    """Return what is expected below a bound, and how to set another one."""
    return f"at most {most:,}; the environment variable {name} sets another bound"
