"""What a run is: its settings, seed and inputs, kept so that it can be told apart, resumed and loaded back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from isfray.catalog.intervals import committed_ranges, count
from isfray.catalog.log import SHA256, Commit, Ranges, by_table, pairs, read_json, union, up_to
from isfray.catalog.storage import Storage
from isfray.check import name_of_file, whole
from isfray.errors import InputError
from isfray.model.inputs import InputFile, ModelInputs
from isfray.model.settings import VERSION as SETTINGS_VERSION
from isfray.model.settings import Settings
from isfray.tables import LAST_TRIAL, SCHEMAS

RUN_VERSION = SETTINGS_VERSION
"""Of run.json: grows with the settings."""
MECHANISMS = "mechanisms"
"""Role of the NMODL sources among the inputs of a run."""
_RUN_KEY = re.compile(r"runs/([^/]+)/run\.json")
_SESSION_KEY = re.compile(r"runs/([^/]+)/sessions/[^/]+\.json")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunSpec:
    """A run as asked for.

    Attributes
    ----------
    name : str
        Letters, digits, `.`, `_` and `-`.
    seed : int
        Run seed.
    settings : Settings or mapping
        Everything else that decides the result, ready for JSON: t_stop, dt, engine, record, clamp ...
    inputs : mapping
        `cell`, `mechanisms` and, unless there is none, `network`.
    trials : int or Ranges
        How many are asked for, from trial 0 on, or which. Not part of the run's identity: a run can be extended.
    provenance : mapping
        Who, where and with what (`isfray.catalog.provenance`). Not part of the identity.
    """

    name: str
    seed: int
    settings: Mapping[str, Any]
    inputs: Mapping[str, ModelInputs]
    trials: int | Ranges = 0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name)
        whole("seed", self.seed, 0)
        object.__setattr__(self, "settings", Settings.read(self.settings))
        if isinstance(self.trials, int):
            whole("trials", self.trials, 0, LAST_TRIAL)

    @property
    def asked(self) -> Ranges:
        """The trials that are asked for."""
        return up_to(self.trials) if isinstance(self.trials, int) else self.trials

    def identity(self) -> dict[str, Any]:
        """What two runs of one name must have in common: seed, settings, and the content of every input."""
        body = {
            "seed": self.seed,
            "settings": dict(self.settings),
            "inputs": {role: _digest(inputs) for role, inputs in self.inputs.items()},
        }
        try:
            plain: dict[str, Any] = json.loads(json.dumps(body, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"cannot be stored ({error})", key="settings", expected="numbers, names and lists of them"
            ) from None
        return plain


@dataclass(frozen=True)
class Session:
    """One time a run was worked on.

    Attributes
    ----------
    id : str
    started, ended : str
        When, UTC, ISO 8601; None for one that was not ended.
    trials : int
        How many trials it was asked for.
    provenance : mapping
        Where and with what.
    chosen : Ranges, optional
        Which trials; None for the first `trials`.
    """

    id: str
    started: str
    ended: str | None
    trials: int
    provenance: Mapping[str, Any]
    chosen: Ranges | None = None

    @property
    def asked(self) -> Ranges:
        """The trials it was asked for."""
        return up_to(self.trials) if self.chosen is None else self.chosen


@dataclass(frozen=True)
class RunInfo:
    """What a catalog knows about a run.

    Attributes
    ----------
    name, seed, settings
        As asked for.
    inputs : mapping
        By role (`cell`, `mechanisms`, `network`): names and SHA-256 of `main` and, by reference, `references`.
    created : str
        When, UTC, ISO 8601.
    trials_asked, trials_committed : int
        How many trials any session asked for; how many are there.
    sessions : tuple of Session
        Each time it was worked on, in order of time.
    rows, bytes : mapping
        Committed rows and file bytes by table.
    """

    name: str
    seed: int
    settings: Settings
    inputs: Mapping[str, Any]
    created: str
    trials_asked: int
    trials_committed: int
    sessions: tuple[Session, ...]
    rows: Mapping[str, int]
    bytes: Mapping[str, int]

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Of the first session."""
        return self.sessions[0].provenance if self.sessions else {}


