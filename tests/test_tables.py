"""Schemas and builders of the tables."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isfray import tables
from tests.catalog.synthetic import batch, spec, trial

NAMES = ["VPM_C2", "L4ss_C2", "L5tt_D1"]


def activations(number: int, rows: list[tuple[int, int, list[float]]]) -> pa.Table:
    """synapse_activation of (type index, synapse id, release times) rows."""
    n = len(rows)
    return tables.synapse_activation(
        number,
        synapse_type_index=[r[0] for r in rows],
        type_names=NAMES,
        celltypes=["VPM", "L4ss", "L5tt"],
        columns=["C2", "C2", "D1"],
        synapse_id=[r[1] for r in rows],
        section_id=np.arange(n),
        section_pt_id=np.arange(n) + 1,
        soma_distance=np.arange(n) * 1.5,
        label_index=np.zeros(n, int),
        labels=["Dendrite", "Soma"],
        offsets=np.cumsum([0, *(len(r[2]) for r in rows)]),
        times=[t for r in rows for t in r[2]],
    )


def variables(number: int) -> dict[str, pa.Table]:
    """The table that is there only if range variables were asked for."""
    places = {"sites": ["sec_005_seg_001"] * 2, "section_id": [5, 5], "x": [0.3, 0.3], "soma_distance": [800.0, 800.0]}
    values = np.arange(100.0).reshape(2, 50) + number
    return {
        "variable_traces": tables.variable_traces(
            number, variables=["Ca_HVA.ica", "cai"], **places, t_start=0.0, dt=300 / 48.5, values=values
        )
    }


def test_recorded_variables_are_read_back_where_they_were_asked_for(tmp_path):
    from isfray import Catalog

    catalog = Catalog(tmp_path / "results")
    for run, extra in (("with", variables), ("without", lambda number: {})):
        catalog.open_run(spec(run))
        catalog.commit(run, tables.join_trials([trial(k) | extra(k) for k in (0, 1)]))
    found = catalog.scan("variable_traces", run="with").collect()
    assert found["variable"].cast(pl.String).to_list() == ["Ca_HVA.ica", "cai"] * 2
    firsts = [0, 50, 1, 51]
    assert found["values"].to_list() == [list(range(first, first + 50)) for first in firsts]
    assert catalog.scan("variable_traces", run="without").collect().height == 0
    assert catalog.verify("with").ok


@pytest.mark.parametrize("name", tables.SCHEMAS)
def test_every_table_starts_with_the_trial_and_has_no_run(name):
    schema = tables.SCHEMAS[name]
    assert schema.field(0).equals(pa.field("trial", pa.int32()))
    assert "run" not in schema.names
    assert (trial(3) | variables(3))[name].schema.equals(schema, check_metadata=True)


def test_rows_come_by_type_in_alphabetical_order_then_by_id_with_their_own_times():
    table = activations(4, [(0, 9, [1.0]), (2, 1, [2.0, 3.0]), (0, 2, []), (1, 5, [4.0])])
    rows = table.to_pydict()
    assert list(zip(rows["synapse_type"], rows["synapse_id"], rows["times"], strict=True)) == [
        ("L4ss_C2", 5, [4.0]),
        ("L5tt_D1", 1, [2.0, 3.0]),
        ("VPM_C2", 2, []),
        ("VPM_C2", 9, [1.0]),
    ]
    assert rows["column"] == ["C2", "D1", "C2", "C2"]
    assert rows["section_id"] == [3, 1, 2, 0]


def test_spikes_are_numbered_within_their_site():
    table = tables.spike_times(
        1, sites=["soma", "tuft"], thresholds=[0.0, -30.0], times=[np.array([5.0, 7.0]), np.array([6.0])]
    )
    assert table.to_pylist() == [
        {"trial": 1, "site": "soma", "threshold": 0.0, "spike_index": 0, "time": 5.0},
        {"trial": 1, "site": "soma", "threshold": 0.0, "spike_index": 1, "time": 7.0},
        {"trial": 1, "site": "tuft", "threshold": -30.0, "spike_index": 0, "time": 6.0},
    ]


def test_a_trace_keeps_every_sample_of_its_site():
    v = np.random.default_rng(1).normal(-70, 5, (2, 12002))
    table = tables.voltage_traces(
        0, sites=["soma", "tuft"], section_id=[0, 3], x=[0.5, 0.1], soma_distance=[0, 9], t_start=0, dt=0.025, voltage=v
    )
    assert np.array_equal(np.array(table.column("voltage").to_pylist()), v)
    assert table.column("section_id").to_pylist() == [0, 3]


def test_the_largest_seed_survives():
    assert trial(0)["trials"].column("seed").to_pylist() == [2**64 - 1]


def test_a_time_without_a_zone_is_refused():
    row = {"seed": 1, "t_stop": 1.0, "dt": 0.025, "n_active_synapses": 0, "n_releases": 0, "n_spikes": 0}
    with pytest.raises(ValueError, match="time zone"):
        tables.trial_row(0, **row, engine="neuron", host="h", wall_s=0.0, finished_at=datetime(2020, 1, 1))


def test_a_silent_trial_has_empty_tables_of_the_right_schema():
    empty = activations(0, [])
    assert empty.num_rows == 0
    assert empty.schema.equals(tables.SCHEMAS["synapse_activation"])
    assert tables.spike_times(0, sites=["soma"], thresholds=[0.0], times=[np.empty(0)]).num_rows == 0


@pytest.mark.parametrize("offsets", [[0, 2], [1, 3], [0, 2, 1, 3], [0, 4]])
def test_offsets_that_do_not_cover_the_times_are_refused(offsets):
    n = len(offsets) - 1
    with pytest.raises(ValueError, match="offsets"):
        tables.cell_activation(
            0,
            synapse_type_index=[0] * n,
            type_names=NAMES,
            celltypes=NAMES,
            columns=NAMES,
            cell_id=range(n),
            offsets=offsets,
            times=[1.0, 2.0, 3.0],
        )


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 5))
def test_a_batch_does_not_depend_on_the_order_or_grouping_of_its_trials(order, cut):
    whole = batch(range(6))
    groups = [tables.join_trials(trial(n) for n in part) for part in (order[:cut], order[cut:])]
    again = tables.join_trials(groups)
    for name, table in whole.items():
        assert again[name].equals(table, check_metadata=True)
        for ours, theirs in zip(again[name].columns, table.columns, strict=True):
            if pa.types.is_dictionary(ours.type):
                assert ours.chunk(0).dictionary.equals(theirs.chunk(0).dictionary)


def test_a_dictionary_holds_exactly_the_names_in_use_sorted():
    table = tables.join_trials([{"synapse_activation": activations(1, [(0, 1, [1.0])])}])["synapse_activation"]
    assert table.column("synapse_type").chunk(0).dictionary.to_pylist() == ["VPM_C2"]
    both = [{"synapse_activation": activations(n, [(i, 1, [1.0])])} for n, i in ((1, 2), (0, 0))]
    joined = tables.join_trials(both)["synapse_activation"]
    assert joined.column("synapse_type").chunk(0).dictionary.to_pylist() == ["L5tt_D1", "VPM_C2"]
    assert joined.column("trial").to_pylist() == [0, 1]


def test_foreign_columns_and_tables_are_refused():
    table = trial(0)["spike_times"]
    with pytest.raises(ValueError, match="unknown table"):
        tables.conform("spikes", table)
    with pytest.raises(ValueError, match="columns"):
        tables.conform("spike_times", table.drop_columns("site"))
