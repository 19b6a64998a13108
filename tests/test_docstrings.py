"""Every public function says what it takes, gives and refuses, and its example runs as it stands."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT, ReadmeRun
from tests.public import functions, public


@pytest.fixture(scope="module")
def told(readme_run: ReadmeRun) -> dict[str, dict[str, object]]:
    """What running all examples gave, by name."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.examples_child"],
        capture_output=True,
        text=True,
        cwd=readme_run.folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", functions())
def test_its_example_runs_as_it_stands(told, name: str):
    assert told[name]["ran"], "has no example"
    assert not told[name]["wrong"], told[name]["wrong"]


@pytest.mark.parametrize("name", functions())
def test_it_says_what_it_takes_and_gives(name: str):
    thing = functions()[name]
    text = inspect.getdoc(thing) or ""
    sections = set(re.findall(r"(?m)^(\w+)\n-{3,}$", text))
    parameters = inspect.signature(thing).parameters.values()
    takes = [p.name for p in parameters if p.name != "self" and p.kind != p.VAR_KEYWORD]
    assert not takes or sections & {"Parameters", "Attributes"}, "does not say what it takes"
    returns = inspect.signature(thing).return_annotation
    gives_something = inspect.isfunction(thing) and returns not in (None, "None")
    assert not gives_something or sections & {"Returns", "Yields"}, "does not say what it gives"
    for parameter in takes:
        assert re.search(rf"(?m)^(.*, )?\*{{0,2}}{parameter}(, .*)?( :.*)?$", text), f"does not tell of {parameter}"


def test_the_reference_of_the_site_names_all_that_is_public():
    pages = "".join(page.read_text() for page in sorted((ROOT / "docs" / "api").glob("*.rst")))
    for name in public():
        room, _, last = name.rpartition(".")
        if inspect.isclass(public().get(room)):
            continue  # methods: their class lists them
        assert re.search(rf":: ([\w.]+\.)?{last}\b", pages), name
