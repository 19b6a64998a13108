"""Ray's own autoscaler: a run asks for nodes, gets them, loses one, gets another, and gives them all back."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.util import get_node_ip_address

from isfray.catalog import Catalog
from tests.ports import free_ports
from tests.runs.head import head
from tests.runs.null_engine import begun
from tests.runs.spot_provider import nodes
from tests.runs.waiting import pids, until

HEAD = "f" * 51 + "00000"
EMPTY = ("cluster_synced_files", "rsync_exclude", "rsync_filter", "initialization_commands", "setup_commands")
EMPTY += ("head_setup_commands", "worker_setup_commands", "head_start_ray_commands", "worker_start_ray_commands")


def configuration(port: int, diary: Path) -> dict[str, object]:
    """A head without CPUs and up to two spot nodes of one."""
    return {
        "cluster_name": "test",
        "max_workers": 2,
        "idle_timeout_minutes": 0.03,
        "upscaling_speed": 100,
        "provider": {
            "type": "external",
            "module": "tests.runs.spot_provider.SpotProvider",
            "gcs_address": f"{get_node_ip_address()}:{port}",
            "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
            "launch_multiple": True,
            "head_node_id": HEAD,
            "diary": str(diary),
        },
        "available_node_types": {
            "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "spot": {"resources": {"CPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": 2},
        },
        "head_node_type": "ray.head.default",
        "auth": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        **{name: [] for name in EMPTY},
    }


@pytest.fixture
def autoscaled(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a cluster that is only a head now, and the provider's diary."""
    (port,), diary, file = free_ports(1), tmp_path / "nodes", tmp_path / "cluster.json"
    file.write_text(json.dumps(configuration(port, diary)))
    settings = {
        "RAY_FAKE_CLUSTER": "1",
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "RAY_enable_autoscaler_v2": "1",
        "RAY_CLOUD_INSTANCE_ID": HEAD,
        "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD,
    }
    options = (f"--autoscaling-config={file}", "--num-cpus=0", "--include-dashboard=false")
    with head(port, *options, log=tmp_path / "log", **settings) as address:
        yield address, diary


def test_nodes_come_when_a_run_asks_a_lost_one_is_replaced_and_all_go_when_it_is_over(autoscaled, python, tmp_path):
    address, diary = autoscaled
    assert not nodes(diary)
    arguments = ("-m", "tests.runs.drive", str(tmp_path), "20", "6", "2")
    driver = python(*arguments, RAY_ADDRESS=address, RAY_AUTH_MODE="disabled")
    first = until(lambda: gated if len(gated := set(pids(tmp_path / "diary", 6))) == 2 else None, "two nodes", driver)
    assert len(nodes(diary)) == 2
    lost, raylet = next(iter(nodes(diary).items()))
    os.kill(raylet, signal.SIGKILL)
    until(lambda: set(pids(tmp_path / "diary", 6)) - first, "a worker on the node that replaces the lost one", driver)
    assert len(nodes(diary)) == 2
    assert lost not in nodes(diary)
    (tmp_path / "gate").touch()
    _, told = driver.communicate(timeout=120)
    assert driver.returncode == 0, told
    assert Catalog(tmp_path / "c").committed_trials("run").tolist() == list(range(20))
    assert Catalog(tmp_path / "c").verify("run").ok
    assert len(begun(tmp_path / "diary")) >= 21, "the trial at the gate on the lost node was begun again"
    until(lambda: not nodes(diary), "the nodes' going when nothing needs them")
