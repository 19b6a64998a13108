"""Draw the rooms of the package and their imports, as they stand in the code: python docs/rooms.py > rooms.svg."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

DOCS = Path(__file__).resolve().parent
PACKAGE = DOCS.parent / "isfray"
WIDTH = 780.0
LEFT, RIGHT = 50.0, 316.0  # of the boxes; their lines stand on the left, arrows go round on the right
GAP, LEAST = 9.0, 24.0  # between boxes; height of a small one
PER_LINE = 0.021  # height of a line of code
REACH = 600.0  # how far out the longest arrow is drawn
SHOWN = 0.2  # share of a room from which on a folder in it is drawn


@dataclass(frozen=True)
class Room:
    """One row of the picture.

    Attributes
    ----------
    names : tuple of str
        One, or several that stand side by side.
    lines : int
        Of its modules.
    folders : dict
        Lines of the large folders in it.
    imports : dict
        How many modules of this room import each other room.
    """

    names: tuple[str, ...]
    lines: int
    folders: dict[str, int]
    imports: dict[str, int]


def modules() -> list[Path]:
    """Every module of the package; isfray/mod holds none."""
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "mod")


def room_of(path: Path) -> str:
    """Return the room that a module lies in."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Return the rooms that a module imports anything from, here or there in it, its own among them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("isfray.")}


def order() -> list[tuple[str, ...]]:
    """Return the rows of the table on the page that shows the picture, top first; a folder in a room is no row here."""
    table = re.findall(r"^\| (`isfray\.[^|]+) \|", (DOCS / "how-it-works.md").read_text(), re.MULTILINE)
    rows = [tuple(re.findall(r"`isfray\.([\w.]+)`", row)) for row in table]
    return [row for row in rows if "." not in row[0]]


def rooms() -> list[Room]:
    """Return what the picture shows, top first."""
    lines: Counter[str] = Counter()
    within: Counter[tuple[str, str]] = Counter()
    between: Counter[tuple[str, str]] = Counter()
    for path in modules():
        room, size = room_of(path), len(path.read_text().splitlines())
        lines[room] += size
        folder = path.relative_to(PACKAGE).parts[1:-1]
        within[room, folder[0] if folder else ""] += size
        between.update((room, other) for other in imported(path) - {room})
    found = []
    for names in order():
        size = sum(lines[name] for name in names)
        folders = {folder: n for (of, folder), n in within.items() if of in names and folder and n >= SHOWN * size}
        imports = {other: n for (of, other), n in between.items() if of in names}
        found.append(Room(names, size, folders, imports))
    return found


def draw() -> str:
    """Return the picture as SVG in the colour of the text around it."""
    shown = rooms()
    heights = [max(LEAST, PER_LINE * room.lines) for room in shown]
    tops = [1 + y for y in accumulate((h + GAP for h in heights[:-1]), initial=0.0)]
    height = tops[-1] + heights[-1] + 1
    row = {room.names[0]: i for i, room in enumerate(shown) if len(room.names) == 1}
    arrows = {
        (i, row[name]): n for i in row.values() for name, n in shown[i].imports.items() if name in row
    }  # neither of the ground, which all stand on, nor of the doors, which lead everywhere
    ends = _ends(arrows, tops, heights)
    longest = max(abs(ends[i, j][0] - ends[i, j][1]) for i, j in arrows)
    groups = []
    for i, room in enumerate(shown):
        parts = [f"<title>{_told(room, shown, row)}</title>"]
        for (of, j), n in arrows.items():
            if of == i:
                parts.append(_arrow(*ends[i, j], n, longest))
        parts += _box(room, tops[i], heights[i])
        groups.append("<g>" + "".join(parts) + "</g>")
    groups.append(
        _remark("the ground: any room may import these", tops[0])
        + _remark("the front doors: these may import any room", tops[-1])
    )
    return _PAGE.format(width=WIDTH, height=round(height, 1), groups="\n".join(groups))


