"""How models, runs and results show themselves: one line, a few lines on a terminal, a small table in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from isfray.model.thumbnail import Drawing, svg

_CELL = "text-align:left;vertical-align:top;padding:.15em 1.2em .15em 0;border:0;background:none;overflow-wrap:anywhere"
_MUTED = "opacity:.65;font-weight:normal;white-space:nowrap"


@dataclass(frozen=True)
class Facts:
    """What is worth knowing about an object at a glance.

    Attributes
    ----------
    kind, name : str
        What it is, and what it is called; the name may be empty.
    gist : str
        The most important, in a few words.
    rows : sequence of (str, str)
        Names and values, with units.
    header : sequence of str, optional
        Of a table below the rows.
    table : sequence of sequence of str
        Its lines.
    drawing : Drawing, optional
        Shown beside it in a notebook.
    """

    kind: str
    name: str
    gist: str
    rows: Sequence[tuple[str, str]] = ()
    header: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()
    drawing: Drawing | None = None

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}".rstrip()

    @property
    def line(self) -> str:
        """Everything in one line."""
        return f"<{self.title}: {self.gist}>"

    @property
    def text(self) -> str:
        """Several lines for a terminal."""
        width = max((len(name) for name, _ in self.rows), default=0)
        lines = [f"{self.title}: {self.gist}", *(f"  {name:{width}}  {value}" for name, value in self.rows)]
        if self.table:
            every = [tuple(self.header), *map(tuple, self.table)]
            widths = [max(len(row[k]) for row in every) for k in range(len(self.header))]
            lines += ["  " + "  ".join(f"{v:{w}}" for v, w in zip(row, widths, strict=True)).rstrip() for row in every]
        return "\n".join(lines)

    @property
    def html(self) -> str:
        """A small table that takes the colours of the page it stands in."""
        rows = "".join(
            f'<tr style="background:none"><th style="{_CELL};{_MUTED}">{escape(name)}</th>'
            f'<td style="{_CELL}">{escape(value)}</td></tr>'
            for name, value in self.rows
        )
        body = f'<table style="border:0;margin:.2em 0">{rows}</table>' if rows else ""
        if self.table:
            head = "".join(f'<th style="{_CELL};{_MUTED}">{escape(name)}</th>' for name in self.header)
            lines = "".join(
                '<tr style="background:none">'
                + "".join(f'<td style="{_CELL}">{escape(value)}</td>' for value in row)
                + "</tr>"
                for row in self.table
            )
            body += f'<table style="border:0;margin:.2em 0"><tr>{head}</tr>{lines}</table>'
        name = f" <code>{escape(self.name)}</code>" if self.name else ""
        head = f"<div><strong>{escape(self.kind)}</strong>{name}: {escape(self.gist)}</div>"
        beside = svg(self.drawing) if self.drawing is not None else ""
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:.5em 1.5em;align-items:flex-start;margin:.3em 0">'
            f'{beside}<div style="flex:1 1 20em;min-width:0;overflow-x:auto">{head}{body}</div></div>'
        )


class Shown:
    """Shows what `_facts` tells: in full where it is printed or in a notebook, in one line elsewhere."""

    def _facts(self) -> Facts:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._facts().line

    def __str__(self) -> str:
        return self._facts().text

    def _repr_html_(self) -> str:
        return self._facts().html


def plural(n: int, what: str) -> str:
    """Return "1 trial", "2,000 trials"."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def megabytes(size: int) -> str:
    """Return bytes in MB, or in kB where that says more."""
    return f"{size / 1e6:,.1f} MB" if size >= 50_000 else f"{size / 1e3:,.1f} kB"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names in a row, and how many are left out."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
