from collections import Counter, defaultdict

import numpy as np
import pytest

import isfray
from isfray.analysis import activation_counts, activation_psth, mean_activation, signs, soma_distance, space_time
from isfray.errors import InputError
from tests.analysis.recorded import by_hand, published_rows, published_times

SIGNS = {"VPM_C2": "excitatory", "L1_C1": "inhibitory", "L5tt_D2": "excitatory"}
TRIALS = by_hand(
    {
        "synapses": [("VPM_C2", 0, 40.0, [5.0, 51.0]), ("VPM_C2", 3, 700.0, [60.0]), ("L1_C1", 1, 1200.0, [50.0])],
        "cells": [("VPM_C2", 9, [4.0, 50.0])],
    },
    {},
    {"synapses": [("VPM_C2", 0, 40.0, [52.0]), ("L5tt_D2", 0, 499.9, [1.0, 2.0, 3.0])]},
)


def test_every_group_has_a_row_in_every_trial_also_the_silent_one():
    rows = activation_counts(TRIALS).collect()
    assert rows.rows() == [
        *[(0, "L1", 1, 1), (0, "L5tt", 0, 0), (0, "VPM", 2, 3)],
        *[(1, "L1", 0, 0), (1, "L5tt", 0, 0), (1, "VPM", 0, 0)],
        *[(2, "L1", 0, 0), (2, "L5tt", 1, 3), (2, "VPM", 1, 1)],
    ]
    assert activation_counts(TRIALS, by=[]).collect().rows() == [(0, 3, 4), (1, 0, 0), (2, 2, 4)]


def test_groups_by_place_and_by_sign():
    near = activation_counts(TRIALS, by=["proximity"], t_min=50.0, t_max=60.0).collect()
    assert near.filter(trial=0).rows() == [(0, "distal", 1, 1), (0, "proximal", 1, 1)]
    assert near["active"].to_list() == [1, 1, 0, 0, 0, 1]
    signed = mean_activation(TRIALS, by=["sign"], network=SIGNS).collect()
    assert signed["sign"].to_list() == ["excitatory", "inhibitory"]
    assert signed["events_mean"].to_list() == pytest.approx([7 / 3, 1 / 3])
    assert signed["active_std"].to_list() == pytest.approx([np.std([2, 0, 2], ddof=1), np.std([1, 0, 0], ddof=1)])
    far = activation_counts(TRIALS, by=["distance"], distance_bin=500.0).collect().filter(trial=0)
    assert far.select("distance", "active").rows() == [(0.0, 1), (500.0, 1), (1000.0, 1)]


def test_isf_takes_l1_for_excitatory_and_its_rule_says_so():
    counts = mean_activation(TRIALS, by=["sign"], network=SIGNS, rule="isf").collect()
    assert counts.select("sign", "events_mean").rows() == [("excitatory", pytest.approx(8 / 3))]


def test_presynaptic_cells_are_counted_like_synapses():
    rows = mean_activation(TRIALS, by=["celltype", "column"], table="cell_activation").collect()
    assert rows.select("celltype", "column", "active_mean", "events_mean").rows() == [
        ("VPM", "C2", pytest.approx(1 / 3), pytest.approx(2 / 3))
    ]


def test_soma_distance_over_synapses_and_over_releases():
    (row,) = soma_distance(TRIALS).filter(celltype="VPM").collect().rows()
    assert row == ("VPM", 3, pytest.approx((40 + 700 + 40) / 3), pytest.approx(np.std([40, 700, 40], ddof=1)))
    (row,) = soma_distance(TRIALS, per="release").filter(celltype="VPM").collect().rows()
    each = [40, 40, 40, 700]
    assert row == ("VPM", 4, pytest.approx(np.mean(each)), pytest.approx(np.std(each, ddof=1)))


