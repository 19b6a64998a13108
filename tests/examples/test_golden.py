"""The built-in example is the same everywhere: its files, its input to the last bit, and its voltage.

What these numbers are, and when they may be written anew, is told in tests/examples/golden.py.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from isfray.engine import ENGINES
from tests.engine.child import in_child
from tests.examples import golden

KEPT = json.loads(golden.FILE.read_text())
GOLDEN = "tests.examples.golden"


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    return golden.without_neuron()


@pytest.mark.parametrize("part", ["files", "inputs", "kinds"])
def test_the_files_and_what_is_drawn_are_the_golden_ones(part: str, drawn: dict[str, Any]):
    assert drawn[part] == KEPT[part]


def test_a_processor_without_vector_instructions_draws_the_same(monkeypatch: pytest.MonkeyPatch):
    has: Any = np.show_config(mode="dicts")
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", " ".join(has["SIMD Extensions"].get("found", ())))
    assert in_child(GOLDEN, "without_neuron") == {part: kept for part, kept in KEPT.items() if part != "trials"}


def test_the_golden_trials_cover_the_touch_and_spikes_of_soma_and_dendrite():
    for trial in KEPT["trials"]:
        assert all(trial["spikes"].values())
        assert {len(v) for v in trial["voltage"].values()} == {201}
    assert KEPT["inputs"][0] != KEPT["inputs"][1]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_voltage_is_the_golden_one(engine: str):
    """To 1e-6 mV: engines, compiler flags and vector widths differ by 3e-11 mV here, the three spikes included."""
    for ours, kept in zip(in_child(GOLDEN, "voltages", engine), KEPT["trials"], strict=True):
        assert ours["spikes"] == kept["spikes"]
        assert ours["voltage"].keys() == kept["voltage"].keys()
        for site, voltage in ours["voltage"].items():
            np.testing.assert_allclose(voltage, kept["voltage"][site], rtol=0, atol=1e-6, err_msg=site)
