"""What produced a run: versions, source, machine, command."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from isfray.errors import is_secret, redacted

_SECRET = 8  # letters from which on a value of the environment is looked for
PACKAGES = ("isfray", "neuron", "numpy", "polars", "pyarrow", "ray")


SCHEMA = 1
"""Of what is told; docs/schemas/provenance.json describes it."""


def provenance(engine: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Versions, git commit (and whether the tree was dirty), host, platform and command line of this process.

    Parameters
    ----------
    engine : mapping, optional
        What is to be told of the engine: name, compiler, flags, processor, mechanisms, keys of the build.

    Returns
    -------
    dict
        Ready for JSON. `git_commit` and `git_dirty` are None where isfray does not run from a git checkout.
    """
    commit, dirty = _git()
    return {
        "schema": SCHEMA,
        "engine": dict(engine or {}),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "git_commit": commit,
        "git_dirty": dirty,
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "command_line": command_line(sys.argv, os.environ),
    }


def made_with(told: Mapping[str, Any]) -> list[str]:
    """Return the lines that a provenance comes down to: versions, engine and machine; without what it does not say."""
    versions, engine = (_texts(told.get(name)) for name in ("versions", "engine"))
    versions |= {name: text for name, text in _texts(told).items() if name == "python"}
    keys = _texts(told["engine"].get("build_keys")) if engine else {}
    software = [f"{name} {versions[name]}" for name in ("isfray", "neuron", "python") if name in versions]
    machine = [engine[name] for name in ("name", "coreneuron", "compiler", "processor") if name in engine]
    machine += [f"build {key}" for library, key in keys.items() if library == engine.get("name")]
    return [", ".join(line) for line in (software, machine) if line]


def _texts(told: Any) -> dict[str, str]:
    """Those of some values, read from storage, that can be shown in a line."""
    found = told.items() if isinstance(told, Mapping) else ()
    return {name: value[:100] for name, value in found if isinstance(value, str) and value.isprintable()}


def command_line(words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the words of a command without secrets: of URIs, of options called so, of the environment."""
    known = [value for name, value in environment.items() if is_secret(name) and len(value) >= _SECRET]
    shown, after = [], False
    for word in words:
        name, given, _ = word.partition("=")
        option = word.startswith("-") and is_secret(name.lstrip("-"))
        safe = "***" if after and not word.startswith("-") else f"{name}=***" if option and given else redacted(word)
        for value in known:
            safe = safe.replace(value, "***")
        shown.append(safe)
        after = option and not given
    return shown


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def _git() -> tuple[str | None, bool | None]:
    package = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # installed inside somebody else's checkout: not ours
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None