def _ends(
    arrows: dict[tuple[int, int], int], tops: list[float], heights: list[float]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Heights at which arrows begin and end, so that no two of one room cross.

    Those that leave stand above those that arrive; of these the longest is on top, of those the shortest.
    """
    at: dict[tuple[int, int, int], float] = {}
    for k, (top, height) in enumerate(zip(tops, heights, strict=True)):
        leave = sorted((i, j) for i, j in arrows if i == k)[::-1]
        arrive = sorted((i, j) for i, j in arrows if j == k)[::-1]
        every = [(*arrow, 0) for arrow in leave] + [(*arrow, 1) for arrow in arrive]
        for n, end in enumerate(every):
            at[end] = top + height * (n + 0.5) / len(every)
    return {(i, j): (at[i, j, 0], at[i, j, 1]) for i, j in arrows}


def _arrow(begin: float, end: float, modules: int, longest: float) -> str:
    out = RIGHT + 18 + (REACH - 18) * abs(end - begin) / longest
    path = f"M{RIGHT:g} {begin:.1f}C{out:.1f} {begin:.1f} {out:.1f} {end:.1f} {RIGHT + 6:g} {end:.1f}"
    return f'<path class="arrow" d="{path}" stroke-width="{0.7 + 0.4 * modules**0.5:.2f}"/>'


def _box(room: Room, top: float, height: float) -> Iterator[str]:
    width, middle, right = RIGHT - LEFT, top + height / 2 + 5, RIGHT
    yield f'<rect class="room" x="{LEFT:g}" y="{top:.1f}" width="{width:g}" height="{height:.1f}" rx="6"/>'
    yield f'<text class="small" x="{LEFT - 10:g}" y="{middle - 1:.1f}" text-anchor="end">{room.lines:,}</text>'
    for folder, lines in reversed(room.folders.items()):
        wide = width * lines / room.lines
        place = f'x="{right - wide + 4:.1f}" y="{top + 4:.1f}" width="{wide - 8:.1f}" height="{height - 8:.1f}"'
        yield f'<rect class="folder" {place} rx="4"/>'
        place = f'x="{right - wide / 2:.1f}" y="{middle - 1:.1f}" text-anchor="middle"'
        yield f'<text class="small" {place}>{folder}</text>'
        right -= wide
    names = "".join(f'<tspan dx="{14 if n else 0}">{name}</tspan>' for n, name in enumerate(room.names))
    yield f'<text class="name" x="{LEFT + 13:g}" y="{middle:.1f}">{names}</text>'


def _remark(text: str, top: float) -> str:
    return f'<text class="small" x="{RIGHT + 14:g}" y="{top + LEAST / 2 + 4:.1f}">{text}</text>'


def _told(room: Room, shown: list[Room], row: dict[str, int]) -> str:
    known = [f"{name} ({room.imports[name]})" for name in row if name in room.imports]
    return f"{', '.join(room.names)}: {room.lines:,} lines" + (f"; imports {', '.join(known)}" if known else "")


_PAGE = """\
<svg class="flow rooms" role="img" aria-labelledby="rooms-title" viewBox="0 0 {width:g} {height:g}" \
xmlns="http://www.w3.org/2000/svg" font-family="inherit" font-size="14" fill="currentColor">
<title id="rooms-title">The rooms of isfray, each below all that it imports; an arrow leads from a room to one that it \
imports.</title>
<style>
.rooms .room {{ fill: currentColor; fill-opacity: .06; stroke: currentColor; stroke-opacity: .35 }}
.rooms .folder {{ fill: none; stroke: var(--color-brand-primary, #0072b2); stroke-opacity: .8 }}
.rooms .name {{ font-weight: 600 }}
.rooms .small {{ font-size: 12px; fill-opacity: .7 }}
.rooms .arrow {{ fill: none; stroke: currentColor; stroke-opacity: .38; marker-end: url(#rooms-tip) }}
.rooms g:hover .arrow {{ stroke: var(--color-brand-primary, #0072b2); stroke-opacity: 1 }}
.rooms g:hover .room {{ stroke: var(--color-brand-primary, #0072b2); stroke-opacity: 1 }}
</style>
<defs><marker id="rooms-tip" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="6.5" markerHeight="6.5" \
markerUnits="userSpaceOnUse" orient="auto">\
<path d="M0 .8 7 4 0 7.2z" fill="context-stroke" fill-opacity=".75"/></marker></defs>
{groups}
</svg>"""


if __name__ == "__main__":
    print(draw())
