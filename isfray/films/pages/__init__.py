"""Scripts, styles and HTML of the pages that films are: they travel with the package, and each page holds its own."""

from __future__ import annotations

from importlib import resources


def asset(name: str) -> str:
    """Return the text of one of them."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