def is_name(name: Any) -> bool:
    """Whether a run can be called so: a good folder name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def names_in(listed: Iterable[str]) -> list[str]:
    """Names of the runs whose run.json is among some keys, sorted."""
    names = (found[1] for key in listed if (found := _RUN_KEY.fullmatch(key)))
    return sorted(name for name in names if is_name(name))


def read_sessions(storage: Storage, listed: Iterable[str]) -> dict[str, tuple[Session, ...]]:
    """Sessions among some keys, by run; keys of other objects do not matter."""
    keys = {key: found[1] for key in listed if (found := _SESSION_KEY.fullmatch(key))}
    stored, sessions = storage.read_many(keys), dict[str, list[Session]]()
    for key in sorted(stored):
        sessions.setdefault(keys[key], []).append(parse_session(stored[key], f"{storage.uri}/{key}"))
    return {run: tuple(of) for run, of in sessions.items()}


def trials_asked(sessions: Iterable[Session]) -> int:
    """Return how many trials any session asked for."""
    return count(union((), tuple(one for session in sessions for one in session.asked)))


def about(body: Mapping[str, Any], live: Iterable[Commit], sessions: tuple[Session, ...]) -> RunInfo:
    """What is known about a run, from its run.json, its commits that count, and its sessions."""
    live = tuple(live)
    files = by_table(live)
    return RunInfo(
        name=body["name"],
        seed=body["seed"],
        settings=body["settings"],
        inputs=body["inputs"],
        created=body["created"],
        trials_asked=trials_asked(sessions),
        trials_committed=count(committed_ranges(live)),
        sessions=sessions,
        rows={name: sum(f.rows for f in files[name]) for name in SCHEMAS if name in files},
        bytes={name: sum(f.bytes for f in files[name]) for name in SCHEMAS if name in files},
    )


def check_name(name: str) -> str:
    """Return a run name; InputError otherwise."""
    if not is_name(name):
        raise InputError(
            "is not a run name",
            key="run",
            value=name,
            expected="up to 100 letters, digits, '.', '_' or '-', not '.' first",
        )
    return name


def _digest(inputs: ModelInputs) -> dict[str, Any]:
    def one(file: InputFile) -> dict[str, str]:
        return {"name": file.name, "sha256": file.sha256}

    return {"main": one(inputs.main), "references": {ref: one(file) for ref, file in sorted(inputs.references.items())}}


def run_key(run: str) -> str:
    """Key of the object that says what a run is."""
    return f"runs/{run}/run.json"


def input_key(file: Mapping[str, str]) -> str:
    """Key an input's bytes are kept under; InputError for what is no hash or no name."""
    digest = file["sha256"]
    if not isinstance(digest, str) or not SHA256.fullmatch(digest):
        raise InputError("is no SHA-256", key="sha256", value=digest, expected="64 hexadecimal digits")
    return f"inputs/{digest}/{name_of_file('name', file['name'])}"


def store_inputs(storage: Storage, spec: RunSpec) -> None:
    """Keep every input of a run byte for byte, each content once."""
    storage.create_all(_contents(spec.inputs.values()))


def restore_inputs(storage: Storage, spec: RunSpec, there: Mapping[str, Any]) -> None:
    """Put back inputs that a sweep took for unused in the moment before run.json named them."""
    contents = _contents(inputs for role, inputs in spec.inputs.items() if role in there["inputs"])
    found = storage.listings({file.rpartition("/")[0] + "/" for file in contents})
    for key in contents.keys() - found.keys():
        storage.put(key, contents[key])


def _contents(of: Iterable[ModelInputs]) -> dict[str, bytes]:
    files = [file for inputs in of for file in (inputs.main, *inputs.references.values())]
    return {input_key({"sha256": f.sha256, "name": f.name}): f.data for f in files}


def load_inputs(storage: Storage, body: Mapping[str, Any]) -> dict[str, ModelInputs]:
    """Inputs of a run as they were, from its run.json; InputError if one is gone or has changed."""

    def load(file: Mapping[str, str]) -> InputFile:
        data = contents.get(input_key(file))
        uri = f"{storage.uri}/{input_key(file)}"
        if data is None:
            raise InputError("is missing", file=uri, expected="an undamaged catalog")
        if hashlib.sha256(data).hexdigest() != file["sha256"]:
            raise InputError(
                "has changed since it was stored", file=uri, expected=f"content of SHA-256 {file['sha256']}"
            )
        return InputFile(file["name"], data, uri)

    contents = storage.read_many({input_key(file) for file in input_files(body)})
    return {
        role: ModelInputs(load(files["main"]), {ref: load(file) for ref, file in files["references"].items()})
        for role, files in body["inputs"].items()
    }


