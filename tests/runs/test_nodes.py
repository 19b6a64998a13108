"""A Ray cluster of several nodes on this machine: nodes and workers come and go, and every trial is there once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from ray._private.node import Node
from ray._raylet import GcsClient
from ray.cluster_utils import Cluster
from ray.core.generated.autoscaler_pb2 import DrainNodeReason

from isfray.activity import trial_seed
from isfray.catalog import Catalog
from tests.runs.null_engine import begun, trial_tables
from tests.runs.waiting import pids, until

TRIALS, GATE = 30, 12  # trials from GATE on wait for the gate
LARGE = 2000  # rows of a trial whose tables Ray keeps in the object store of the node that simulated it
PREEMPTION = DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head without CPUs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        yield cluster
        cluster.shutdown()


@pytest.fixture
def two_nodes(cluster) -> Cluster:
    """Two nodes of one CPU, whatever a test before has left."""
    while len(cluster.worker_nodes) > 2:
        cluster.remove_node(next(iter(cluster.worker_nodes)))
    while len(cluster.worker_nodes) < 2:
        cluster.add_node(num_cpus=1)
    return cluster


@pytest.fixture
def drive(two_nodes, python, tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a driver that wants as many workers as the cluster has CPUs."""
    arguments = ("-m", "tests.runs.drive", str(tmp_path), str(TRIALS), str(GATE), "0")
    return lambda *more: python(*arguments, *more, RAY_ADDRESS=two_nodes.address, RAY_AUTH_MODE="disabled")


def at_the_gate(folder: Path, workers: int, but: frozenset[int] = frozenset()) -> frozenset[int]:
    """Processes that wait at the gate, once there are so many; those in `but` do not count."""
    waiting = frozenset(pids(folder / "diary", GATE)) - but
    return waiting if len(waiting) >= workers else frozenset()


def finish(driver: subprocess.Popen[str], folder: Path, rows: int = 20) -> str:
    """Open the gate; the run ends with every trial once, as an undisturbed run has it. Returns what was told."""
    (folder / "gate").touch()
    _, told = driver.communicate(timeout=120)
    assert driver.returncode == 0, told
    catalog = Catalog(folder / "c")
    assert catalog.verify("run").ok
    for table in catalog.tables():
        found = catalog.scan(table).drop("run").sort("trial", maintain_order=True).collect()
        expected = [trial_tables(k, trial_seed(7, k), 300.0, rows)[table].to_pylist() for k in range(TRIALS)]
        assert found.to_dicts() == [row for trial in expected for row in trial], table
    return told


def busiest(cluster: Cluster, folder: Path) -> Node:
    """The node whose worker has simulated most trials before the gate; the other may have come too late for any."""
    done = pids(folder / "diary")
    worker = max(done, key=lambda pid: sum(trial < GATE for trial in done[pid]))
    raylets = {node.all_processes["raylet"][0].process.pid: node for node in cluster.worker_nodes}
    return raylets[psutil.Process(worker).ppid()]


def test_a_node_that_goes_and_one_that_comes_change_nothing(two_nodes, drive, tmp_path):
    driver = drive()
    first = until(lambda: at_the_gate(tmp_path, 2), "two workers at the gate", driver)
    gone = next(iter(two_nodes.worker_nodes))
    two_nodes.remove_node(gone, allow_graceful=False)
    for _ in range(2):
        two_nodes.add_node(num_cpus=1)
    until(lambda: at_the_gate(tmp_path, 2, but=first), "a worker on each new node", driver)
    finish(driver, tmp_path)


def test_tables_that_were_only_on_a_node_that_was_preempted_are_simulated_again(two_nodes, drive, tmp_path):
    driver = drive(str(LARGE), str(GATE + 1))
    until(lambda: at_the_gate(tmp_path, 2), "two workers at the gate, and nothing written yet", driver)
    gone = busiest(two_nodes, tmp_path)
    gcs = GcsClient(two_nodes.address)
    accepted, why = gcs.drain_node(gone.node_id, PREEMPTION, "spot capacity is wanted back", 0)
    assert accepted, why
    two_nodes.remove_node(gone, allow_graceful=False)
    told = finish(driver, tmp_path, LARGE)
    assert re.search(r"\d+ retried", told.splitlines()[-1])
    again = Counter(begun(tmp_path / "diary"))
    assert any(times > 1 for trial, times in again.items() if trial < GATE)


def test_every_worker_killed_once_loses_and_doubles_no_trial(drive, tmp_path):
    driver = drive()
    first = until(lambda: at_the_gate(tmp_path, 2), "two workers at the gate", driver)
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    until(lambda: at_the_gate(tmp_path, 2, but=first), "a new worker for each", driver)
    finish(driver, tmp_path)


def test_a_driver_that_dies_leaves_no_worker_on_the_cluster_and_the_next_one_goes_on(drive, tmp_path):
    driver = drive()
    workers = until(lambda: at_the_gate(tmp_path, 2), "two workers at the gate", driver)
    until(lambda: len(Catalog(tmp_path / "c").committed_trials("run")), "a commit", driver)
    driver.kill()
    driver.communicate()
    until(lambda: not any(map(psutil.pid_exists, workers)), "the end of the dead driver's workers")
    kept = Catalog(tmp_path / "c").committed_trials("run").tolist()
    (tmp_path / "diary").unlink()
    (tmp_path / "gate").touch()
    finish(drive(), tmp_path)
    assert sorted([*kept, *begun(tmp_path / "diary")]) == list(range(TRIALS))
