"""Reading one mapping of a parameter file: every key known, every value of its kind, every error with its place.

A key whose value is null says nothing: it is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from isfray.check import nearest, number
from isfray.errors import InputError, Key
from isfray.formats.isf.param import ParamFile
from isfray.model.checked import Checked

C = TypeVar("C", bound=Checked)

_REQUIRED: Any = object()


@dataclass(frozen=True)
class Entry:
    """The mapping at `path` of a parameter file."""

    param: ParamFile
    path: Key = ()

    @property
    def data(self) -> dict[str, Any]:
        """The mapping itself."""
        found: Any = self.param.data
        for step in self.path:
            found = found[step]
        return found  # type: ignore[no-any-return]

    @property
    def said(self) -> dict[str, Any]:
        """What it says: the mapping without the keys whose value is null."""
        return {key: value for key, value in self.data.items() if value is not None}

    def __contains__(self, key: str) -> bool:
        return self.data.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def error(self, key: str, problem: str, *, expected: str | None = None) -> InputError:
        """Return the InputError about one key of this mapping."""
        return self.param.error((*self.path, key), problem, expected=expected)

    def placed(self, error: InputError, *steps: str) -> InputError:
        """Return an error about this mapping, or what the steps lead to in it, told of its place in the file."""
        return self.param.placed(error, (*self.path, *steps))

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that are not known; name the nearest known one."""
        names = list(known)
        for key in self.said:
            if key not in names:
                raise self.error(key, "is not a known key", expected=nearest(key, names))

    def missing(self, key: str, expected: str | None = None) -> InputError:
        """Return the InputError for a key that should be here."""
        return self.param.error((*self.path, key), "is missing", expected=expected)

    def child(self, key: str, expected: str = "a mapping { ... }") -> Entry:
        """Return the mapping under a key; InputError if it is missing or something else."""
        if key not in self.data:
            raise self.missing(key, expected)
        if not isinstance(self.data[key], dict):
            raise self.error(key, "is not a mapping", expected=expected)
        return Entry(self.param, (*self.path, key))

    def read(self, kind: type[C], others: Iterable[str] = ()) -> C:
        """Return what the mapping says as a checked `kind`; keys of `others` tell of something else."""
        keys = kind.keys()
        self.only([*keys, *others])
        try:
            return kind(**{key: value for key, value in self.said.items() if key in keys})
        except InputError as error:
            raise self.placed(error) from None

    def optional(self, key: str) -> Entry | None:
        """Return the mapping under a key, or None where the key is absent."""
        return self.child(key) if key in self else None

    def text(self, key: str, default: str = _REQUIRED) -> str:
        """Return a non-empty string."""
        if key not in self.data and default is _REQUIRED:
            raise self.missing(key, "a string")
        value = self.data[key] if key in self or default is _REQUIRED else default
        if not isinstance(value, str) or not value:
            raise self.error(key, "is not a string", expected="a string")
        return value

    def number(
        self,
        key: str,
        default: Any = _REQUIRED,
        *,
        above: float | None = None,
        least: float | None = None,
        most: float | None = None,
        unit: str = "",
    ) -> float:
        """Return a number within its bounds (`above` is exclusive)."""
        if default is not _REQUIRED and key not in self:
            return default  # type: ignore[no-any-return]
        try:
            return number(key, self.data.get(key), above=above, least=least, most=most, unit=unit)
        except InputError as error:
            raise (self.placed(error) if key in self.data else self.missing(key, error.expected)) from None
