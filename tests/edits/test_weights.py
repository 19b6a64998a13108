"""Edits of synaptic weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isfray.activity import draw_trial
from isfray.edits import scale_weights, set_weights, with_weights_from
from isfray.errors import InputError
from isfray.formats.isf.network import load_network, network_from_inputs
from isfray.model.network import NetworkModel


@pytest.fixture
def network(small_network: dict[str, Any], write_network: Callable[..., Path]) -> NetworkModel:
    return load_network(write_network(small_network))


def weights(network: NetworkModel) -> list[tuple[float, ...]]:
    return [receptor.weight for p in network.populations for receptor in p.receptors]


def test_weights_scale_together_or_by_component(network: NetworkModel):
    assert weights(network) == [(1.78, 1.5), (1.0,)]
    assert weights(scale_weights(network, 2)) == [(3.56, 3.0), (2.0,)]
    assert weights(scale_weights(network, 2, "INH")) == [(1.78, 1.5), (2.0,)]
    assert weights(scale_weights(network, (1, 0), "VPM")) == [(1.78, 0.0), (1.0,)]
    assert weights(scale_weights(network, (1, 0), receptor="glutamate_syn")) == [(1.78, 0.0), (1.0,)]
    assert weights(scale_weights(network, np.float64(0.5), "C2")) == [(0.89, 0.75), (1.0,)]


def test_weights_are_set_by_name_cell_type_or_column(network: NetworkModel):
    assert weights(set_weights(network, {"VPM": 1.1, "INH": 2})) == [(1.1, 1.1), (2.0,)]
    assert weights(set_weights(network, {"C2": [1.2, 0.3]})) == [(1.2, 0.3), (1.0,)]
    assert weights(set_weights(network, {"C2": 1.0, "VPM_C2": 3.0})) == [(3.0, 3.0), (1.0,)]  # the last one counts


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda n: scale_weights(n, (1, 2)), "INH.gaba_syn.weight = [1.0, 2.0] has 1 components"),
        (
            lambda n: scale_weights(n, (1, 2, 3), "VPM"),
            "VPM_C2.glutamate_syn.weight = [1.0, 2.0, 3.0] has 2",
        ),
        (lambda n: scale_weights(n, "x"), "factor = 'x' is not a number"),
        (lambda n: scale_weights(n, 1, "INH", "glutamate_syn"), "receptor = 'glutamate_syn' is not there"),
        (lambda n: set_weights(n, {"L5": 1.0}), "populations = 'L5' is no population"),
        (lambda n: set_weights(n, {"INH": None}), "weights.INH = None is not a number"),
    ],
)
def test_a_weight_that_does_not_fit_is_refused(
    edit: Callable[[NetworkModel], NetworkModel], message: str, network: NetworkModel
):
    with pytest.raises(InputError, match=re.escape(message)):
        edit(network)


def test_lognormal_weights_stay_above_zero(small_network: dict[str, Any], write_network: Callable[..., Path]):
    small_network["network"]["INH"]["synapses"]["receptors"]["gaba_syn"]["weightDistribution"] = "lognormal"
    network = load_network(write_network(small_network))
    with pytest.raises(InputError, match=r"edited network\.param.*weight = 0\.0 has no lognormal distribution"):
        scale_weights(network, 0.0, "INH")


ROWS = [f"VPM_C2\t{i}\t{i % 5}\t7\tglutamate_syn\t{0.1 * i!r},{0.2 * i!r}," for i in reversed(range(80))]


def weight_file(folder: Path, rows: list[str]) -> Path:
    path = folder / "weights.csv"
    path.write_text("# type\tid\tsection\tpoint\treceptor\tweights\n" + "\n".join(rows) + "\n")
    return path


def test_a_weight_file_gives_each_synapse_its_own_weights(network: NetworkModel, tmp_path: Path):
    own = with_weights_from(network, weight_file(tmp_path, [*ROWS, "OTHER\t0\t0\t0\tgaba_syn\t1,"]))
    assert list(own.synapse_weights) == [(0, 0)]
    assert own != network
    releases = draw_trial(own, 1, 300.0).releases
    active = releases.synapse[releases.synapse < 80]
    assert len(active) > 10
    assert np.array_equal(releases.weights[0, 0], np.outer(active, [0.1, 0.2]))
    assert list(releases.weights) == [(0, 0)]
    assert network_from_inputs(own.inputs) == own
    assert load_network(own.save(tmp_path / "saved" / "network.param")) == own
    assert (tmp_path / "saved" / "weights.csv").is_file()
    with pytest.raises(InputError, match=r"VPM_C2 = 'weights\.csv' has its weights from a file"):
        scale_weights(own, 2.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, "VPM_C2\t0\t0"], r"weights.csv:82: 'VPM_C2\t0\t0' is not a row of weights"),
        ([*ROWS[:-1], ROWS[-1].replace("0.0,0.0,", "0.0,x,")], "weights.csv:81: 'VPM_C2"),
        ([*ROWS, ROWS[3]], "weights.csv:82: synapse 76 of VPM_C2 has weights already"),
        ([*ROWS, "VPM_C2\t80\t0\t0\tglutamate_syn\t1,1,"], "weights.csv:82: synapse 80 of VPM_C2 does not exist"),
        (ROWS[1:], "weights.csv: glutamate_syn has no row for synapse 79 of VPM_C2"),
        ([row.replace("\t4\t7", "\t3\t7") for row in ROWS], "weights.csv:2: synapse 79 of VPM_C2 lies on section 4"),
        ([row + "3.0," for row in ROWS], "weights.csv:2: holds 3 weights; expected 2"),
        ([ROWS[0].replace("VPM_C2", "VPM_C3")], "weights.csv: tells of no population of the network"),
    ],
)
def test_a_weight_file_that_does_not_fit_is_refused(
    rows: list[str], message: str, network: NetworkModel, tmp_path: Path
):
    with pytest.raises(InputError, match=re.escape(message)):
        with_weights_from(network, weight_file(tmp_path, rows))