def input_files(body: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Name and SHA-256 of every input a run.json names."""
    for files in body["inputs"].values():
        yield from (files["main"], *files["references"].values())


def run_json(spec: RunSpec, created: str) -> bytes:
    """Bytes of a new run.json."""
    body = {
        "format": "isfray-run",
        "version": Settings.read(spec.settings).version,
        "name": spec.name,
        **spec.identity(),
        "created": created,
        "provenance": dict(spec.provenance),
    }
    return (json.dumps(body, indent=1, sort_keys=True, default=str) + "\n").encode()


def parse_run(data: bytes, uri: str) -> dict[str, Any]:
    """Body of a run.json; InputError naming it if its parts are not what they should be."""
    body = read_json(data, uri, "isfray-run", RUN_VERSION)
    try:
        if not uri.endswith(run_key(check_name(body["name"]))):
            raise ValueError(f"name = {body['name']!r}")
        whole("seed", body["seed"], 0)
        datetime.fromisoformat(body["created"])
        settings, provenance = body["settings"], body["provenance"]
        body["settings"] = Settings.read(settings, file=uri)
        if not _is_provenance(provenance):
            raise TypeError("settings or provenance")
        for role, files in body["inputs"].items():
            if not (isinstance(role, str) and isinstance(files["references"], dict)):
                raise TypeError(f"inputs of {role}")
        for file in input_files(body):
            input_key(file)
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"is no whole run.json ({str(error)[:160]})", file=uri, expected="an undamaged catalog"
        ) from None
    return body


def parse_session(data: bytes, uri: str) -> Session:
    """Return what is told of a session; InputError naming the object if it is something else."""
    try:
        said = json.loads(data)
        chosen = said.pop("chosen", None) if isinstance(said, dict) else None
        session = Session(**said, chosen=None if chosen is None else pairs(chosen, LAST_TRIAL))
        name_of_file("id", session.id)
        whole("trials", session.trials, 0)
        for moment in (session.started, session.ended):
            datetime.fromisoformat(moment if moment is not None else session.started)
        if not _is_provenance(session.provenance):
            raise TypeError("provenance")
    except (InputError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"is no session ({str(error)[:160]})", file=uri, expected="an undamaged catalog") from None
    return session


def _is_provenance(value: Any) -> bool:
    """Whether it is names and what is shown of them as text, with versions by package and what an engine tells."""
    return isinstance(value, dict) and all(isinstance(value.get(name, {}), dict) for name in ("versions", "engine"))


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What sets two runs apart, in words: empty if they are the same."""
    found = []
    if there["seed"] != here["seed"]:
        found.append(f"seed {there['seed']} there, {here['seed']} here")
    old, new = (dict(_flat(Settings.read(one["settings"]).complete)) for one in (there, here))
    for key in sorted(old.keys() | new.keys()):
        a, b = old.get(key, "not set"), new.get(key, "not set")
        if a != b:
            found.append(f"{key} {a} there, {b} here")
    since = set() if MECHANISMS in there["inputs"] else {MECHANISMS}  # older runs do not say which they had
    for role in sorted((there["inputs"].keys() | here["inputs"].keys()) - since):
        found += _input_differences(role, there["inputs"].get(role), here["inputs"].get(role))
    return found


def _input_differences(role: str, old: Any, new: Any) -> list[str]:
    if old is None or new is None:
        what = role if role == MECHANISMS else f"{role} model"
        return [f"{what} {'missing' if old is None else 'given'} there, {'missing' if new is None else 'given'} here"]
    pairs = [] if role == MECHANISMS else [(old["main"], new["main"])]  # theirs only lists the others
    for reference in sorted(old["references"].keys() | new["references"].keys()):
        pairs.append((old["references"].get(reference), new["references"].get(reference)))
    found = []
    for a, b in pairs:
        if (a or {}).get("sha256") != (b or {}).get("sha256"):
            hashes = [f"SHA-256 {file['sha256'][:12]}" if file else "not used" for file in (a, b)]
            found.append(f"{role}: {(b or a)['name']} differs ({hashes[0]} there, {hashes[1]} here)")
    return found


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value
