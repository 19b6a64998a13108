"""`ray job submit` on a real head: a run is submitted, watched, stopped, submitted again and finished."""

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

import pytest
from ray.util import get_node_ip_address

from isfray.catalog import Catalog
from tests.cluster.head import START, free_port, head
from tests.cluster.waiting import ROOT, until
from tests.model import small_cell

ENDLESS = 1_000_000  # trials nobody waits for


@dataclass(frozen=True)
class Head:
    """A Ray head with dashboard, job API and metrics."""

    address: str
    dashboard: str
    metrics: str

    def job(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`ray job ...`, as a user types it on another machine."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return subprocess.run(
            [sys.executable, "-c", START, "job", *arguments],
            env={**environment, "RAY_API_SERVER_ADDRESS": self.dashboard, "RAY_AUTH_MODE": "disabled"},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    def submit(self, *arguments: str) -> None:
        """Submit a job, as soon as the head's job agent is up."""
        refused: list[str] = []

        def taken() -> bool:
            done = self.job("submit", "--no-wait", *arguments)
            refused.append(done.stderr)
            return done.returncode == 0 or "No available agent" not in done.stderr

        until(taken, "a job agent")
        assert "Error" not in refused[-1], refused[-1]

    def status(self, submission: str) -> str:
        """State of a job."""
        state: str = json.loads(self.get(f"{self.dashboard}/api/jobs/{submission}"))["status"]
        return state

    def get(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=30) as answer:
            text: str = answer.read().decode()
        return text


@pytest.fixture(scope="module")
def ray_head(tmp_path_factory) -> Iterator[Head]:
    port, dashboard, metrics = free_port(), free_port(), free_port()
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
        t_stop = 5.0
        batch_trials = 5
        batch_seconds = 1.0
        workers = 1
        """
    )
    return tmp_path


def test_a_job_is_submitted_watched_stopped_submitted_again_and_finished(ray_head, folder):
    submit = ["--working-dir", str(folder), "--runtime-env-json", json.dumps({"excludes": ["results"]})]
    catalog = Catalog(folder / "results")
    command = ["python", "scripts/run-config", "run.toml", "--log", "json"]
    ray_head.submit(*submit, "--submission-id", "first", "--", *command)

    def committed() -> int:
        return len(catalog.committed_trials("job")) if catalog.exists and "job" in catalog.runs() else 0

    until(lambda: committed() > 10 or ray_head.status("first") == "FAILED", "trials")
    assert committed() > 10, ray_head.job("logs", "first").stdout
    assert catalog.info("job").provenance["git_commit"] is None, "the package came with the working directory"

    # Prometheus sees it, and Ray's dashboard tells actors and tasks by name.
    def metric(name: str) -> float:
        found = re.search(rf'^ray_{name}{{.*run="job".*}} (\S+)$', ray_head.get(ray_head.metrics), re.MULTILINE)
        return float(found[1]) if found else 0.0

    until(lambda: metric("isfray_trials_done_total") > 10, "trials done, as a metric")
    until(lambda: metric("isfray_written_bytes_total") > 1000, "bytes written, as a metric")
    assert metric("isfray_trials_running") == metric("isfray_workers") == 1
    assert metric("isfray_trials_left") > ENDLESS / 2
    actors = json.loads(ray_head.get(f"{ray_head.dashboard}/api/v0/actors"))["data"]["result"]["result"]
    names = {actor["name"] for actor in actors if actor["state"] == "ALIVE"}
    assert any(re.fullmatch("isfray job [0-9a-f]{6} simulation 0", name) for name in names), names
    assert any(re.fullmatch("isfray job [0-9a-f]{6} catalog", name) for name in names), names

    stopped = ray_head.job("stop", "first")
    assert stopped.returncode == 0, stopped.stderr
    logs = ray_head.job("logs", "first").stdout
    lines = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    assert lines[0]["event"] == "progress"
    kept = committed()
    assert lines[-1]["done"] == kept, "what was simulated was written, and said so"

    ray_head.submit(*submit, "--submission-id", "second", "--", *command[:3], "--trials", str(kept + 20))
    until(lambda: ray_head.status("second") in ("SUCCEEDED", "FAILED"), "the end of the second job")
    assert f"{kept + 20} of {ENDLESS} trials" in ray_head.job("logs", "second").stdout
    assert catalog.verify("job").ok
    assert set(range(kept + 20)) <= set(catalog.committed_trials("job").tolist())
