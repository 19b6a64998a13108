"""How Sphinx builds the site; `scripts/docs` runs it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import isfray

sys.path.insert(0, str(Path(__file__).parent))
import rooms

project = "isfray"
copyright = "2026, the isfray developers"
release = version = isfray.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build", "picture.py", "rooms.py"]

# pages
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "attrs_block"]
suppress_warnings = ["config.cache"]

# the tutorial runs whenever the site is built, in a folder of its own
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

# docstrings
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# how it looks
html_theme = "furo"
highlight_language = "none"
html_title = "isfray"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style, pygments_dark_style = "friendly", "native"

_QUOTED = re.compile(r"(?<![`:\w])`([^`]+)`(?![`_])")
_NAME = re.compile(r"[A-Za-z_][\w.]*(\(\))?")
_CITED = re.compile(r"\(docs/(\w+)\.md,\s+([^()]+)\)")


def _quoted(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let names in single backticks lead to what they name, set others as code, and sections of pages be links."""

    def role(found: re.Match[str]) -> str:
        text = found[1]
        return f":py:obj:`{text}`" if _NAME.fullmatch(text) else f"``{text}``"

    def section(found: re.Match[str]) -> str:
        titles = [" ".join(title.split()) for title in found[2].split(",")]
        if found[1] != "formats":
            return f"(:doc:`/{found[1]}`, {', '.join(titles)})"
        return "(" + ", ".join(f":ref:`{title} <formats-{title.lower().replace(' ', '-')}>`" for title in titles) + ")"

    lines[:] = _CITED.sub(section, _QUOTED.sub(role, "\n".join(lines))).split("\n")


class Rooms(SphinxDirective):
    """The picture of the rooms, drawn anew from the imports whenever the page is built."""

    def run(self) -> list[nodes.Node]:
        """Draw it; a module that changes makes the page be built again."""
        for path in (rooms.DOCS / "rooms.py", *rooms.modules()):
            self.env.note_dependency(str(path))
        return [nodes.raw("", rooms.draw(), format="html")]


def setup(app: Any) -> None:
    """Tell Sphinx."""
    app.add_directive("rooms", Rooms)
    app.connect("autodoc-process-docstring", _quoted)
