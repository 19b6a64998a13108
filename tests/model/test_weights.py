"""Edits of synaptic weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isfray.model.edits import scale_weights, set_weights
from isfray.model.errors import InputError
from isfray.model.network import NetworkModel, load_network


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
        (lambda n: scale_weights(n, "x"), "factor = 'x' is not valid"),
        (lambda n: scale_weights(n, 1, "INH", "glutamate_syn"), "receptor = 'glutamate_syn' is not there"),
        (lambda n: set_weights(n, {"L5": 1.0}), "populations = 'L5' is no population"),
        (lambda n: set_weights(n, {"INH": None}), "weights.INH = None is not valid"),
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
