"""A self-contained HTML page: tables, figures in a light and a dark version, films. Nothing is fetched."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.look.interactive import fingerprints, framed
from isfray.look.style import THEME_STYLE, PathLike

_FILMS = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".png": "image/png"}
PAGES = (".html", ".htm")
"""Endings of pages."""
_DPI = 240
_ALLOWED = "default-src 'none'; img-src data: blob:; media-src data:; style-src 'unsafe-inline'; form-action 'none'"


_STYLE = f"""{THEME_STYLE}
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }}
h1 {{ font-size: 1.6rem; margin: 0 }}
h2 {{ font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--shade) }}
p {{ margin: .4rem 0 }}
.muted, figcaption, th {{ color: var(--muted) }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.5rem;
  align-items: start }}
figure {{ margin: 0 }}
figure img, figure video {{ width: 100%; height: auto; display: block }}
figure.narrow img {{ max-width: 20rem; margin: 0 auto }}
figure.page {{ grid-column: 1 / -1 }}
figcaption {{ font-size: .87rem; margin-top: .3rem }}
.wide {{ overflow-x: auto }}
.figures + .wide {{ margin-top: 1.5rem }}
table {{ border-collapse: collapse; font-size: .92rem }}
thead th {{ vertical-align: bottom }}
th {{ font-weight: 500; text-align: left }}
th, td {{ padding: .22rem 1.2rem .22rem 0; vertical-align: top }}
tbody tr + tr {{ border-top: 1px solid var(--shade) }}
thead + tbody td {{ min-width: 6.5rem }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums }}
th.number {{ text-align: right }}
code {{ font-size: .87em; overflow-wrap: anywhere }}
"""


def page(title: str, body: Sequence[str], scripts: Sequence[str] = ()) -> str:
    """Return a whole document, which can fetch nothing and in which only `scripts` run, by their `fingerprints`."""
    allowed = f"{_ALLOWED}; script-src " + (" ".join(dict.fromkeys(scripts)) or "'none'")
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    return head + "\n".join(body) + "\n</body>\n</html>\n"


def page_path(path: PathLike) -> Path:
    """Return the path of a page to write; InputError if its name is no page's."""
    out = a_path("path", path)
    if out.suffix.lower() not in PAGES:
        raise InputError("is no page", key="path", value=str(out), expected="a name that ends with .html")
    return out


def write_page(path: Path, text: str) -> Path:
    """Write a page; InputError if it cannot be."""
    try:
        path.write_text(text, encoding="utf-8", errors="replace")  # names of files may be no text
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", key="path", value=str(path)) from None
    return path


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Return a table of names and values; values are HTML."""
    cells = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{value}</td></tr>' for name, value in rows)
    return f'<div class="wide"><table><tbody>{cells}</tbody></table></div>'


def grid(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table with a header; numbers stand to the right."""
    numeric = [all(isinstance(row[k], int | float) for row in rows) for k in range(len(header))]
    css = [' class="number"' if n else "" for n in numeric]
    head = "".join(f'<th scope="col"{c}>{escape(name)}</th>' for name, c in zip(header, css, strict=True))
    lines = []
    for row in rows:
        lines.append("<tr>" + "".join(f"<td{c}>{_shown(v)}</td>" for v, c in zip(row, css, strict=True)) + "</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def figure(draw: Callable[[str], Axes], caption: str, *, narrow: bool = False) -> str:
    """Return a figure drawn in both themes, of which a browser shows the one it prefers."""
    light, dark = (_image(draw(theme)) for theme in ("light", "dark"))
    name = ' class="narrow"' if narrow else ""
    return (
        f'<figure{name}><picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{escape(caption)}"></picture><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _image(ax: Axes) -> str:
    drawn, data = ax.get_figure(root=True), BytesIO()
    assert isinstance(drawn, Figure)
    drawn.savefig(data, format="png", dpi=_DPI, facecolor=drawn.get_facecolor())
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def film(path: PathLike) -> tuple[str, list[str]]:
    """Return an animation's file as part of the page, a film or a page with a player; and the scripts it needs."""
    given = a_path("films", path)
    name, ending = given.name, given.suffix.lower()
    if ending not in _FILMS and ending not in PAGES:
        expected = "one of " + ", ".join([*_FILMS, *PAGES])
        raise InputError("is no film", key="films", value=str(path), expected=expected)
    try:
        data = given.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", key="films", value=str(path)) from None
    if ending in PAGES:
        html, scripts = _framed(data, path)
        return f'<figure class="page">{html}<figcaption>{escape(name)}</figcaption></figure>', scripts
    source = f"data:{_FILMS[ending]};base64,{base64.b64encode(data).decode()}"
    video = f'<video controls loop src="{source}"></video>'
    shown = video if _FILMS[ending].startswith("video") else f'<img src="{source}" alt="">'
    return f"<figure>{shown}<figcaption>{escape(name)}</figcaption></figure>", []


def _framed(data: bytes, path: PathLike) -> tuple[str, list[str]]:
    try:
        text = data.decode("utf-8")
        return framed(text), fingerprints(text)
    except (UnicodeDecodeError, InputError):
        raise InputError(
            "is no page with a player", key="films", value=str(path), expected="a film or a cell written by isfray"
        ) from None
