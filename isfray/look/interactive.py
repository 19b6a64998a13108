"""Pages that move: one HTML document with its styles, scripts and data inside, which cannot fetch anything."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape, unescape
from pathlib import Path
from typing import Any

from isfray.errors import InputError
from isfray.look.style import THEME_STYLE

_ALLOWED = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_KNOWN = re.compile(r'<meta name="isfray" content="(\d+)x(\d+)">\n.*\n<title>(.*)</title>')
_ROOM_FOR_CONTROLS = 110  # px


@dataclass(frozen=True)
class Page:
    """A page that was written; a notebook shows it.

    Attributes
    ----------
    path : Path
    """

    path: Path

    def __str__(self) -> str:
        """Tell what it is in a line."""
        return f"{self.path}: {self.path.stat().st_size / 1e6:.1f} MB, open it in a browser"

    def _repr_html_(self) -> str:
        """Show the page itself in a notebook."""
        return framed(self.path.read_text(encoding="utf-8"))


def document(
    title: str,
    body: str,
    data: Mapping[str, Any],
    *,
    size: tuple[int, int],
    styles: Sequence[str],
    scripts: Sequence[str],
) -> str:
    """Return a whole document.

    Parameters
    ----------
    title : str
    body : str
        HTML.
    data : mapping
        What the scripts find, as JSON, in the element `data`.
    size : tuple of int
        Width and height of its picture, px: what `framed` makes room for, and for the controls below.
    styles, scripts : sequence of str
        Their text.
    """
    shown = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    css = "\n".join([THEME_STYLE, *styles])
    code = "\n".join(f"<script>\n{script}</script>" for script in scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_ALLOWED}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="isfray" content="{size[0]}x{size[1]}">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{css}</style>\n</head>\n<body>\n{body}\n"
        f'<script type="application/json" id="data">{shown}</script>\n{code}\n</body>\n</html>\n'
    )


def fingerprints(html: str) -> list[str]:
    """Return the scripts of a page as a Content-Security-Policy names them, so that these and no others run."""
    codes = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    return [f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'" for code in codes]


def framed(html: str) -> str:
    """Return a page as a frame inside another, such as a notebook: it runs apart from that one, in a sandbox.

    Parameters
    ----------
    html : str
        From `player`, or the text of a page that `explore` wrote.

    Raises
    ------
    InputError
        If it is another page.
    """
    known = _KNOWN.search(html, 0, 2000)
    if known is None:
        raise InputError("is no page with a player", key="html", value=html[:60], expected="a film or a cell of isfray")
    width, height, title = int(known[1]), int(known[2]), escape(unescape(known[3]))  # whoever wrote the page
    shape = f"aspect-ratio:{width}/{height + _ROOM_FOR_CONTROLS};min-height:24rem"
    style = f"width:100%;max-width:max({width}px,32rem);{shape};border:0"
    return f'<iframe sandbox="allow-scripts" title="{title}" style="{style}" srcdoc="{escape(html)}"></iframe>'
