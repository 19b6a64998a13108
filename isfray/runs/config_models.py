"""The models that a configuration file names, and the edits it asks for."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isfray import edits
from isfray.check import path as a_path
from isfray.errors import InputError
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel


class Models:
    """Models that a configuration file names, relative to it; equal ones are loaded once, so that they are shared."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._loaded: dict[str, Any] = {}

    def of(self, said: Mapping[str, Any]) -> tuple[CellModel, NetworkModel | None]:
        """Cell and edited network that some keys ask for."""
        folders = said.get("search_paths", [])
        if not isinstance(folders, list) or not all(isinstance(folder, str) for folder in folders):
            raise self.wrong("search_paths", "is no list of folders", folders, '["folder"]')
        searched = [self._at(folder) for folder in folders]
        for key in ("cell", "network"):
            if not isinstance(said.get(key, ""), str):
                raise self.wrong(key, "is no file name", said[key], "a .param file")
        if "cell" not in said:
            raise self.wrong("cell", "is missing", None, "a cell .param file")
        cell = self._once(["cell", said["cell"]], lambda: load_cell(self._at(said["cell"]), searched))
        if "network" not in said:
            return cell, None
        steps = said.get("edits", [])
        if not isinstance(steps, list):
            raise self.wrong("edits", "is no list", steps, "[[edits]]")
        network = self._once(["network", said["network"]], lambda: load_network(self._at(said["network"]), searched))
        for done in range(len(steps)):
            before = network
            edited = ["network", said["network"], steps[: done + 1]]
            network = self._once(edited, lambda step=steps[done], of=before: self._edited(of, step))
        return cell, network

    def wrong(self, key: str, problem: str, value: Any, expected: str) -> InputError:
        """Mistake at a key of the file."""
        shown = {} if value is None else {"value": value}
        return InputError(problem, file=str(self.path), key=key, expected=expected, **shown)

    def catalog(self, uri: Any) -> str:
        """Where the results go: a URI, or a folder relative to the file."""
        if not isinstance(uri, str):
            raise self.wrong("catalog", "is missing" if uri is None else "is no URI", uri, "a folder or s3://")
        return uri if "://" in uri else str(self._at(uri))

    def _at(self, name: str) -> Path:
        return self.path.parent / a_path("path", name)

    def _once(self, key: list[Any], load: Any) -> Any:
        name = json.dumps(key, default=str)
        if name not in self._loaded:
            self._loaded[name] = load()
        return self._loaded[name]

    def _edited(self, network: NetworkModel, step: Any) -> NetworkModel:
        known = {name for name in edits.__all__ if _is_edit(name)}
        if not isinstance(step, dict) or not isinstance(step.get("edit"), str) or step["edit"] not in known:
            raise self.wrong("edits", "is no edit", step, "edit = one of " + ", ".join(sorted(known)))
        arguments = {key: value for key, value in step.items() if key != "edit"}
        edit = getattr(edits, step["edit"])
        try:
            inspect.signature(edit).bind(network, **arguments)
        except TypeError as error:
            expected = f"{step['edit']}{inspect.signature(edit)}"
            raise self.wrong(f"edits.{step['edit']}", f"does not fit ({error})", step, expected) from None
        edited: NetworkModel = edit(network, **arguments)
        return edited


def _is_edit(name: str) -> bool:
    """Whether something takes one network and what TOML can say, and gives another network."""
    edit = getattr(edits, name)
    if not inspect.isfunction(edit):
        return False
    networks = [key for key, kind in edit.__annotations__.items() if kind == "NetworkModel"]
    return networks == ["network", "return"]
