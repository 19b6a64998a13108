"""Edits of networks: each changes what it says and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isfray import edits
from isfray.activity import draw_trial
from isfray.edits.from_measurements import build_network
from isfray.errors import InputError
from isfray.examples import example
from isfray.formats.isf.network import load_network, network_from_inputs
from isfray.model.activity import PSTH, SpikeTrain
from isfray.model.network import NetworkModel
from isfray.model.placement import Placement
from isfray.model.population import Population
from isfray.model.silencing import SilenceBySomaDistance, SilenceBySomaDistanceAndSource
from tests.edits import small_measurements

VPM, INH = 0, 1


@pytest.fixture
def network(small_network: dict[str, Any], write_network: Callable[..., Path]) -> NetworkModel:
    return load_network(write_network(small_network))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> NetworkModel:
    return build_network(**small_measurements.write(tmp_path_factory.mktemp("built")))


def psth(p: Population) -> PSTH:
    (found,) = (a for a in p.activity if isinstance(a, PSTH))
    return found


def train(p: Population) -> SpikeTrain:
    (found,) = (a for a in p.activity if isinstance(a, SpikeTrain))
    return found


def test_twice_the_rate_is_half_the_interval(network: NetworkModel):
    twice = edits.scale_ongoing_rates(network, 2)
    assert [train(p).interval for p in twice.populations] == [20.0, 10.0]
    assert psth(twice.populations[VPM]) == psth(network.populations[VPM])
    assert edits.scale_ongoing_rates(twice, np.float32(0.5)) == network
    one = edits.scale_ongoing_rates(network, 2, "INH")
    assert one.populations == (network.populations[VPM], twice.populations[INH])


def test_ongoing_spikes_follow_the_rate(network: NetworkModel):
    n = [len(draw_trial(n, 1, 4000.0).spikes) for n in (network, edits.scale_ongoing_rates(network, 3))]
    assert n[1] == pytest.approx(3 * n[0], rel=0.1)


@pytest.mark.parametrize(
    ("populations", "expected"),
    [
        ("VPM_C2", {"VPM_C2"}),
        ("VPM", {f"VPM_{c}" for c in ("A1", "C2", "Alpha")}),
        ("C2", {"VPM_C2", "L4ss_C2", "L1_C2"}),
        (["L1_A1", "C2"], {"L1_A1", "VPM_C2", "L4ss_C2", "L1_C2"}),
        (lambda p: p.is_inhibitory, {"L1_A1", "L1_C2", "L1_Alpha"}),
        (lambda p: p.column == "C2" and not p.is_inhibitory, {"VPM_C2", "L4ss_C2"}),
    ],
)
def test_populations_are_selected_by_name_cell_type_column_or_question(
    populations: Any, expected: set[str], built: NetworkModel
):
    few = edits.silence_populations(built, lambda p: p.column not in ("A1", "C2", "Alpha"))
    assert {p.name for p in edits.select(few, populations)} == expected
    changed = edits.scale_weights(few, 2.0, populations)
    differs = {a.name for a, b in zip(few.populations, changed.populations, strict=True) if a != b}
    assert differs == expected


@pytest.mark.parametrize(
    ("populations", "message"),
    [
        ("VPM_C3", "populations = 'VPM_C3' is no population, cell type or column of the network; expected VPM_C2"),
        (["INH", "vpm"], "populations = 'vpm' is no population"),
        ([], "populations selects nothing"),
        (lambda p: p.n_cells > 1000, "populations selects nothing"),
        ([3], "populations = 3 is no name"),
    ],
)
def test_a_selection_of_nothing_is_refused(populations: Any, message: str, network: NetworkModel):
    with pytest.raises(InputError, match=re.escape(message)):
        edits.scale_weights(network, 2.0, populations)


def test_the_stimulus_moves_with_every_response(network: NetworkModel, built: NetworkModel):
    moved = edits.move_stimulus(network, 400)
    assert psth(moved.populations[VPM]).offset == 400.0
    assert moved.populations[INH] == network.populations[INH]
    assert edits.move_stimulus(moved, 50.0) == network
    assert {
        a.offset for p in edits.move_stimulus(built, 12).populations for a in p.activity if isinstance(a, PSTH)
    } == {12.0}


def test_inhibition_is_told_by_receptor(built: NetworkModel, network: NetworkModel):
    assert {p.celltype for p in built.populations if p.is_inhibitory} == {"L1"}
    assert [p.is_inhibitory for p in network.populations] == [False, True]  # no `e`: the mechanism's
    half = edits.scale_evoked_inhibition(built, 0.5)
    for before, after in zip(built.populations, half.populations, strict=True):
        if any(isinstance(a, PSTH) for a in before.activity) and before.celltype == "L1":
            assert psth(after).probabilities == tuple(0.5 * p for p in psth(before).probabilities)
            assert train(after) == train(before)
        else:
            assert after == before
    one = edits.scale_evoked_inhibition(built, 0.5, "C2")
    assert [p.name for p, q in zip(built.populations, one.populations, strict=True) if p != q] == ["L1_C2"]


def test_depolarizing_gaba_does_not_inhibit(small_network: dict[str, Any], write_network: Callable[..., Path]):
    small_network["network"]["INH"]["synapses"]["receptors"]["gaba_syn"]["parameter"]["e"] = -30.0
    assert not load_network(write_network(small_network)).populations[INH].is_inhibitory


def test_without_evoked_activity_only_ongoing_spikes_remain_as_they_were(network: NetworkModel):
    quiet = edits.silence_evoked(network)
    before, after = (draw_trial(n, 3, 300.0).spikes for n in (network, quiet))
    ongoing = before.source == 0
    assert 0 < ongoing.sum() < len(before)
    assert np.array_equal(after.time, before.time[ongoing])
    assert np.array_equal(after.cell_id, before.cell_id[ongoing])


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"activeFrac": 0.5, "spikeT": 1.0, "spikeWidth": 1.0}, {"active_frac": 0.25}),
        (
            {"distribution": "PSTH_absolute_number", "intervals": [(0, 1), (1, 2)], "number_active_synapses": [4, 2]},
            {"number_active_synapses": (2, 1)},
        ),
        ({"distribution": "PSTH_poissontrain", "intervals": [(0, 1)], "rates": [8.0]}, {"rates": (4.0,)}),
        ({"distribution": "PSTH_poissontrain_v2", "bins": [0, 1], "rates": [8.0]}, {"rates": (4.0,)}),
        (
            {
                **{"distribution": "poissontrain_modulated", "rate_before_t_offset": 2.0, "mean_rate": 4.0},
                **{"max_modulation": 1.0, "modulation_frequency": 8.0, "bin_size": 1.0, "phase_distribution": "none"},
            },
            {"rate_before_t_offset": 1.0, "mean_rate": 2.0, "max_modulation": 1.0},
        ),
    ],
)
def test_every_kind_of_evoked_activity_scales(
    keys: dict[str, Any], expected: dict[str, Any], small_network: dict[str, Any], write_network: Callable[..., Path]
):
    small_network["network"]["VPM_C2"]["celltype"]["pointcell"] = keys
    network = load_network(write_network(small_network))
    halved = edits.scale_evoked(network, 0.5)
    assert {key: getattr(halved.populations[VPM].activity[0], key) for key in expected} == expected
    silent = edits.silence_evoked(network)
    assert set(draw_trial(silent, 1, 300.0).spikes.source.tolist()) == {0}


def test_a_silenced_population_leaves_the_others_input_as_it_was(built: NetworkModel):
    gone = edits.silence_populations(built, ["VPM", "C2"])
    assert {p.name for p in built.populations} - set(gone.names) == {
        p.name for p in built.populations if p.celltype == "VPM" or p.column == "C2"
    }
    before, after = (draw_trial(n, 5, 300.0) for n in (built, gone))

    def times(network: NetworkModel, trial: Any) -> dict[tuple[str, int], list[float]]:
        parts = np.split(trial.releases.times, trial.releases.offsets[1:-1])
        p = network.synapses.population[trial.releases.synapse]
        ids = trial.releases.synapse - network.synapses.offsets[p]
        return {(network.names[a], int(b)): t.tolist() for a, b, t in zip(p, ids, parts, strict=True)}

    kept = {key: t for key, t in times(built, before).items() if key[0] in gone.names}
    assert times(gone, after) == kept != {}


def test_silencing_takes_the_population_out_of_other_silencings(network: NetworkModel):
    both = edits.silence_by_soma_distance(network, 0, 100)
    assert edits.silence_populations(both, "INH").modify_functions == (
        SilenceBySomaDistance(soma_dist_ranges={"VPM_C2": (0, 100)}),
    )
    only = edits.silence_by_soma_distance(network, 0, 100, "INH")
    assert edits.silence_populations(only, "INH").modify_functions == ()
    with pytest.raises(InputError, match="leaves no population"):
        edits.silence_populations(network, ["INH", "VPM"])


def test_synapses_are_silenced_by_soma_distance(network: NetworkModel):
    far = edits.silence_by_soma_distance(network, 500, 1500, "VPM")
    assert far.modify_functions == (SilenceBySomaDistance(soma_dist_ranges={"VPM_C2": (500, 1500)}),)
    more = edits.silence_by_soma_distance(far, 0, 500)
    assert more.modify_functions == (SilenceBySomaDistance(soma_dist_ranges={"VPM_C2": (0, 1500), "INH": (0, 500)}),)
    kept = edits.silence_by_soma_distance(far, 0, 100, "INH", keep_sources=["poissontrain"])
    assert kept.modify_functions == (
        *far.modify_functions,
        SilenceBySomaDistanceAndSource(soma_dist_ranges={"INH": (0, 100)}, spike_sources=("poissontrain",)),
    )

    nowhere = np.zeros(len(network.synapses), np.int32)
    at_x = Placement(nowhere, nowhere, nowhere, network.synapses.x, 1000 * network.synapses.x)
    near = edits.silence_by_soma_distance(network, 0, 500)
    all_of, some = (draw_trial(n, 2, 300.0, at_x).releases for n in (network, near))
    beyond = at_x.soma_distance[all_of.synapse] >= 500
    assert np.array_equal(some.synapse, all_of.synapse[beyond])
    assert 0 < beyond.sum() < len(beyond)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((300, 400), "VPM_C2 = (300.0, 400.0) is apart from the range that is silenced already"),
        ((5, 4, "INH"), "farthest_um = 4 is out of range; expected a number >= 5 um"),
        ((0, float("inf"), "INH"), "farthest_um = inf is not a finite number"),
        ((0, 1, "INH", ["poison"]), "spike_sources[0] = 'poison' is not a spike source"),
    ],
)
def test_a_range_that_is_none_is_refused(arguments: tuple[Any, ...], message: str, network: NetworkModel):
    first = edits.silence_by_soma_distance(network, 0, 200, "VPM_C2")
    with pytest.raises(InputError, match=re.escape(message)):
        edits.silence_by_soma_distance(first, *arguments)


def test_a_repeated_stimulus_repeats_the_response(network: NetworkModel):
    twice = edits.repeat_stimulus(network, 2, scale_factors=[1, 0.5])
    response = psth(twice.populations[VPM])
    assert response.intervals == ((0, 5), (8, 9), (100, 105), (108, 109))
    assert response.probabilities == (0.5, -0.1, 0.25, -0.05)
    assert response.offset == 50.0
    assert twice.populations[INH] == network.populations[INH]
    assert edits.repeat_stimulus(network, 1) is network
    thrice = edits.repeat_stimulus(network, 3, inter_stimulus_interval=90.0)
    spikes = draw_trial(thrice, 4, 400.0).spikes
    nth, within = np.divmod(spikes.time[spikes.source != 0] - 50.0, 90.0)
    assert within.max() < 5.0
    assert (np.abs(np.bincount(nth.astype(int), minlength=3) - 20) < 5 * np.sqrt(10)).all()  # half of 40 cells


def test_stimuli_of_two_whiskers_add_up(tmp_path: Path):
    files = small_measurements.write(tmp_path)
    c2 = build_network(**files, whisker="C2", offset=245.0)
    e3 = build_network(**files, whisker="E3", offset=255.0)
    both = edits.add_stimulus(c2, e3)
    assert both.names == c2.names
    for alone, other, p in zip(c2.populations, e3.populations, both.populations, strict=True):
        responses = [(b, q, a.offset) for n in (alone, other) for a in n.activity if isinstance(a, PSTH)
                     for b, q in zip(a.intervals, a.probabilities, strict=True)]  # fmt: skip
        if responses:
            joint = psth(p)
            shift = joint.offset
            found = [(b[0] + shift, b[1] + shift, q) for b, q in zip(joint.intervals, joint.probabilities, strict=True)]
            expected = [(b[0] + offset, b[1] + offset, q) for b, q, offset in responses]
            assert found == [pytest.approx(e) for e in expected]
        assert [a for a in p.activity if isinstance(a, SpikeTrain)] == [train(alone)]
    assert {p.column for p in both.populations if len(p.activity) > 1} == {
        *("B1", "B2", "B3", "C1", "C2", "C3", "D1", "D2", "D3"),
        *("D4", "E2", "E3", "E4"),
    }


def test_an_edited_network_is_stored_as_it_is(network: NetworkModel, tmp_path: Path):
    edited = edits.scale_weights(edits.move_stimulus(network, 100), 2)
    assert edited != network
    assert network_from_inputs(edited.inputs) == edited
    assert edited.inputs.references == network.inputs.references
    assert load_network(edited.save(tmp_path / "saved" / "network.param")) == edited


def test_an_edit_that_changes_nothing_returns_the_model(network: NetworkModel):
    assert edits.scale_ongoing_rates(network, 1) is network
    assert edits.scale_weights(network, 1.0) is network
    assert edits.move_stimulus(network, 50.0) is network


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("scale_ongoing_rates", (0,), "factor = 0 is out of range; expected a number > 0"),
        ("scale_ongoing_rates", ("2",), "factor = '2' is not a number"),
        ("scale_ongoing_rates", (True,), "factor = True is not a number"),
        ("scale_evoked", (-1,), "factor = -1 is out of range; expected a number >= 0"),
        ("scale_evoked", (2, "INH"), "populations have no pointcell activity"),
        ("scale_evoked_inhibition", (2,), "populations have no pointcell activity"),
        ("move_stimulus", (float("nan"),), "offset = nan is not a finite number"),
        ("repeat_stimulus", (0,), "stims = 0 is not valid; expected a whole number from 1 to 10000"),
        ("repeat_stimulus", (2, -5.0), "inter_stimulus_interval = -5.0 is out of range"),
        ("repeat_stimulus", (2, 100.0, [1.0]), "scale_factors = [1.0] has the wrong length; expected 2 numbers"),
        ("redraw_connections", (-1,), "seed = -1 is not valid"),
    ],
)
def test_a_wrong_argument_of_an_edit_is_told(
    name: str, arguments: tuple[Any, ...], message: str, network: NetworkModel
):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        getattr(edits, name)(network, *arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("edit", [lambda n: edits.move_stimulus(n, 7), lambda n: edits.repeat_stimulus(n, 2)])
def test_absolute_times_are_not_moved_without_a_word(
    edit: Any, small_network: dict[str, Any], write_network: Callable[..., Path]
):
    keys = {"distribution": "PSTH_poissontrain_v2", "bins": [0.0, 1.0], "rates": [1.0]}
    small_network["network"]["VPM_C2"]["celltype"]["pointcell"] = keys
    with pytest.raises(InputError, match=r"VPM_C2\.distribution is PSTH_poissontrain_v2"):
        edit(load_network(write_network(small_network)))


def test_numbers_of_cells_stay_whole(small_network: dict[str, Any], write_network: Callable[..., Path]):
    keys = {"distribution": "PSTH_absolute_number", "intervals": [(0, 1)], "number_active_synapses": [3]}
    small_network["network"]["VPM_C2"]["celltype"]["pointcell"] = keys
    with pytest.raises(InputError, match=r"VPM_C2\.number_active_synapses = \[1\.5\] would not be whole"):
        edits.scale_evoked(load_network(write_network(small_network)), 0.5)


EDITED: list[tuple[Callable[[NetworkModel], NetworkModel], str]] = [
    (lambda n: edits.scale_evoked(n, 0.37), "a771182a89b74b6a2eb36b77ea4f6ba76009efeb0ce9f243ca6b269ceb252fea"),
    (lambda n: edits.move_stimulus(n, 260), "d2b8d0d34399b06ccd5222af220e097c40948db5ce2ed440a30bf193188f1786"),
    (
        lambda n: edits.repeat_stimulus(n, 3, 50, [1, 0.5, 2]),
        "b0155e6a4efdb387bdf131d963aa448389a8534a8ac157d8ef62bd215515c0c0",
    ),
    (
        lambda n: edits.add_stimulus(n, edits.move_stimulus(n, 265.0)),
        "0f5be0e5b9dfb8e72474d1c595db2e4ae0cdffa580d23f7dd4c8c983be0f7a5e",
    ),
    (lambda n: edits.scale_ongoing_rates(n, 2), "6147fb8dd3e22e75cfebc031be8c6f59548694c6ec6d39c689d38f0a85f4dda0"),
]


@pytest.mark.parametrize(("edit", "sha256"), EDITED)
def test_an_edited_file_is_the_bytes_it_was_when_runs_of_it_were_stored(
    edit: Callable[[NetworkModel], NetworkModel], sha256: str
):
    assert edit(example()[1]).inputs.main.sha256 == sha256


def test_what_an_edit_does_not_change_stays_as_it_is_written(
    small_network: dict[str, Any], write_network: Callable[..., Path]
):
    keys = {"distribution": "uniform", "offset": 12, "activeFrac": 1, "window": 3}
    small_network["network"]["VPM_C2"]["celltype"]["pointcell"] = keys
    network = load_network(write_network(small_network))
    text = edits.scale_evoked(network, 0.5).inputs.main.text
    assert re.search(r'"distribution": "uniform",\s+"offset": 12,\s+"activeFrac": 0\.5,\s+"window": 3\s', text)
    assert re.search(r'"offset": 20\.0,\s+"activeFrac": 1,', edits.move_stimulus(network, 20).inputs.main.text)
