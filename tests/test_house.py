"""The house: each room imports only from the rooms above it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "isfray"

GROUND = {"errors", "check", "arrays"}

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
    "look": ({"analysis", "model"}, {"numpy", "matplotlib", "PIL"}),
    "figures": ({"look", "analysis", "catalog", "model"}, {"numpy", "polars", "matplotlib"}),
    "runs": (
        {"model", "formats", "edits", "examples", "activity", "tables", "engine", "catalog", "analysis", "look"},
        {"numpy", "pyarrow", "polars", "ray", "tqdm", "IPython"},
    ),
    "films": (
        {"runs", "figures", "look", "engine", "analysis", "catalog", "model"},
        {"numpy", "polars", "matplotlib", "imageio", "PIL"},
    ),
}
EVERYTHING = {"cli", "__init__", "__main__"}


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


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_from_the_rooms_above_it(path: Path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    room = "engine.neuron" if parts[:2] == ("engine", "neuron") else parts[0]
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


def test_no_module_outgrows_one_idea():
    long = {str(p.relative_to(PACKAGE)): n for p in modules() if (n := len(p.read_text().splitlines())) > 600}
    assert not long
