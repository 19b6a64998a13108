"""Reading one mapping of a parameter file: every key known, every value of its kind, every error with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from isfray.check import nearest
from isfray.errors import InputError
from isfray.model.param import Key, ParamFile

_REQUIRED: Any = object()


@dataclass(frozen=True)
class Entry:
    """The mapping at `path` of a parameter file."""

    param: ParamFile
    path: Key = ()

    @property
    def data(self) -> dict[str, Any]:
        """The mapping itself; InputError if there is something else."""
        found: Any = self.param.data
        for step in self.path:
            found = found[step]
        if not isinstance(found, dict):
            raise self.param.error(self.path, "is not a mapping", expected="{ ... }", value=found)
        return found

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def error(self, key: str, problem: str, *, expected: str | None = None, **value: Any) -> InputError:
        """Return the InputError about one key of this mapping."""
        return self.param.error((*self.path, key), problem, expected=expected, **value)

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that are not known; name the nearest known one."""
        names = list(known)
        for key in self.data:
            if key not in names:
                raise self.error(key, "is not a known key", expected=nearest(key, names))

    def missing(self, key: str, expected: str | None = None) -> InputError:
        """Return the InputError for a key that should be here."""
        return self.param.error((*self.path, key), "is missing", expected=expected)

    def child(self, key: str) -> Entry:
        """Return the mapping under a key; InputError if it is missing or something else."""
        if key not in self.data:
            raise self.missing(key, "a mapping { ... }")
        entry = Entry(self.param, (*self.path, key))
        _ = entry.data
        return entry

    def optional(self, key: str) -> Entry | None:
        """Return the mapping under a key, or None where the key is absent."""
        return self.child(key) if key in self.data else None

    def text(self, key: str, default: str = _REQUIRED) -> str:
        """Return a non-empty string."""
        value = self._get(key, default, "a string")
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
        limits = ((">", above), (">=", least), ("<=", most))
        bounds = [f"{sign} {limit:g}" for sign, limit in limits if limit is not None]
        expected = f"a number {' and '.join(bounds)} {unit}".strip()
        value = self._get(key, default, expected)
        if value is default:
            return value  # type: ignore[no-any-return]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, "is not a number", expected=expected)
        if (
            (above is not None and value <= above)
            or (least is not None and value < least)
            or (most is not None and value > most)
        ):
            raise self.error(key, "is out of range", expected=expected)
        return float(value)

    def _get(self, key: str, default: Any, expected: str) -> Any:
        if key not in self.data and default is _REQUIRED:
            raise self.missing(key, expected)
        return self.data.get(key, default)
