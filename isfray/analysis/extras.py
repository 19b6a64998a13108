"""Packages that only some users need."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from isfray.errors import InputError


def extra(module: str, name: str) -> Any:
    """Return an optional module; InputError that tells which extra brings it if it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise InputError(f"{package} is not installed", expected=f"pip install 'isfray[{name}]'") from None
