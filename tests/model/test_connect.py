"""Connections drawn from a convergence: the law, and that they belong to the model."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isfray import edits
from isfray.errors import InputError
from isfray.formats.isf.network import load_network, network_from_inputs
from isfray.model.connect import Convergence, connect


@given(
    st.integers(1, 60), st.integers(0, 80), st.floats(1e-9, 1.0), st.integers(0, 2**64), st.text(min_size=1, max_size=9)
)
def test_every_synapse_gets_one_cell_and_every_connected_cell_a_synapse(
    n_cells: int, n_synapses: int, probability: float, seed: int, name: str
):
    cell, synapse = connect(name, n_cells, n_synapses, Convergence(probability, seed))
    assert sorted(synapse.tolist()) == list(range(n_synapses))
    assert ((cell >= 0) & (cell < n_cells)).all()
    again = connect(name, n_cells, n_synapses, Convergence(probability, seed))
    assert (cell.tolist(), synapse.tolist()) == (again[0].tolist(), again[1].tolist())
    more, _ = connect(name, n_cells, n_synapses + n_cells, Convergence(probability, seed))
    assert len(np.unique(more)) >= len(np.unique(cell))


def test_cells_connect_with_the_convergence_given_that_one_does():
    n_cells, p, draws = 5, 0.15, 4000
    connected = np.zeros((draws, n_cells), bool)
    for seed in range(draws):
        cell, _ = connect("VPM_C2", n_cells, 50, Convergence(p, seed))
        connected[seed, np.unique(cell)] = True
    some = 1 - (1 - p) ** n_cells
    assert connected.any(axis=1).all()
    each = connected.mean(axis=0)
    assert np.abs(each - p / some).max() < 5 * math.sqrt(0.25 / draws)
    both = (connected[:, 0] & connected[:, 4]).mean()
    assert abs(both - p * p / some) < 5 * math.sqrt(0.05 / draws)


def test_synapses_beyond_the_first_are_shared_out_uniformly():
    numbers = np.concatenate(
        [np.bincount(connect("INH", 4, 104, Convergence(1.0, seed))[0], minlength=4) for seed in range(500)]
    ).reshape(-1, 4)
    assert numbers.min() >= 1
    assert np.abs(numbers.mean(axis=0) - 26).max() < 5 * math.sqrt(100 * 3 / 16 / 500)


def test_a_cell_that_can_hardly_connect_still_does():
    cell, _ = connect("VPM_C2", 3, 4, Convergence(5e-324))
    assert len(np.unique(cell)) == 1


@pytest.fixture
def unwired(small_network: dict[str, Any]) -> dict[str, Any]:
    for entry in small_network["network"].values():
        del entry["synapses"]["connectionFile"]
        entry["convergence"] = 0.3
    return small_network


def test_a_network_without_con_is_connected_the_same_each_time(
    unwired: dict[str, Any], write_network: Callable[..., Path]
):
    network = load_network(write_network(unwired))
    assert len(network.connections) == len(network.synapses)
    assert list(network.inputs.references) == ["cell.syn"]
    assert network_from_inputs(network.inputs) == network
    alone = edits.silence_populations(network, "VPM_C2")
    first = network.connections.offsets[1]
    assert alone.connections.cell_id.tolist() == network.connections.cell_id[first:].tolist()


def test_another_connectivity_seed_gives_other_connections(unwired: dict[str, Any], write_network: Callable[..., Path]):
    network = load_network(write_network(unwired))
    other = edits.redraw_connections(network, 1, "INH")
    a, b = (n.connections.cell_id for n in (network, other))
    split = network.connections.offsets[1]
    assert a[:split].tolist() == b[:split].tolist()
    assert a[split:].tolist() != b[split:].tolist()
    assert network_from_inputs(other.inputs) == other
    unwired["network"]["INH"]["connectivity_seed"] = 1
    assert load_network(write_network(unwired)) == other


def test_a_con_counts_before_a_convergence(small_network: dict[str, Any], write_network: Callable[..., Path]):
    expected = load_network(write_network(small_network))
    small_network["network"]["INH"] |= {"convergence": 0.5}
    assert load_network(write_network(small_network)) == expected
    with pytest.raises(InputError, match=r"have \.con files"):
        edits.redraw_connections(expected, 3)


@pytest.mark.parametrize("convergence", [None, 0, 0.0])
def test_neither_con_nor_convergence_is_refused(
    convergence: float | None, unwired: dict[str, Any], write_network: Callable[..., Path]
):
    unwired["network"]["INH"]["convergence"] = convergence
    with pytest.raises(InputError, match=r"network\.INH\.synapses\.connectionFile is missing"):
        load_network(write_network(unwired))
