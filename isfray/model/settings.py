"""Settings of a run: what decides its values beside models, mechanisms and seed, in any version that wrote them.

A setting that is added later has a default that means what runs before it did, and is stored only where it differs. So
older runs stay the same runs, and an older isfray reads all newer runs that do without the new setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from isfray.check import items, number, words
from isfray.errors import InputError
from isfray.model.clamp import CurrentClamp

FROM_NETWORK: Mapping[str, Any] = {"from": "network"}
_LATER: Mapping[str, tuple[int, Any]] = {"source": (2, FROM_NETWORK)}
"""Settings that came after the first version: since which, and what runs before them did."""
VERSION = max(version for version, _ in _LATER.values())


@dataclass(frozen=True, eq=False)
class Settings(Mapping[str, Any]):
    """What decides the values of a run's trials; as a mapping, what is stored of it, ready for JSON.

    Attributes
    ----------
    t_stop, dt : float, optional
        End of a trial and time step, ms.
    engine : str, optional
        Name of the engine.
    record : str or tuple of str, optional
        What is recorded; see `isfray.engine.recording.read_recording`.
    clamp : tuple of CurrentClamp, optional
        Electrodes beside those of the cell.
    source : mapping
        Where the input of trials comes from; see `isfray.activity.InputSource.identity`.
    others : mapping
        What another program stored, or an isfray that is newer than this one.
    """

    t_stop: float | None = None
    dt: float | None = None
    engine: str | None = None
    record: str | tuple[str, ...] | None = None
    clamp: tuple[CurrentClamp, ...] | None = None
    source: Mapping[str, Any] = field(default_factory=lambda: FROM_NETWORK)
    others: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, Any], *, file: str | None = None) -> Settings:
        """Return the settings that were stored, with defaults for those that their writer did not know.

        Raises
        ------
        InputError
            For a value that no version wrote; `file` says where it was read.
        """
        if isinstance(said, Settings):
            return said
        if not isinstance(said, Mapping):
            raise InputError("are no settings", file=file, key="settings", value=said, expected="{name: value}")
        known = {one.name for one in fields(cls)} - {"others"}
        values = {key: said[key] for key in said if key in known}
        for key in ("t_stop", "dt"):
            if key in values:
                values[key] = number(f"settings.{key}", values[key])
        if "record" in values and not isinstance(values["record"], str):
            values["record"] = words("settings.record", values["record"], "names of places")
        if "clamp" in values:
            values["clamp"] = tuple(
                _clamp(one, file) for one in items("settings.clamp", values["clamp"], "a list of electrodes")
            )
        return cls(**values, others={key: said[key] for key in said if key not in known})

    @property
    def version(self) -> int:
        """The first version of runs that has all these settings."""
        return max((version for key, (version, _) in _LATER.items() if key in self), default=1)

    @property
    def complete(self) -> dict[str, Any]:
        """All settings, ready for JSON, those that came later too: what two runs of one name have in common."""
        return {**{key: default for key, (_, default) in _LATER.items()}, **self}

    @cached_property
    def _said(self) -> dict[str, Any]:
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("others", *_LATER)}
        if self.clamp is not None:
            said["clamp"] = [asdict(one) for one in self.clamp]
        if isinstance(self.record, tuple):
            said["record"] = list(self.record)
        later = {key: getattr(self, key) for key, (_, default) in _LATER.items() if getattr(self, key) != default}
        return {**{key: value for key, value in said.items() if value is not None}, **later, **self.others}

    def __getitem__(self, key: str) -> Any:
        return self._said[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)


def _clamp(said: Any, file: str | None) -> CurrentClamp:
    """An electrode as it was stored."""
    if isinstance(said, CurrentClamp):
        return said
    known = {one.name for one in fields(CurrentClamp)}
    if not isinstance(said, Mapping) or said.keys() - known:
        raise InputError("is no current clamp", file=file, key="settings.clamp", value=said, expected=", ".join(known))
    return CurrentClamp(**said)
