"""Pages that move: one HTML document with its styles, scripts and data inside, which cannot fetch anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from isfray.visual.page import THEME_STYLE

_ALLOWED = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_ROOM_FOR_CONTROLS = 110  # px


def asset(name: str) -> str:
    """Return a style, script or piece of HTML that travels with the package."""
    return resources.files("isfray.visual").joinpath("pages", name).read_text(encoding="utf-8")


def document(title: str, body: str, data: Mapping[str, Any], *, styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return a whole document.

    Parameters
    ----------
    title : str
    body : str
        HTML.
    data : mapping
        What the scripts find, as JSON, in the element `data`.
    styles, scripts : sequence of str
        Names of the files they are in.
    """
    shown = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    css = "\n".join([THEME_STYLE, *map(asset, styles)])
    code = "\n".join(f"<script>\n{asset(name)}</script>" for name in scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_ALLOWED}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="generator" content="isfray">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n{body}\n"
        f'<script type="application/json" id="data">{shown}</script>\n{code}\n</body>\n</html>\n'
    )


def framed(html: str, *, title: str, width: int, height: int) -> str:
    """Return a document as a frame inside another page, such as a notebook: it runs apart from that page.

    Parameters
    ----------
    html : str
        From `player`, or the text of a page from `explore`.
    title : str
        Told to those who cannot see it.
    width, height : int
        Of its picture, px; the frame adds room for the controls and shrinks with the page around it.
    """
    shape = f"aspect-ratio:{width}/{height + _ROOM_FOR_CONTROLS};min-height:24rem"
    style = f"width:100%;max-width:max({width}px,32rem);{shape};border:0"
    return f'<iframe sandbox="allow-scripts" title="{escape(title)}" style="{style}" srcdoc="{escape(html)}"></iframe>'
