"""The one error a user's mistake raises."""

from __future__ import annotations

import os
from typing import Any

_ABSENT: Any = object()
_MOST, _PATH = 560, 330  # letters of a message, and of a path in it


class InputError(ValueError):
    """Wrong input, told in one line: where it is, what it is, and what was expected.

    Parameters
    ----------
    problem : str
        What is wrong, in words a user of the file knows.
    file : str, optional
        The file (or URI) the input came from.
    line : int, optional
        Line in that file, counted from 1.
    key : str, optional
        Dotted key in the file, or the name of the argument.
    value : Any, optional
        The value found there.
    expected : str, optional
        What would have been right.

    Examples
    --------
    >>> str(InputError("is negative", file="network.param", key="VPM_C2.interval", value=-3.0, expected="> 0 ms"))
    'network.param: VPM_C2.interval = -3.0 is negative; expected > 0 ms'
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        line: int | None = None,
        key: str | None = None,
        value: Any = _ABSENT,
        expected: str | None = None,
    ) -> None:
        self.problem, self.file, self.line, self.key, self.expected = problem, file, line, key, expected
        self.value = None if value is _ABSENT else value
        place = _ends(file) if file else ""
        where = f"{place}:{line}: " if file and line else f"{place}: " if file else f"line {line}: " if line else ""
        what = key or ""
        if value is not _ABSENT:
            shown = _shown(value)
            shown = _ends(shown) if _is_path(value) else shown if len(shown) <= 80 else shown[:77] + "..."
            what = f"{what} = {shown}" if what else shown
        message = f"{where}{what}{' ' if what else ''}{problem}"
        if expected:
            message += f"; expected {expected}"
        line_of_it = _printable(" ".join(message.split()))
        super().__init__(line_of_it if len(line_of_it) <= _MOST else line_of_it[: _MOST - 3] + "...")

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process borders (Ray); rebuild from the finished message, keep the fields.
        return _rebuild, (str(self), self.__dict__.copy())


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # whatever was given: a number of more digits than Python writes, an object of someone's own
        return f"<{type(value).__name__}>"


def _printable(text: str) -> str:
    """A text with what a terminal would obey, or cannot show, written as an escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _ends(path: str) -> str:
    """A path with its middle left out if it is long: the name of the file is at its end."""
    return path if len(path) <= _PATH else f"{path[:30]}...{path[33 - _PATH :]}"


def _is_path(value: Any) -> bool:
    """Whether it may name a file, whose name is at the end."""
    return isinstance(value, os.PathLike) or (isinstance(value, str) and "/" in value)


def _rebuild(message: str, fields: dict[str, Any]) -> InputError:
    error = InputError(message)
    error.__dict__.update(fields)
    return error
