"""Ray's fake node provider, whose nodes are raylets on this machine, made to notice nodes that are taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider


class SpotProvider(FakeMultiNodeProvider):
    """Keeps a diary: `+ id pid` for each node that is started, with its raylet's process, `- id` for each that goes."""

    def non_terminated_nodes(self, tag_filters: dict[str, str]) -> list[str]:
        with self.lock:
            for name, entry in list(self._nodes.items()):
                if "node" in entry and any(kind == "raylet" for kind, _ in entry["node"].dead_processes()):
                    self.terminate_node(name)
            return super().non_terminated_nodes(tag_filters)

    def _create_node_with_resources_and_labels(self, *arguments: Any) -> None:
        with self.lock:
            before = set(self._nodes)
            super()._create_node_with_resources_and_labels(*arguments)
            for name in set(self._nodes) - before:
                (raylet,) = self._nodes[name]["node"].all_processes["raylet"]
                self._note(f"+ {name} {raylet.process.pid}")

    def terminate_node(self, node_id: str) -> None:
        super().terminate_node(node_id)
        self._note(f"- {node_id}")

    def _note(self, line: str) -> None:
        with Path(self.provider_config["diary"]).open("a") as file:
            file.write(line + "\n")


def nodes(diary: Path) -> dict[str, int]:
    """Nodes that are there, with the process of each one's raylet, oldest first."""
    there: dict[str, int] = {}
    for line in diary.read_text().splitlines() if diary.exists() else []:
        event, name, *pid = line.split()
        if event == "+":
            there[name] = int(pid[0])
        else:
            del there[name]
    return there
