"""The `.param` syntax (FORMATS 1): a Python or JSON literal, read without running anything.

ISF rewrites the text to JSON by global replacement, which alters some paths and refuses nested tuples. Here the union
of both languages is parsed: JSON, Python literals, trailing commas, comments, `None`/`null`, `True`/`true`. Tuples come
back as lists; key order is kept, because it carries meaning.
"""

from __future__ import annotations

import ast
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isfray.errors import InputError

_NAMES: dict[str, Any] = {"null": None, "true": True, "false": False}
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class ParamFile:
    """A parsed `.param` file.

    Attributes
    ----------
    data : dict
        The content: nested dicts, lists, strings, numbers, booleans and None.
    file : str
        The file's name, for messages.
    lines : mapping
        Line of every key and list item, by its path from the top.
    """

    data: dict[str, Any]
    file: str
    lines: Mapping[Key, int] = field(repr=False)

    def line(self, path: Key) -> int | None:
        """Line on which the key (or its nearest enclosing key) stands; None if it is nowhere in the file."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None

    def error(self, path: Key, problem: str, *, expected: str | None = None, **value: Any) -> InputError:
        """Return the InputError for the value at `path` (looked up unless given)."""
        if "value" not in value:
            try:
                found: Any = self.data
                for step in path:
                    found = found[step]
            except (KeyError, IndexError, TypeError):
                pass
            else:
                if not isinstance(found, dict):
                    value["value"] = found
        return InputError(
            problem, file=self.file, line=self.line(path), key=dotted(path) or None, expected=expected, **value
        )


def dotted(path: Key) -> str:
    """Return a key path as users write it: `network.VPM_C2.celltype.intervals[3]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


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
        If the text is not a literal mapping, or a key stands twice in one mapping.
    """
    lead = len(text) - len(text.lstrip())
    skipped = text[:lead].count("\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            # Parentheses let the literal span lines whatever its indentation.
            tree = ast.parse("(" + text[lead:].rstrip() + "\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        reason = getattr(error, "msg", None) or str(error)
        last = text.count("\n") + 1
        raise InputError(
            f"is not a valid parameter file ({reason})",
            file=file,
            line=min(line + skipped, last) if line else None,
            expected="a Python or JSON literal",
        ) from None
    lines: dict[Key, int] = {}
    reader = _Reader(file, skipped, lines)
    data = reader.value(tree.body, ())
    if not isinstance(data, dict):
        raise InputError("is not a valid parameter file", file=file, expected="a mapping { ... } at the top")
    return ParamFile(data, file, lines)


class _Reader:
    def __init__(self, file: str, skipped: int, lines: dict[Key, int]) -> None:
        self.file, self.skipped, self.lines = file, skipped, lines

    def value(self, node: ast.expr, path: Key) -> Any:
        if path:
            self.lines.setdefault(path, node.lineno + self.skipped)
        match node:
            case ast.Dict():
                return self.mapping(node, path)
            case ast.List() | ast.Tuple():
                return [self.value(item, (*path, i)) for i, item in enumerate(node.elts)]
            case ast.Constant(value=str() | bool() | int() | float() | None as value):
                if isinstance(value, float) and not math.isfinite(value):
                    raise self.error(node, path, "is not a finite number")
                # JSON writes characters beyond the basic plane as two escapes.
                return value.encode("utf-16", "surrogatepass").decode("utf-16") if isinstance(value, str) else value
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() as value)):
                if not isinstance(value, bool):
                    return -value if isinstance(node.op, ast.USub) else value
            case ast.Name(id=name) if name in _NAMES:
                return _NAMES[name]
        raise self.error(node, path, f"{ast.unparse(node)[:60]!r} is not a plain value")

    def mapping(self, node: ast.Dict, path: Key) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            if not (isinstance(key_node, ast.Constant) and isinstance(key_node.value, str)):
                raise self.error(key_node or value_node, path, "a key is not a string")
            key = key_node.value
            if key in out:
                raise self.error(key_node, (*path, key), "stands twice in one mapping")
            self.lines[(*path, key)] = key_node.lineno + self.skipped
            out[key] = self.value(value_node, (*path, key))
        return out

    def error(self, node: ast.AST, path: Key, problem: str) -> InputError:
        return InputError(
            problem,
            file=self.file,
            line=getattr(node, "lineno", 0) + self.skipped,
            key=dotted(path) or None,
            expected="strings, numbers, lists, mappings, true, false or null",
        )


def format_param(data: Mapping[str, Any]) -> str:
    """Return the text of a `.param` file: plain JSON, indent 4, as ISF saves it; reads back equal."""
    return json.dumps(data, indent=4, allow_nan=False, ensure_ascii=False) + "\n"
