"""Fixtures every room's tests share."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The modules that take longest come first, so that no process begins with one of them when the others have ended.
LONGEST = [
    *("runs/test_dispatch", "test_spine", "runs/test_crash", "test_site", "runs/test_interruption"),
    *("runs/test_jobs", "test_docstrings", "runs/test_nodes", "catalog/test_trouble", "catalog/test_crash"),
    *("runs/test_autoscaling", "engine/test_reference", "engine/test_coreneuron", "runs/test_old_catalogs"),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest modules first."""

    def place(item: pytest.Item) -> int:
        module = item.path.relative_to(ROOT / "tests").with_suffix("").as_posix()
        return LONGEST.index(module) if module in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Let processes that tests start take Ctrl-C, which what a script starts in the background ignores."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of the reference cell, network and golden numbers; skips where it is absent, or fails if it has to be."""
    asked = os.environ.get("ISFRAY_REFERENCE", "")
    named = asked if asked not in ("", "required") else ROOT.parent / "shared" / "reference"
    folder = Path(named).resolve()
    if not (folder / "golden").is_dir():
        reason = f"no reference data at {folder} (set ISFRAY_REFERENCE)"
        pytest.fail(reason) if asked == "required" else pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The published replays of the reference cell: a catalog with the run `replays`."""
    from tests.analysis.recorded import golden_catalog

    return golden_catalog(reference, tmp_path_factory.mktemp("golden") / "results")


@pytest.fixture(scope="session")
def two_cpus() -> Iterator[None]:
    """Ray on this machine with two CPUs, for all tests that need it."""
    from isfray.runs import session

    session.join(2)
    yield
    session.leave()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium; skips where there is none."""
    from tests.look.browser import DRIVER, PROGRAM, browsing

    if not (PROGRAM and DRIVER):
        pytest.skip("no chromium with chromedriver here (scripts/setup-browser)")
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@dataclass(frozen=True)
class ReadmeRun:
    """The README's program after it has run in a folder: what it printed; its catalog is `results` there."""

    folder: Path
    program: str
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def readme_run(tmp_path_factory: pytest.TempPathFactory) -> ReadmeRun:
    """The README's program, run as it stands in an empty folder: eight trials of the built-in example on Ray."""
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    folder = tmp_path_factory.mktemp("readme")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return ReadmeRun(folder, program, done.stdout, done.stderr)


@pytest.fixture
def small_network() -> dict[str, Any]:
    """Content of a network file of two populations, for tests to change: evoked VPM_C2 and ongoing INH."""
    return two_populations()


def two_populations() -> dict[str, Any]:
    """Content of a network file of two populations."""
    files = {"distributionFile": "cell.syn", "connectionFile": "cell.con"}
    glutamate = {"threshold": 0.0, "delay": 0.5, "weight": [1.78, 1.5], "parameter": {"tau1": 26.0, "tau2": 2.0}}
    gaba = {"threshold": 0.0, "delay": 0.0, "weight": 1.0, "parameter": {"risetime": 1.0}}
    psth = {"distribution": "PSTH", "intervals": [(0.0, 5.0), (8.0, 9.0)], "probabilities": [0.5, -0.1], "offset": 50.0}
    return {
        "info": {"name": "small"},
        "NMODL_mechanisms": {"synapses": "/", "VecStim": "/"},
        "network": {
            "VPM_C2": {
                "cellNr": 40,
                "celltype": {"pointcell": psth, "spiketrain": {"interval": 40.0}},
                "synapses": {"releaseProb": 0.6, **files, "receptors": {"glutamate_syn": glutamate}},
            },
            "INH": {
                "cellNr": 30,
                "celltype": "spiketrain",
                "interval": 20.0,
                "synapses": {"releaseProb": 0.25, **files, "receptors": {"gaba_syn": gaba}},
            },
        },
    }


@pytest.fixture
def write_network(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a network file with its `.syn` and `.con` (by default two synapses a cell)."""
    return partial(write_network_files, tmp_path)


def write_network_files(folder: Path, data: dict[str, Any], syn: str | None = None, con: str | None = None) -> Path:
    """Write a network file with its `.syn` and `.con` into a folder."""
    cells = {
        name: entry.get("cellNr", 0) for name, entry in data["network"].items() if name != "network_modify_functions"
    }
    both = [(name, i) for name, n in cells.items() if isinstance(n, int) for i in range(2 * n)]
    rows = [f"{name}\t{i % 5}\t{i / (2 * cells[name])!r}" for name, i in both]
    (folder / "cell.syn").write_text("# Synapses\n\n" + "\n".join(rows) + "\n" if syn is None else syn)
    rows = [f"{name}\t{i // 2}\t{i}" for name, i in both]
    (folder / "cell.con").write_text("# Connections\n# cell.syn\n\n" + "\n".join(rows) if con is None else con)
    path = folder / "network.param"
    path.write_text(json.dumps(data, indent=4))
    return path
