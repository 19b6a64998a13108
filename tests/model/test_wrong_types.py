"""Whatever is given to the functions of the model room, they answer, or say in one short line what was expected."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from isfray import edits
from isfray.activity.stored import read_releases
from isfray.edits.from_measurements import build_network
from isfray.engine.fit import fit
from isfray.errors import InputError
from isfray.formats import isf
from isfray.formats.isf.cell import load_cell
from isfray.formats.isf.network import load_network
from isfray.model.cell import CellModel
from isfray.model.clamp import CurrentClamp, read_clamps
from isfray.model.network import NetworkModel
from tests.conftest import two_populations, write_network_files
from tests.edits import small_measurements
from tests.model import small_cell

ODD: list[Any] = [
    *(None, True, 0, -1, 3, 1.5, -0.5, math.nan, math.inf, 10**400, 2**64, 1j, "", "x", "INH", "\0", "\ud800", b"x"),
    *([], [None], [1.0, "x"], [[1.0]], (1, 2, 3), {}, {"a": 1}, {"INH": "x"}, {1: 2}, {("C2", "VPM"): 1.5}, {"C2"}),
    *(object(), np.int64(3), np.float32(0.5), np.array(2.0), np.array([1.0, 2.0]), np.array(["x"])),
    *(np.bool_(True), np.nan),
    *("x" * 300, Path("/nowhere"), Path("/dev/null"), range(3), pl.DataFrame({"times": [[1.0]]}), iter([1, 2])),
]  # fmt: skip


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> NetworkModel:
    data = two_populations()
    inhibition, drawn = data["network"]["INH"], copy.deepcopy(data["network"]["VPM_C2"])
    inhibition["celltype"] = {
        "spiketrain": {"interval": inhibition.pop("interval")},
        "pointcell": data["network"]["VPM_C2"]["celltype"]["pointcell"],
    }
    del drawn["synapses"]["connectionFile"]
    data["network"]["L4ss_C2"] = drawn | {"convergence": 0.5}
    return load_network(write_network_files(tmp_path_factory.mktemp("network"), data))


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> CellModel:
    return load_cell(small_cell.write(tmp_path_factory.mktemp("cell")))


def every_argument_made_odd(function: Callable[..., Any], right: dict[str, Any]) -> None:
    """Call with each argument replaced by each odd value, and see that what is refused is refused in one line."""
    answered = function(**right)
    assert answered is not None
    refused = 0
    for name in right:
        for value in ODD:
            try:
                function(**right | {name: value})
            except InputError as error:
                refused += 1
                said = str(error)
                assert "\n" not in said
                assert len(said) <= 600
                assert said.isprintable()
    assert refused > len(right)


SOURCES = ["poissontrain"]
RIGHT: dict[str, dict[str, Any]] = {
    "scale_ongoing_rates": {"factor": 2.0, "populations": "INH"},
    "scale_evoked": {"factor": 0.5, "populations": "VPM"},
    "scale_evoked_inhibition": {"factor": 0.5, "populations": None},
    "scale_weights": {"factor": 0.5, "populations": None, "receptor": None},
    "set_weights": {"weights": {"INH": 0.5}, "receptor": None},
    "silence_evoked": {"populations": None},
    "silence_populations": {"populations": "INH"},
    "silence_by_soma_distance": {"nearest_um": 0, "farthest_um": 9, "populations": None, "keep_sources": SOURCES},
    "move_stimulus": {"offset": 1.0, "populations": None},
    "repeat_stimulus": {"stims": 2, "inter_stimulus_interval": 9.0, "scale_factors": [1, 1], "populations": None},
    "redraw_connections": {"seed": 1, "populations": None},
    "select": {"populations": "INH"},
    "add_stimulus": {"other": ...},
    "with_weights_from": {"file": ...},
}  # fmt: skip


def test_every_edit_is_tried():
    assert RIGHT.keys() | {"Populations"} == set(edits.__all__)


@pytest.mark.parametrize("name", RIGHT)
def test_an_edit_takes_what_it_needs_or_says_what_that_is(name: str, network: NetworkModel, tmp_path: Path):
    right = {"network": network, **RIGHT[name]}
    if name == "add_stimulus":
        right["other"] = network
    if name == "with_weights_from":
        rows = [f"INH\t{i}\t{i % 5}\t0\tgaba_syn\t1.0," for i in range(60)]
        right["file"] = tmp_path / "weights.csv"
        right["file"].write_text("\n".join(["header", *rows]))
    every_argument_made_odd(getattr(edits, name), right)


def test_numbers_of_numpy_are_numbers_of_python_in_every_edit(network: NetworkModel):
    for name, right in RIGHT.items():
        numbers = {k: v for k, v in right.items() if isinstance(v, int | float)}
        for kind in (np.int64, np.float64) if numbers else ():
            whole = {k: v for k, v in numbers.items() if k in ("stims", "seed")}
            given = {k: np.int64(v) if k in whole else kind(math.ceil(v)) for k, v in numbers.items()}
            plain = {k: v.item() for k, v in given.items()}
            function = getattr(edits, name)
            assert function(network, **right | given) == function(network, **right | plain)
    several = edits.set_weights(network, {"VPM": np.array([2.0, 1.0]), "INH": np.float32(0.5)})
    assert [p.receptors[0].weight for p in several.populations] == [(2.0, 1.0), (0.5,), (1.78, 1.5)]


def test_a_network_is_built_from_what_it_needs_or_it_says_what_that_is(tmp_path: Path):
    right = small_measurements.write(tmp_path)
    every_argument_made_odd(build_network, {**right, "whisker": "C2", "offset": 245.0})
    numpy = {("C2", "VPM"): np.int64(2), ("C2", "L4ss"): np.int32(3), ("C2", "L1"): 2}
    built = build_network(**right | {"counts": numpy, "offset": np.float32(245.0)})
    assert [p.n_cells for p in built.populations] == [2, 3, 2]


def test_a_template_of_a_program_may_hold_numbers_of_numpy(tmp_path: Path):
    right = small_measurements.write(tmp_path)
    template = {"network": {name: dict(entry) for name, entry in small_measurements.ONGOING["network"].items()}}
    template["network"]["VPM"]["interval"] = np.float64(4761.9)
    assert build_network(**right | {"ongoing": template}) == build_network(**right)
    for wrong in (math.nan, object(), 1j, {1: 2}, "\ud800", np.array([np.inf])):
        template["network"]["VPM"]["interval"] = wrong
        with pytest.raises(InputError, match=r"ongoing template: network\.VPM\.interval"):
            build_network(**right | {"ongoing": template})


def test_files_of_models_are_asked_for_or_refused(cell: CellModel, network: NetworkModel):
    main = {"path": cell.inputs.main.path, "search_paths": (), "biophysics": None}
    every_argument_made_odd(load_cell, main)
    every_argument_made_odd(load_network, {"path": network.inputs.main.path, "search_paths": ()})
    every_argument_made_odd(isf.cell_from_inputs, {"inputs": cell.inputs, "mechanisms": cell.mechanisms})
    every_argument_made_odd(isf.network_from_inputs, {"inputs": network.inputs})
    every_argument_made_odd(network.weights_differ, {"population": 0, "receptor": 0})
    every_argument_made_odd(network.where, {"synapse": 0})


def test_electrodes_and_releases_are_taken_or_refused(cell: CellModel, network: NetworkModel):
    labels = cell.morphology.labels
    for name in inspect.signature(CurrentClamp).parameters:
        every_argument_made_odd(
            lambda **one: read_clamps([one], labels), {name: getattr(CurrentClamp(), name)} | {"amp": 1.0}
        )
    every_argument_made_odd(lambda clamps: read_clamps(clamps, labels) or labels, {"clamps": [{"amp": np.float64(1)}]})
    every_argument_made_odd(fit, {"cell": cell, "network": network})
    row = {
        **{"synapse_type": "INH", "synapse_id": 0, "section_id": 0, "section_pt_id": 0},
        **{"soma_distance": 0.0, "times": [1.0]},
    }

    def replayed(rows: Any) -> Any:
        return read_releases(rows, network, cell.geometry, seed=1)

    every_argument_made_odd(replayed, {"rows": pl.DataFrame([row])} | {})
    for name in row:
        for value in (None, "x", [None], [math.nan], [-1.0], [[1.0]], -7, 2**40, 0.5, math.nan, {"a": 1}):
            with suppress(InputError):
                replayed(pl.DataFrame([row | {name: value}], strict=False))
    for times in (None, [None], [1.0, None]):
        with pytest.raises(InputError, match=r"releases\.times holds an empty value"):
            replayed(pl.DataFrame([row | {"times": times}], schema_overrides={"times": pl.List(pl.Float64)}))
