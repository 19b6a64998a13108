"""The `.param` syntax (docs/formats.md, Parameter files): a Python or JSON literal, read without running anything.

ISF rewrites the text to JSON by global replacement, which alters some paths and refuses nested tuples. Here the union
of both languages is parsed: JSON, Python literals, trailing commas, comments, `None`/`null`, `True`/`true`. Tuples come
back as lists; key order is kept, because it carries meaning. What a text can cost is bounded: by its size, by how deep
it is nested, and by how long a number is.
"""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, NoReturn

import numpy as np

from isfray.errors import InputError, Key, dotted

MOST_BYTES = 16 * 2**20
"""Largest parameter file that is read: twenty-five times the largest one that was published."""

_DEEPEST, _LONGEST_NUMBER = 100, 400  # mappings and lists in each other; characters
_NAMES: dict[str, Any] = {"null": None, "None": None, "true": True, "True": True, "false": False, "False": False}
_SPACE = re.compile(r"(?:[\s\ufeff]++|#[^\n\r]*+|\\\r?\n)*+")
_STRING = re.compile(
    r'''[uUrR]?+(?:"""(?:[^\\"]|\\.|"(?!""))*+"""|\'\'\'(?:[^\\']|\\.|'(?!\'\'))*+\'\'\''''
    r"""|"(?:[^"\\\n\r]++|\\.)*+"|'(?:[^'\\\n\r]++|\\.)*+')""",
    re.DOTALL,
)
_DIGITS = r"(?:\d[\d_]*+\.?+[\d_]*+|\.\d[\d_]*+)(?:[eE][+-]?\d[\d_]*+)?"
_NUMBER = re.compile(rf"([+-]?)[ \t]*+(0[xX][\da-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++|{_DIGITS})(?![\w.])", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?[ \t]*+(?:nan|inf|infinity)\b", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z]++(?!\w)")
_NUMBERS = re.compile(r"[\s\d.,eE+\-]*+(?=[\])])", re.ASCII)  # all that a list holds
_PLAIN = "strings, numbers, lists, mappings, true, false or null"


@dataclass(frozen=True)
class ParamFile:
    """A parsed `.param` file.

    Attributes
    ----------
    data : dict
        The content: nested dicts, lists, strings, numbers, booleans and None.
    file : str
        The file's name, for messages.
    text : str
        What was parsed; empty where the content came from a program.
    """

    data: dict[str, Any]
    file: str
    text: str = field(default="", repr=False)

    def line(self, path: Key) -> int | None:
        """Line on which the key (or its nearest enclosing key) stands; None if it is nowhere in the file."""
        reader = _Reader(self.text, self.file, path)
        if self.text:
            reader.whole()
        return None if reader.found is None else reader.line(reader.found)

    def placed(self, error: InputError, under: Key = ()) -> InputError:
        """Return an error told of where in this file its key stands, below the keys `under`, and what is there."""
        path: Key = (*under, *error.path)
        written: Any = self.data
        try:
            for step in path:
                written = written[step]
        except (KeyError, IndexError, TypeError):
            written = {}
        value = {} if isinstance(written, dict) else {"value": written}
        return error.at(file=self.file, line=self.line(path), under=under, **value)

    def error(self, path: Key, problem: str, *, expected: str | None = None) -> InputError:
        """Return the InputError for the value at `path`."""
        return self.placed(InputError(problem, key=path, expected=expected))


def parse_param(text: str, file: str) -> ParamFile:
    """Parse the text of a `.param` file.

    Parameters
    ----------
    text : str
        Content of the file.
    file : str
        Its name, for messages.

    Returns
    -------
    ParamFile

    Raises
    ------
    InputError
        If the text is not a literal mapping, a key stands twice in one mapping, or it is too large.
    """
    if len(text) > MOST_BYTES:
        raise InputError(
            f"has {len(text):,} characters", file=file, expected=f"a parameter file of at most {MOST_BYTES:,}"
        )
    return ParamFile(_Reader(text, file).whole(), file, text)


