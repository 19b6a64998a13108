"""Runs described in a TOML file: what `scripts/run-config` reads. docs/cluster.md has the keys."""

from __future__ import annotations

import itertools
import json
import math
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.formats.files import read_file
from isfray.runs.config_models import Models
from isfray.runs.handle import RunHandle, SweepHandle
from isfray.runs.request import Variant
from isfray.runs.simulation import Keywords, request

FOR_ALL = {"catalog", "run", "variants", "sweep", *Keywords.__annotations__} - {"wait", "progress", "inputs"}
_MOST_COMBINATIONS = 10_000
OF_A_VARIANT = {"edits", "search_paths", *Variant.__annotations__} - {"inputs"}


def run_config(path: str | Path, **instead: Any) -> list[RunHandle | SweepHandle]:
    """Simulate all that a configuration file asks for and the catalog does not have.

    Parameters
    ----------
    path : path
        The TOML file.
    instead
        Keywords of `simulate` that count instead of what the file says; None leaves the file's.

    Returns
    -------
    list
        What `simulate` returned, for each run.

    Raises
    ------
    InputError
        If anything in the file is wrong: before anything is simulated.
    """
    said = {key: value for key, value in instead.items() if value is not None}
    requests = [request(**{**call, **said}) for call in read_config(path)]
    return [begin() for begin in requests]


def read_config(path: str | Path) -> list[dict[str, Any]]:
    """Return the keywords of `simulate` for each run of a configuration file, its models loaded."""
    path = a_path("path", path)
    try:
        said = tomllib.loads(read_file(path).text)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # also an overlong number, and nesting without end
        problem = f"is not TOML ({str(error)[:200]})"
        raise InputError(problem, file=str(path), expected="see docs/cluster.md") from None
    runs = said.pop("runs", [{}])
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise InputError("is no list of tables", file=str(path), key="runs", expected="[[runs]]")
    models = Models(path)
    return [_call({**said, **run}, models) for run in runs]


def _call(said: dict[str, Any], models: Models) -> dict[str, Any]:
    """Keywords of `simulate` for one run."""
    _known("", said, FOR_ALL | OF_A_VARIANT, models)
    for key, expected in (("run", "the name of the run"), ("trials", "a number of trials")):
        if key not in said:
            raise models.wrong(key, "is missing", None, expected)
    cell, network = models.of(said)
    call = {key: said[key] for key in said.keys() - {"variants", "sweep", "edits", "search_paths"}}
    call |= {"cell": cell, "network": network, "catalog": models.catalog(said.get("catalog"))}
    common = {key: said[key] for key in said.keys() & OF_A_VARIANT}
    if "variants" in said and "sweep" in said:
        raise models.wrong("sweep", "stands beside variants", None, "one of the two")
    if "variants" in said:
        call["variants"] = {name: _variant(common | keys, models) for name, keys in _named(said, models).items()}
    if "sweep" in said:
        swept = _swept(common, said["sweep"], models)
        call["variants"] = {name: _variant(keys, models) for name, keys in swept.items()}
    return call


def _variant(keys: Mapping[str, Any], models: Models) -> dict[str, Any]:
    """Settings of a variant, as `simulate` takes them."""
    cell, network = models.of(keys)
    return {key: keys[key] for key in keys.keys() & Variant.__annotations__} | {"cell": cell, "network": network}


def _named(said: Mapping[str, Any], models: Models) -> dict[str, dict[str, Any]]:
    variants: Any = said["variants"]
    if not isinstance(variants, dict) or not all(isinstance(keys, dict) for keys in variants.values()):
        raise models.wrong("variants", "is no table of tables", variants, "[variants.NAME]")
    for name, keys in variants.items():
        _known(f"variants.{name}.", keys, OF_A_VARIANT, models)
    return variants


def _swept(common: Mapping[str, Any], sweep: Any, models: Models) -> dict[str, dict[str, Any]]:
    """Every combination of the values of a sweep, by a name that tells them."""
    if not isinstance(sweep, dict) or not sweep or not all(isinstance(v, list) and v for v in sweep.values()):
        raise models.wrong("sweep", "is no table of lists", sweep, '"edits.0.factor" = [0.5, 1.0]')
    _known("sweep.", {path.partition(".")[0]: values for path, values in sweep.items()}, OF_A_VARIANT, models)
    if (n := math.prod(map(len, sweep.values()))) > _MOST_COMBINATIONS:
        raise models.wrong("sweep", f"makes {n:,} runs", None, f"at most {_MOST_COMBINATIONS:,}")
    swept: dict[str, dict[str, Any]] = {}
    for values in itertools.product(*sweep.values()):
        keys, name = deepcopy(dict(common)), []
        for path, value in zip(sweep, values, strict=True):
            try:
                _set(keys, path.split("."), value)
            except (LookupError, TypeError, ValueError):
                raise models.wrong(f"sweep.{path}", "leads nowhere", None, "the way to a key that is there") from None
            name.append(f"{path.rpartition('.')[2]}-{_short(value)}")
        if "_".join(name) in swept:
            raise models.wrong("sweep", "has two combinations of one name", "_".join(name), "other values")
        swept["_".join(name)] = keys
    return swept


def _set(at: Any, path: list[str], value: Any) -> None:
    step, *rest = path
    key = int(step) if isinstance(at, list) and step.isdecimal() else step
    if rest:
        _set(at[key], rest, value)
    elif isinstance(at, dict) or at[key] is not None:
        at[key] = value


def _known(where: str, keys: Mapping[str, Any], known: set[str], models: Models) -> None:
    for key in sorted(keys.keys() - known):
        raise models.wrong(f"{where}{key}", "is not known", keys[key], "one of " + ", ".join(sorted(known)))


def _short(value: Any) -> str:
    text = Path(value).stem if isinstance(value, str) else json.dumps(value)
    return "".join(c if c.isalnum() or c in ".-" else "_" for c in text)
