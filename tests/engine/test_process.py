"""What belongs to a process and not to a model: nothing of it reaches the next trial."""

from __future__ import annotations

import pytest

from isfray.engine import ENGINES
from tests.conftest import two_populations, write_network_files
from tests.engine.child import heard, in_child
from tests.engine.soak import CHANNELS
from tests.model.small_cell import write

RUNS = "tests.engine.process_runs"


def with_ih(param):
    param["neuron"]["ApicalDendrite"]["mechanisms"]["range"]["Ih"] = CHANNELS["Ih"]


def shifted(param):
    with_ih(param)
    param["mech_globals"] = {"Ih": {"ehcn": -20.0}}


@pytest.fixture
def cells(tmp_path):
    """The same cell with Ih as it is, and with another reversal potential of it."""
    for name in ("plain", "shifted"):
        (tmp_path / name).mkdir()
    return write(tmp_path / "plain", with_ih), write(tmp_path / "shifted", shifted)


def network(folder, name="network", **glutamate):
    (folder / name).mkdir()
    data = two_populations()
    data["network"]["VPM_C2"]["celltype"]["pointcell"]["offset"] = 0.0
    data["network"]["VPM_C2"]["synapses"]["receptors"]["glutamate_syn"]["parameter"] |= glutamate
    return write_network_files(folder / name, data)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_global_of_a_channel_belongs_to_the_cell_that_sets_it(cells, engine):
    plain, other = cells
    control, variant, control_again = in_child(RUNS, "ends", [plain, other, plain], [None] * 3, engine)
    assert control_again == control
    assert variant > control + 0.3
    assert in_child(RUNS, "ends", [other], [None], engine) == [variant]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_global_of_a_receptor_belongs_to_the_network_that_sets_it(cells, tmp_path, engine):
    # a steep block of the NMDA receptor keeps the cell from what the plain one does
    plain, blocked = network(tmp_path), network(tmp_path, "blocked", gama=0.3)
    networks = [plain, blocked, plain, blocked]
    found = in_child(RUNS, "ends", [cells[0]] * 4, networks, engine)
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert abs(found[0] - found[1]) > 0.1


def test_where_coreneuron_keeps_globals_other_models_go_to_neuron(cells):
    plain, other = cells
    found, said = heard(RUNS, "ends", [plain, other, plain], [None] * 3, "coreneuron", "0")
    assert found == pytest.approx(in_child(RUNS, "ends", [plain, other, plain], [None] * 3, "neuron"), abs=1e-9)
    assert said.splitlines()[-1].startswith("engine neuron, several times slower: here CoreNEURON keeps the globals")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_trial_with_more_events_than_are_kept_is_whole(cells, tmp_path, engine):
    found = in_child(RUNS, "many_events", cells[0], network(tmp_path), engine, 50)
    assert min(found["releases"]) > 50
    assert found["samples"] == [2401] * 3
    assert found["same"] == [True] * 3


def test_both_engines_take_the_same_number_of_steps(cells):
    steps = [1 / 3, 1 / 30, 1 / 7, 0.1, 0.3, 0.025, 0.07]
    core, neuron = (in_child(RUNS, "counted", cells[0], engine, steps, 50.0) for engine in ENGINES)
    assert core == neuron
    assert core[0][0] == 152  # thirds add up to a little less than 50 ms after 150 steps


@pytest.mark.parametrize("dt", [0.6, 1.0, 2.5])
def test_steps_beyond_the_delay_of_a_connection_do_no_harm(cells, tmp_path, dt):
    assert in_child(RUNS, "coarse", cells[0], network(tmp_path), dt) < 1e-5


@pytest.mark.parametrize("order", ["AB", "BAB"])
def test_the_last_bit_does_not_tell_what_the_process_did_before(reference, order):
    assert in_child(RUNS, "by_history", reference, order) == in_child(RUNS, "by_history", reference, "B")