def test_releases_are_binned_in_time_and_divided_by_trials():
    rows = activation_psth(TRIALS, by=["celltype"], bin_size=50.0).collect()
    assert rows.select("celltype", "bin_start", "events").rows() == [
        *[("L1", 0.0, 0), ("L1", 50.0, 1)],
        *[("L5tt", 0.0, 3), ("L5tt", 50.0, 0)],
        *[("VPM", 0.0, 1), ("VPM", 50.0, 3)],
    ]
    vpm = rows.row(5, named=True)
    assert vpm["per_trial"] == pytest.approx(1.0)
    assert vpm["rate"] == pytest.approx(1000 / 50)
    assert "sem" not in vpm
    vpm = activation_psth(TRIALS, by=["celltype"], bin_size=50.0, sem=True).collect().row(5, named=True)
    assert vpm["sem"] == pytest.approx(np.std([2, 0, 1], ddof=1) / np.sqrt(3) * 1000 / 50)
    each = activation_psth(TRIALS, by=[], bin_size=50.0, per_trial=True).collect()
    assert each.select("trial", "events").rows() == [(0, 1), (0, 3), (1, 0), (1, 0), (2, 3), (2, 1)]


def test_space_and_time_are_binned_together():
    rows = space_time(TRIALS, distance_bin=500.0, bin_size=50.0).collect()
    table = rows["releases"].to_numpy().reshape(3, 2)
    assert table.tolist() == [[4, 2], [0, 1], [0, 1]]
    assert rows["per_trial"].sum() == pytest.approx(8 / 3)
    isf = space_time(TRIALS, d_max=300.0, rule="isf").collect()
    assert isf["distance_start"].unique().sort().to_list() == [0, 50, 100, 150, 200, 250]  # empty ones are there
    assert isf["releases"].sum() == 3


def test_the_published_releases_are_counted_as_an_independent_reader_counts_them(reference, golden):
    celltype_events, near, total = Counter(), defaultdict(list), Counter()
    for trial in (1, 2):
        for row in published_rows(reference / "golden" / f"replay{trial}_synapses.csv"):
            celltype, times = row[0].rpartition("_")[0], published_times(row[6])
            celltype_events[celltype] += len(times)
            near[celltype].append(float(row[2]))
            total.update(int(t) for t in times if t < 300)
    rows = mean_activation(golden, "replays").collect()
    assert {r["celltype"]: round(2 * r["events_mean"]) for r in rows.to_dicts()} == dict(celltype_events)
    means = soma_distance(golden, "replays").collect()
    assert {r["celltype"]: r["mean"] for r in means.to_dicts()} == {
        k: pytest.approx(np.mean(v)) for k, v in near.items()
    }
    binned = activation_psth(golden, "replays", by=[]).collect()
    assert binned["events"].to_list() == [total[ms] for ms in range(300)]
    assert space_time(golden, "replays").collect()["releases"].sum() == sum(total.values())


def test_the_reference_network_is_signed_by_its_receptors_l1_too(reference):
    found = signs(isfray.load_network(reference / "model" / "network.param"))
    inhibitory = {name.rpartition("_")[0] for name, sign in found.items() if sign == "inhibitory"}
    assert "L1" in inhibitory
    assert not inhibitory & {"VPM", "L2", "L34", "L4ss", "L5tt", "L6ct"}
    assert len(found) == 278


def test_the_run_knows_its_network(golden):
    rows = mean_activation(golden, "replays", by=["sign"]).collect()
    assert rows["sign"].to_list() == ["excitatory", "inhibitory"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"by": ["layer"]}, "by = 'layer' is no grouping of synapse_activation"),
        ({"by": "celltype"}, r"by = 'celltype' is not a list; expected \[.celltype.\]"),
        ({"by": ["proximity"], "table": "cell_activation"}, "no grouping of cell_activation"),
        ({"by": ["sign"]}, "network is missing"),
    ],
)
def test_what_cannot_be_grouped_is_refused(asked, told):
    with pytest.raises(InputError, match=told):
        activation_counts(TRIALS, **asked)
