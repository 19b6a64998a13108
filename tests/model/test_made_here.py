"""A model needs no file: what is made of values in Python is simulated, and says that it cannot be stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isfray import edits
from isfray.engine.fit import fit
from isfray.errors import InputError
from isfray.formats.isf import load_cell, load_network
from isfray.model.cell import CellModel
from isfray.model.network import NetworkModel
from tests.engine.child import in_child
from tests.model import made_here

Model = CellModel | NetworkModel


def test_a_model_made_of_values_equals_the_one_read_from_files_that_say_them(tmp_path: Path):
    files = made_here.write(tmp_path)
    assert made_here.models() == (load_cell(files[0]), load_network(files[1]))


def test_a_model_made_of_values_is_simulated_as_one_read_from_files_and_as_neuron_does(tmp_path: Path):
    made, read = in_child("tests.model.made_here", "simulated", *made_here.write(tmp_path))
    np.testing.assert_array_equal(made, read)
    time, voltage = in_child("tests.model.made_here", "plain")
    np.testing.assert_array_equal(made[0], time)
    at_rest, released, stepped = (voltage[np.searchsorted(time, t)] for t in (4.45, 4.95, 12.0))
    assert at_rest == pytest.approx(-70.0, abs=1e-6)
    assert at_rest + 0.05 < released < stepped - 1.0
    np.testing.assert_allclose(made[1], voltage, rtol=0, atol=1e-9)


REFUSED: list[tuple[Callable[[CellModel, NetworkModel, Path], object], str]] = [
    (lambda cell, _, __: cell.inputs, "cell was made in Python and has no files; expected one read from files"),
    (lambda _, network, __: network.inputs, "network was made in Python and has no files; expected one read from"),
    (lambda cell, _, path: cell.save(path), "cell was made in Python and cannot be written; expected one read from"),
    (lambda _, network, path: network.save(path), "network was made in Python and cannot be written; expected one"),
    (lambda _, network, __: edits.scale_ongoing_rates(network, 2.0), "network was not read from a parameter file"),
]


@pytest.mark.parametrize(("ask", "said"), REFUSED)
def test_what_needs_the_files_of_a_model_that_has_none_is_refused(
    ask: Callable[[CellModel, NetworkModel, Path], object], said: str, tmp_path: Path
):
    with pytest.raises(InputError) as caught:
        ask(*made_here.models(), tmp_path / "model.param")
    assert str(caught.value).startswith(said)
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_told_by_its_place_in_the_model():
    cell, network = made_here.models()
    (soma, dendrite), (leak,) = cell.membranes, cell.membranes[0].mechanisms
    odd = replace(cell, membranes=(replace(soma, mechanisms=(replace(leak, parameters={"g": -1.0}),)), dendrite))
    with pytest.raises(InputError, match=r"^neuron\.Soma\.mechanisms\.range\.pas\.g = -1\.0 is out of range"):
        fit(odd)
    beyond = replace(network, synapses=replace(network.synapses, section_id=np.array([7], np.int32)))
    with pytest.raises(InputError, match=r"^synapse 0 of INH: section id = 7 is not a section of the cell"):
        fit(cell, beyond)


def with_arrays(**changed: np.ndarray) -> Callable[[NetworkModel], NetworkModel]:
    """A network with other columns of its synapses or connections."""

    def change(network: NetworkModel) -> NetworkModel:
        parts = {}
        for part in ("synapses", "connections"):
            columns = {name.removeprefix(f"{part}_"): v for name, v in changed.items() if name.startswith(part)}
            parts[part] = replace(getattr(network, part), **columns)
        return replace(network, **parts)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_arrays(synapses_x=np.array([1.5])), "synapses.x[0] = 1.5 is out of range; expected 0 to 1"),
        (with_arrays(synapses_x=np.array([np.nan])), "synapses.x[0] = nan is out of range; expected 0 to 1"),
        (with_arrays(synapses_section_id=np.array([-1])), "synapses.section_id[0] = -1 is out of range"),
        (with_arrays(synapses_offsets=np.array([0, 2])), "synapses.offsets do not group the rows by population"),
        (with_arrays(synapses_offsets=np.array([0])), "synapses.offsets do not group the rows by population"),
        (with_arrays(connections_cell_id=np.array([1])), "connections.cell_id[0] = 1 is out of range; expected 0 to 0"),
        (with_arrays(connections_synapse=np.array([1])), "connections.synapse[0] = 1 is out of range; expected 0 to 0"),
        (lambda n: replace(n, populations=n.populations * 2), "populations are not of different names"),
    ],
)
def test_a_network_whose_arrays_tell_of_something_else_is_refused(
    change: Callable[[NetworkModel], NetworkModel], said: str
):
    network = made_here.models()[1]
    assert with_arrays()(network) == network
    with pytest.raises(InputError) as caught:
        change(network)
    assert str(caught.value).startswith(said)
