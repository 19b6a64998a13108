"""`ray job submit` on a real head: a run is submitted, followed, stopped, submitted again and finished."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ray.util import get_node_ip_address

from isfray.catalog import Catalog
from tests.model import small_cell
from tests.ports import free_ports
from tests.runs.head import START, head
from tests.runs.waiting import PATIENCE, ROOT, until

ENDLESS = 1_000_000  # trials nobody waits for


@dataclass(frozen=True)
class Head:
    """A Ray head with dashboard, job API and metrics."""

    address: str
    dashboard: str
    metrics: str

    def job(self, *arguments: str) -> subprocess.Popen[str]:
        """`ray job ...`, as a user types it on another machine."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return subprocess.Popen(
            [sys.executable, "-c", START, "job", *arguments],
            env={**environment, "RAY_API_SERVER_ADDRESS": self.dashboard, "RAY_AUTH_MODE": "disabled"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def say(self, *arguments: str) -> str:
        """What `ray job ...` says, once it has done what it was told."""
        while True:
            told = self.job(*arguments)
            said, _ = told.communicate(timeout=PATIENCE)
            if "No available agent" in said:  # the one that takes jobs starts after the head has; Ray waits 10 s for it
                continue
            assert told.returncode == 0, said
            return said

    def status(self, submission: str) -> str:
        """State of a job."""
        state: str = json.loads(self.get(f"{self.dashboard}/api/jobs/{submission}"))["status"]
        return state

    def names(self, kind: str, **only: str) -> set[str]:
        """Names that Ray's dashboard shows for actors or tasks, # for what is random in them."""
        listed = json.loads(self.get(f"{self.dashboard}/api/v0/{kind}"))["data"]["result"]["result"]
        shown = [one for one in listed if only.items() <= one.items()]
        return {re.sub(r"\b[0-9a-f]{6}\b", "#", one["name"]) for one in shown}

    def get(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=30) as answer:
            text: str = answer.read().decode()
        return text


@pytest.fixture(scope="module")
def ray_head(tmp_path_factory) -> Iterator[Head]:
    port, dashboard, metrics = free_ports(3)
    options = ["--num-cpus=2", f"--dashboard-port={dashboard}", f"--metrics-export-port={metrics}"]
    options += ["--include-dashboard=true", '--system-config={"metrics_report_interval_ms": 1000}']
    log = tmp_path_factory.mktemp("head") / "log"
    with head(port, *options, log=log, RAY_JOB_STOP_WAIT_TIME_S="60") as address:
        yield Head(address, f"http://127.0.0.1:{dashboard}", f"http://{get_node_ip_address()}:{metrics}/metrics")


@pytest.fixture
def folder(tmp_path: Path, small_network, write_network) -> Path:
    """A working directory with isfray, its mechanisms and scripts, and a configuration with its models."""
    for part in ("isfray", "mod", "scripts"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    small_cell.write(tmp_path)
    write_network(small_network)
    (tmp_path / "run.toml").write_text(
        f"""
        catalog = "{tmp_path / "results"}"
        cell = "small.param"
        network = "network.param"
        run = "job"
        trials = {ENDLESS}
        seed = 7
        t_stop = 500.0
        batch_trials = 5
        batch_seconds = 1.0
        workers = 1
        """
    )
    return tmp_path


def records(said: str) -> list[dict[str, Any]]:
    """The lines of a log that are JSON objects."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def test_a_job_is_submitted_followed_stopped_submitted_again_and_finished(ray_head, folder):
    submit = ["--working-dir", str(folder), "--runtime-env-json", json.dumps({"excludes": ["results"]})]
    catalog = Catalog(folder / "results")
    command = ["python", "scripts/run-config", "run.toml", "--log", "json"]
    ray_head.say("submit", "--no-wait", *submit, "--submission-id", "first", "--", *command)
    followed = ray_head.job("logs", "--follow", "first")

    def committed() -> int:
        return len(catalog.committed_trials("job")) if catalog.exists and "job" in catalog.runs() else 0

    until(lambda: committed() > 10, "trials", alive=followed)
    assert catalog.info("job").provenance["git_commit"] is None, "the package came with the working directory"
    assert ray_head.status("first") == "RUNNING"

    # Prometheus sees it, and Ray's dashboard tells actors and tasks by name.
    def metric(name: str) -> float:
        found = re.search(rf'^ray_{name}{{.*run="job".*}} (\S+)$', ray_head.get(ray_head.metrics), re.MULTILINE)
        return float(found[1]) if found else 0.0

    until(lambda: metric("isfray_trials_done_total") > 10, "trials done, as a metric", alive=followed)
    until(lambda: metric("isfray_written_bytes_total") > 1000, "bytes written, as a metric", alive=followed)
    until(lambda: metric("isfray_trials_running") == metric("isfray_workers") == 1, "one worker with one trial")
    assert metric("isfray_trials_left") > ENDLESS / 2
    assert {"isfray job # simulation 0", "isfray job # catalog"} <= ray_head.names("actors", state="ALIVE")
    assert {"SimulationActor.run job", "CatalogActor.write job"} <= ray_head.names("tasks")

    ray_head.say("stop", "first")
    said, _ = followed.communicate(timeout=PATIENCE)
    kept = committed()
    assert records(said)[0]["event"] == "progress"
    assert records(said)[-1]["done"] == kept, "what was simulated was written, and said so"

    wanted = kept + 5
    said = ray_head.say("submit", *submit, "--submission-id", "second", "--", *command, "--trials", str(wanted))
    assert ray_head.status("second") == "SUCCEEDED"
    assert records(said)[-1]["before"] == kept
    assert records(said)[-1]["done"] == wanted
    assert catalog.verify("job").ok
    assert catalog.committed_trials("job").tolist() == list(range(wanted))
