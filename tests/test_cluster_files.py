"""The files a cluster is made from: what other tools read in them is what those tools, and isfray, know."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from isfray.runs.metrics import COUNTERS, GAUGES

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def aws() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def test_the_aws_cluster_is_one_ray_accepts(aws):
    validate_config(prepare_config(deepcopy(aws)))
    for broken in ({"head_node_type": "hed"}, {"idle_timeout": 5}, {"max_workers": "many"}):
        with pytest.raises(Exception, match=r".+"):
            validate_config(prepare_config(deepcopy(aws) | broken))


def test_the_head_is_on_demand_without_cpus_and_workers_are_spot_from_none_to_many(aws):
    head, spot = (aws["available_node_types"][name] for name in ("head", "spot"))
    assert aws["head_node_type"] == "head"
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert spot["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert (spot["min_workers"], spot["max_workers"]) == (0, aws["max_workers"])
    assert spot["resources"]["CPU"] == 16, "of a c7a.4xlarge"
    assert aws["idle_timeout_minutes"] <= 10
    assert head["node_config"]["IamInstanceProfile"] == spot["node_config"]["IamInstanceProfile"]


def test_every_node_builds_the_mechanisms_before_it_starts_ray(aws):
    assert aws["setup_commands"][-1].endswith("isfray mechanisms build")
    for kind in ("head", "worker"):
        assert "ray start" in aws[f"{kind}_start_ray_commands"][-1]
    assert "mechanisms build" in (ROOT / "scripts" / "Dockerfile").read_text()


def test_the_same_ray_is_everywhere(aws):
    kuberay = yaml.safe_load((ROOT / "scripts" / "kuberay.yaml").read_text())
    version = kuberay["spec"]["rayVersion"]
    assert f"ray=={version}" in " ".join(aws["setup_commands"])
    assert f"rayproject/ray:{version}-" in (ROOT / "scripts" / "Dockerfile").read_text()


def test_the_kubernetes_cluster_has_a_head_without_cpus_and_workers_from_none_to_many():
    spec = yaml.safe_load((ROOT / "scripts" / "kuberay.yaml").read_text())["spec"]
    assert spec["enableInTreeAutoscaling"] is True
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (workers,) = spec["workerGroupSpecs"]
    assert workers["minReplicas"] == workers["replicas"] == 0 < workers["maxReplicas"]
    for group in (spec["headGroupSpec"], workers):
        (container,) = group["template"]["spec"]["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        volumes = {volume["name"] for volume in group["template"]["spec"].get("volumes", [])}
        assert {mount["name"] for mount in container.get("volumeMounts", [])} == volumes
        for value in group["rayStartParams"].values():
            assert isinstance(value, str), "KubeRay takes strings only"


def test_no_file_holds_a_secret():
    files = [ROOT / "cluster.yaml", *(path for path in (ROOT / "scripts").iterdir() if path.is_file())]
    secret = re.compile(r"AKIA[0-9A-Z]{16}|aws_secret|(?i:password|secret_key|access_key)\s*[:=]")
    assert not [path.name for path in files if secret.search(path.read_text())]


def test_the_grafana_dashboard_shows_every_metric_and_no_other():
    panels = json.loads((ROOT / "docs" / "grafana.json").read_text())["panels"]
    shown = {name for panel in panels for t in panel["targets"] for name in re.findall(r"ray_(isfray_\w+)", t["expr"])}
    assert shown == COUNTERS.keys() | GAUGES.keys()


@pytest.mark.parametrize("name", ["run-config", "resume", "compact"])
def test_a_script_tells_its_arguments(name):
    script = ROOT / "scripts" / name
    done = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=False, cwd=ROOT.parent
    )
    assert done.returncode == 0, done.stderr
    assert f"isfray {name}" in done.stdout
    assert "positional arguments" in done.stdout


def test_the_batch_script_is_a_script():
    script = ROOT / "scripts" / "slurm.sbatch"
    subprocess.run(["bash", "-n", str(script)], check=True)
    done = subprocess.run(["bash", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: sbatch" in done.stderr
