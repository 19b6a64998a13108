"""The one error a user's mistake raises."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str | int, ...]
"""Where in a file or an argument a value stands: the keys that lead to it."""

_ABSENT: Any = object()
_MOST, _PATH = 560, 330  # letters of a message, and of a path in it
_WORDS = r"(?:secret|token|passw(?:or)?d|passphrase|signature|credential|access_?key|api_?key|\bsig\b|\bsas\b)"
_SECRET_NAME = re.compile(rf"key|.*{_WORDS}.*", re.IGNORECASE)
_PORT = r"(?!(?:(?<=http://)|(?<=https://))[^\s/@:]*:\d+(?:/|$))"  # what follows a colon there
_USER_INFO = re.compile(rf"""(\w[\w+.-]*://){_PORT}[^\s/@'"]*:[^\s'"]*@""")
_QUERY = re.compile(rf"""([?&;][\w.-]*{_WORDS}[\w.-]*=)[^&\s'"]+""", re.IGNORECASE)


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
    key : str or Key, optional
        Key in the file (dotted, or the keys that lead there), or the name of the argument.
    value : Any, optional
        The value found there.
    expected : str, optional
        What would have been right.
    passing : bool
        Whether it is likely to be right after a while, with nothing changed: a store in trouble.

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
        key: str | Key | None = None,
        value: Any = _ABSENT,
        expected: str | None = None,
        passing: bool = False,
    ) -> None:
        problem, file, expected, value = (redacted(given) for given in (problem, file, expected, value))
        self.passing = passing
        self.path: Key = key if isinstance(key, tuple) else (key,) if key else ()
        key = dotted(self.path) or None
        self.problem, self.file, self.line, self.key, self.expected = problem, file, line, key, expected
        self.has_value, self.value = value is not _ABSENT, None if value is _ABSENT else value
        place = _ends(str(file)) if file else ""
        where = f"{place}:{line}: " if file and line else f"{place}: " if file else f"line {line}: " if line else ""
        what = _short(key or "", 160)
        if value is not _ABSENT:
            shown = _ends(_shown(value)) if _is_path(value) else _short(_shown(value), 80)
            what = f"{what} = {shown}" if what else shown
        message = f"{where}{what}{' ' if what else ''}{_short(problem, 240)}"
        if expected:
            message += f"; expected {expected}"
        super().__init__(_short(_printable(" ".join(message.split())), _MOST))

    def at(
        self, *, file: str | None = None, line: int | None = None, under: Key = (), value: Any = _ABSENT
    ) -> InputError:
        """Return the same error, told of the place where its input came from; what is not given stays.

        Parameters
        ----------
        file : str, optional
            The file it stands in.
        line : int, optional
            The line in that file.
        under : Key
            Keys that lead to its key.
        value : Any, optional
            The value as it is written there.

        Returns
        -------
        InputError
            Another one; this stays as it is.

        Examples
        --------
        >>> error = isfray.InputError("is negative", key="interval", value=-3.0)
        >>> str(error.at(file="a.param", line=7, under=("INH",)))
        'a.param:7: INH.interval = -3.0 is negative'
        """
        if value is _ABSENT and self.has_value:
            value = self.value
        return InputError(
            self.problem,
            file=file or self.file,
            line=line or self.line,
            key=(*under, *self.path),
            expected=self.expected,
            passing=self.passing,
            value=value,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process borders (Ray); rebuild from the finished message, keep the fields.
        return _rebuild, (str(self), self.__dict__.copy())


def dotted(path: Key) -> str:
    """Return a key path as users write it: `network.VPM_C2.celltype.intervals[3]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # whatever was given: a number of more digits than Python writes, an object of someone's own
        return f"<{type(value).__name__}>"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _ends(path: str) -> str:
    """A path with its middle left out if it is long: the name of the file is at its end."""
    return path if len(path) <= _PATH else f"{path[:30]}...{path[33 - _PATH :]}"


def _printable(text: str) -> str:
    """A text with what a terminal would obey, or cannot show, written as an escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def redacted(value: Any) -> Any:
    """Return something without the secrets in it: `key:secret@` and `?signature=` of URIs, values of secret names.

    Parameters
    ----------
    value : Any
        Text, a mapping or a list of such, or anything else, which is returned as it is.

    Examples
    --------
    >>> redacted("s3://key:secret@bucket/results")
    's3://***@bucket/results'
    >>> redacted({"secret": "abc", "anon": False})
    {'secret': '***', 'anon': False}
    """
    if isinstance(value, str):
        return _QUERY.sub(r"\1***", _USER_INFO.sub(r"\1***@", value)) if "://" in value or "?" in value else value
    if isinstance(value, os.PathLike):
        text = os.fspath(value)
        return value if redacted(text) == text else redacted(text)
    if isinstance(value, Mapping):
        return {key: "***" if is_secret(key) else redacted(inner) for key, inner in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(redacted, value))
    return value


def is_secret(name: Any) -> bool:
    """Whether what is called so is not to be shown."""
    return isinstance(name, str) and _SECRET_NAME.fullmatch(name) is not None


def _is_path(value: Any) -> bool:
    """Whether it may name a file, whose name is at the end."""
    return isinstance(value, os.PathLike) or (isinstance(value, str) and "/" in value)


def _rebuild(message: str, fields: dict[str, Any]) -> InputError:
    error = InputError(message)
    error.__dict__.update(fields)
    return error
