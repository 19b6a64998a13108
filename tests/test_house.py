"""The house: each room imports only from the rooms above it."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs import rooms as picture

PACKAGE = Path(__file__).resolve().parent.parent / "isfray"

GROUND = {"errors", "check", "arrays"}
SVG = "{http://www.w3.org/2000/svg}"

# room -> (isfray rooms it may import, third-party packages it may import); each room only from rooms above it
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "check": (set(), {"numpy"}),
    "arrays": (set(), {"numpy"}),
    "model": (set(), {"numpy", "pydantic"}),
    "formats": ({"model"}, {"numpy", "pydantic"}),
    "edits": ({"model", "formats"}, {"numpy"}),
    "examples": ({"model", "formats", "edits"}, {"numpy"}),
    "activity": ({"model", "formats"}, {"numpy", "pyarrow"}),
    "tables": (set(), {"pyarrow", "numpy"}),
    "engine": ({"model", "formats", "activity", "tables"}, {"numpy", "pyarrow"}),
    "engine.neuron": ({"model", "formats", "activity", "engine"}, {"numpy", "neuron", "filelock"}),
    "catalog": ({"model", "formats", "tables"}, {"numpy", "pyarrow", "polars", "fsspec", "pydantic"}),
    "analysis": ({"catalog", "formats", "model"}, {"numpy", "polars"}),
    "look": ({"model"}, {"numpy", "matplotlib", "PIL"}),
    "figures": ({"look", "analysis", "catalog", "model"}, {"numpy", "polars", "matplotlib"}),
    "runs": (
        {"model", "formats", "edits", "examples", "activity", "tables", "engine", "catalog", "analysis", "look"},
        {"numpy", "pyarrow", "polars", "ray", "tqdm", "IPython"},
    ),
    "films": (
        {"runs", "look", "engine", "analysis", "catalog", "model"},
        {"numpy", "polars", "matplotlib", "imageio", "PIL"},
    ),
}
DOORS = ["cli", "__init__"]
EVERYTHING = {*DOORS, "__main__"}


def imports(path: Path) -> list[str]:
    """Absolute module names imported anywhere in a file."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write it from isfray"
            names += (
                [f"isfray.{alias.name}" for alias in node.names] if node.module == "isfray" else [node.module or ""]
            )
    return names


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "mod" not in p.relative_to(PACKAGE).parts[:1])


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "engine.neuron" if parts[:2] == ("engine", "neuron") else parts[0]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_from_the_rooms_it_may(path: Path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    room = room_of(path)
    if room in EVERYTHING:
        return
    rooms, packages = ROOMS[room]  # a new room is added to the table, on purpose
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "isfray":
            target = rest.split(".")[0]
            assert target in rooms | GROUND | {parts[0], "__version__"}, f"{room} may not import isfray.{target}"
        else:
            assert top in packages or top in sys.stdlib_module_names, f"{room} may not import {top}"


def test_these_rooms_are_all_above_it_so_that_there_is_no_circle():
    above: set[str] = set()
    for room, (rooms, _) in ROOMS.items():
        assert rooms <= above, room
        above.add(room)
    assert {room_of(path) for path in modules()} == above | EVERYTHING


def test_one_room_knows_neuron_and_one_knows_ray():
    for package, room in (("neuron", "engine.neuron"), ("ray", "runs")):
        assert [name for name, (_, packages) in ROOMS.items() if package in packages] == [room]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def at_once(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that take place when a module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            yield from at_once(node)


def test_no_modules_import_each_other_in_a_circle():
    there = {dotted(path): path for path in modules()}
    graph: dict[str, set[str]] = {}
    for name, path in there.items():
        asked: set[str] = set()
        for node in at_once(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names}
            else:
                full = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                asked |= {module if module in there else str(node.module) for module in full.values()}
        graph[name] = asked & there.keys()
    assert sum(map(len, graph.values())) > 300
    list(TopologicalSorter(graph).static_order())  # CycleError names a circle


def test_no_room_holds_a_fifth_of_the_lines():
    lines: Counter[str] = Counter()
    for path in modules():
        lines[path.relative_to(PACKAGE).parts[0]] += len(path.read_text().splitlines())
    room, most = lines.most_common(1)[0]
    assert most < sum(lines.values()) / 5, room


def test_no_module_outgrows_one_idea():
    long = {str(p.relative_to(PACKAGE)): n for p in modules() if (n := len(p.read_text().splitlines())) > 600}
    assert not long


def told(page: str) -> dict[str, list[str]]:
    """Rooms in the order of a page's table, and what stands in backticks in the last column of each."""
    rows: dict[str, list[str]] = {}
    for row in re.findall(r"^\| (`isfray[./].+) \|$", (PACKAGE.parent / page).read_text(), re.MULTILINE):
        first, *_, last = row.split(" |")
        for name in re.findall(r"`isfray[./]([\w/]+?)(?:\.py|/)?`", first.replace("isfray.engine.", "isfray.engine/")):
            rows[name.replace("/", ".")] = re.findall(r"`([\w.]+)`", last)
    return rows


def test_both_pages_tell_of_the_same_rooms_in_the_same_order():
    contributing = told("CONTRIBUTING.md")
    assert list(contributing) == list(told("docs/how-it-works.md")) == [*ROOMS, *DOORS]
    assert {room: set(contributing[room]) for room in ROOMS} == {room: rooms for room, (rooms, _) in ROOMS.items()}


def test_the_picture_shows_the_rooms_and_every_import_between_them():
    svg = ElementTree.fromstring(picture.draw())
    groups = [group for group in svg.findall(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    rows = ["".join(text.itertext()) for group in groups for text in group.findall(f"{SVG}text[@class='name']")]
    rooms = [room for room in ROOMS if "." not in room and room not in GROUND]
    assert rows == ["errorscheckarrays", *rooms, "cli__init__"]
    drawn = [box for box in svg.iter(f"{SVG}rect") if box.get("class") == "room"]
    boxes = [(float(box.get("y", 0)), float(box.get("height", 0))) for box in drawn]
    assert boxes == sorted(boxes)

    def at(y: str) -> str:
        (room,) = [room for room, (top, height) in zip(rows, boxes, strict=True) if top <= float(y) <= top + height]
        return room

    shown = set()
    for path in svg.iter(f"{SVG}path"):
        if path.get("class") == "arrow":
            numbers = re.findall(r"[\d.]+", path.get("d", ""))
            shown.add((at(numbers[1]), at(numbers[-1])))
    wanted = set()
    for path in modules():
        targets = {name.split(".")[1] for name in imports(path) if name.startswith("isfray.")}
        wanted |= {(room_of(path).split(".")[0], target) for target in targets}
    assert shown == {(one, other) for one, other in wanted if one != other and {one, other} <= set(rooms)}
    assert all(rows.index(one) > rows.index(other) for one, other in shown)