class _Reader:
    """Reads one text from its beginning; on the way notes where the wanted key, or what encloses it, stands."""

    def __init__(self, text: str, file: str, wanted: Key = ()) -> None:
        self.text, self.file, self.wanted = text, file, wanted
        self.at = self.depth = 0
        self.path: list[str | int] = []
        self.found: int | None = None

    def whole(self) -> dict[str, Any]:
        if (nul := self.text.find("\0")) >= 0:
            self.fail("holds a NUL character", "text", nul)
        if self.next() == "":
            self.fail("is empty", "a mapping { ... } at the top")
        data = self.value()
        if self.next():
            self.fail(f"{self.snippet()!r} stands after the end", "one mapping { ... }")
        if not isinstance(data, dict):
            raise InputError("is not a valid parameter file", file=self.file, expected="a mapping { ... } at the top")
        return data

    def value(self) -> Any:
        first = self.next()
        if first == "{":
            return self.mapping()
        if first in ("[", "("):
            return self.sequence("]" if first == "[" else ")")
        if string := _STRING.match(self.text, self.at):
            return self.string(string)
        if number := _NUMBER.match(self.text, self.at):
            return self.number(number)
        if (name := _NAME.match(self.text, self.at)) and name[0] in _NAMES:
            self.at = name.end()
            return _NAMES[name[0]]
        if _NOT_FINITE.match(self.text, self.at):
            self.fail(f"{self.snippet()!r} is not a finite number", _PLAIN)
        self.fail(f"{self.snippet()!r} is not a plain value", _PLAIN)

    def mapping(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        self.enter()
        while self.next() != "}":
            begin, match = self.at, _STRING.match(self.text, self.at)
            if match is None:
                self.fail("a key is not a string" if self.next() else "ends within a mapping", _PLAIN)
            key = self.string(match)
            self.path.append(key)
            if key in out:
                self.fail("stands twice in one mapping", "each key once", begin)
            self.note(begin)
            if self.next() != ":":
                self.fail("has no value" if self.next() else "ends within a mapping", "a colon after the key", begin)
            self.at += 1
            out[key] = self.value()
            self.path.pop()
            self.separator("}")
        self.leave()
        return out

    def sequence(self, closing: str) -> Any:
        self.enter()
        closer = len(self.wanted) > len(self.path) and self.on_the_way()
        if not closer and (numbers := self.numbers(closing)) is not None:
            return numbers
        out: list[Any] = []
        comma = False
        while self.next() != closing:
            self.path.append(len(out))
            self.note(self.at)
            out.append(self.value())
            self.path.pop()
            comma = self.separator(closing)
        self.leave()
        return out[0] if closing == ")" and len(out) == 1 and not comma else out  # (1) is no tuple

    def numbers(self, closing: str) -> list[Any] | None:
        """A list that holds nothing but numbers, at the speed of JSON; None if it takes a closer look."""
        match = _NUMBERS.match(self.text, self.at)
        if match is None or self.text[match.end()] != closing or (closing == ")" and "," not in match[0]):
            return None
        try:
            out: list[Any] = json.loads(f"[{match[0].strip().removesuffix(',')}]")
            if not all(map(math.isfinite, out)):
                return None
        except (ValueError, OverflowError):
            return None
        self.at = match.end()
        self.leave()
        return out

    def string(self, match: re.Match[str]) -> str:
        """A string, or several that follow each other, as Python joins them."""
        out = ""
        found: re.Match[str] | None = match
        while found is not None:
            self.at = found.end()
            out += self.decoded(found[0], found.start())
            self.next()
            found = _STRING.match(self.text, self.at)
        return out

    def decoded(self, token: str, begin: int) -> str:
        if "\\" not in token and token[0] in "\"'" and token[1:3] != token[0] * 2:
            return token[1:-1]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                value: str = ast.literal_eval(token)
            # JSON writes characters beyond the basic plane as two escapes.
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeError:
            self.fail("holds half of a surrogate pair", "whole characters", begin)
        except (SyntaxError, ValueError, MemoryError):
            self.fail(f"{token[:60]!r} is not a string", "a Python or JSON string", begin)

    def number(self, match: re.Match[str]) -> int | float:
        sign, digits = match[1], match[2]
        if len(digits) > _LONGEST_NUMBER:
            self.fail(f"{digits[:20]}... is too long a number", f"at most {_LONGEST_NUMBER} characters")
        try:
            value = float(digits) if re.search(r"^[^xX]*[.eE]", digits) else int(digits, 0)
            finite = math.isfinite(value)
        except ValueError:
            self.fail(f"{self.snippet()!r} is not a plain value", _PLAIN)
        except OverflowError:
            finite = False
        if not finite:
            self.fail(f"{self.snippet()!r} is not a finite number", "a number below 1e308")
        self.at = match.end()
        return -value if sign == "-" else value

    def next(self) -> str:
        """The next character that means something; empty at the end."""
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        self.at = space.end()
        return self.text[self.at : self.at + 1]

    def enter(self) -> None:
        self.at += 1
        self.depth += 1
        if self.depth > _DEEPEST:
            self.fail("is nested too deeply", f"at most {_DEEPEST} mappings and lists in each other")

    def leave(self) -> None:
        self.at += 1
        self.depth -= 1

    def separator(self, closing: str) -> bool:
        """Take the comma after an item; whether there is one."""
        after = self.next()
        if after == ",":
            self.at += 1
            return True
        if after != closing:
            self.fail(f"{self.snippet()!r} is out of place" if after else "ends too early", f"a comma or {closing}")
        return False

    def note(self, at: int) -> None:
        if self.on_the_way():
            self.found = at

    def on_the_way(self) -> bool:
        """Whether this is the wanted place, or encloses it."""
        depth = len(self.path)
        return (
            depth <= len(self.wanted)
            and (not depth or self.path[-1] == self.wanted[depth - 1])
            and (self.wanted[:depth] == tuple(self.path))
        )

    def line(self, at: int) -> int:
        before = self.text[:at]
        return 1 + before.count("\n") + before.count("\r") - before.count("\r\n")

    def snippet(self) -> str:
        return (
            re.split(r"[,}\]\r\n]", self.text[self.at : self.at + 60].lstrip(",]}"), maxsplit=1)[0].strip()
            or (self.text[self.at : self.at + 1])
        )

    def fail(self, problem: str, expected: str, at: int | None = None) -> NoReturn:
        line = self.line(min(self.at if at is None else at, len(self.text.rstrip())))
        raise InputError(problem, file=self.file, line=line, key=dotted(tuple(self.path)) or None, expected=expected)


def plain(value: Any, file: str, path: Key = ()) -> Any:
    """Return a copy of what a program gives as content of a file: numbers of NumPy's as Python's, tuples as lists.

    Raises
    ------
    InputError
        For what no parameter file can hold: other types, numbers that are not finite, keys that are no strings.
    """
    wrong = {"file": file, "key": dotted(path) or None, "value": value}
    if len(path) > _DEEPEST:
        raise InputError("is nested too deeply", file=file, key=dotted(path)[:80], expected=f"at most {_DEEPEST} deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise InputError("is not a finite number", **wrong, expected="a finite number")
        return float(value)
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and re.search("[\ud800-\udfff]", value)):
            raise InputError("holds what is no character of a text", **wrong, expected="text")
        return str(value)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError("is no key", file=file, key=dotted(path) or None, value=key, expected="a string")
        return {plain(key, file, path): plain(item, file, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        return [plain(item, file, (*path, i)) for i, item in enumerate(value)]
    raise InputError("is not a plain value", **wrong, expected=_PLAIN)


def format_param(data: Mapping[str, Any]) -> str:
    """Return the text of a `.param` file: plain JSON, indent 4, as ISF saves it; reads back equal."""
    return json.dumps(data, indent=4, allow_nan=False, ensure_ascii=False) + "\n"
