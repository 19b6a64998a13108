"""ISF's wide tables, checked against a reader of its own CSV files; Neo; what is told when an extra is missing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from isfray.analysis import to_isf_wide, to_neo
from isfray.catalog.isf_export import export_isf
from isfray.errors import InputError
from tests.analysis.recorded import by_hand, golden_cases, published_rows, published_times

FIRST, SECOND = "stim/results/x/000000", "stim/results/x/000001"


def test_activations_are_wide_as_isf_writes_them(reference, golden):
    frame = to_isf_wide(golden, "replays", "synapse_activation", folder="stim/results/x")
    assert list(frame.columns[:6]) == [
        *("synapse_type", "synapse_ID", "soma_distance"),
        *("section_ID", "section_pt_ID", "dendrite_label"),
    ]
    assert [str(t) for t in frame.dtypes[:7]] == ["object", "int64", "float64", "int64", "int64", "object", "float64"]
    assert frame.index.name == "sim_trial_index"
    longest = 0
    for trial, name in ((1, FIRST), (2, SECOND)):
        rows = published_rows(reference / "golden" / f"replay{trial}_synapses.csv")
        ours = frame.loc[name]
        assert len(ours) == len(rows)
        for (_, given), row in zip(ours.iloc[::97].iterrows(), rows[::97], strict=True):
            times = published_times(row[6])
            assert list(given.iloc[:6]) == [row[0], int(row[1]), float(row[2]), int(row[3]), int(row[4]), row[5]]
            assert given.iloc[6:].dropna().to_list() == times
        longest = max(longest, *(len(published_times(row[6])) for row in rows))
    assert list(frame.columns[6:]) == [str(i) for i in range(longest + 1)]  # the last one is empty
    assert frame[str(longest)].isna().all()


def test_presynaptic_cells_are_wide_too(reference, golden):
    frame = to_isf_wide(golden, "replays", "cell_activation", folder="stim/results/x").loc[SECOND]
    rows = published_rows(reference / "golden" / "replay2_presynaptic_cells.csv")
    assert frame["presynaptic_cell_type"].to_list() == [row[0] for row in rows]
    assert frame["cell_ID"].to_list() == [int(row[1]) for row in rows]
    assert np.nansum(frame.iloc[:, 2:].to_numpy()) == pytest.approx(sum(sum(published_times(row[2])) for row in rows))


def test_a_silent_trial_is_a_row_of_nan():
    frame = to_isf_wide(by_hand({"soma": [1.0, 2.0]}, {}, {"soma": [3.0]}), None, "spike_times")
    assert list(frame.columns) == [0, 1]
    assert np.array_equal(frame.to_numpy(), [[1, 2], [np.nan, np.nan], [3, np.nan]], equal_nan=True)


def test_traces_have_a_column_for_every_sample_named_by_its_time(reference, golden, tmp_path):
    frame = to_isf_wide(golden, "replays", "voltage_traces")
    assert np.array_equal(frame.columns, np.load(reference / "golden" / "replay1_t.npy"))
    assert np.array_equal(frame.iloc[1], np.load(reference / "golden" / "replay2_soma_v.npy"))
    exported = export_isf(golden, "replays", tmp_path).folders[0]
    assert frame.index[1] == f"{exported.relative_to(tmp_path)}/000001"
    label = golden_cases(reference)[0]["rec_sites"][0]["label"]
    dendrite = to_isf_wide(golden, "replays", "voltage_traces", site=label, trials=[0])
    assert np.array_equal(dendrite.to_numpy()[0], np.load(reference / "golden" / "replay1_rec0_v.npy"))


def test_neo_gets_a_spike_train_for_every_trial_and_site(reference, golden):
    block = to_neo(golden, "replays", voltage=True)
    assert len(block.segments) == 2
    for segment, case in zip(block.segments, golden_cases(reference), strict=True):
        train = segment.spiketrains[0]
        assert train.rescale("ms").magnitude.tolist() == case["spike_times"]
        assert train.annotations["site"] == "soma"
        assert segment.annotations["trial"] == int(segment.index)
        signal = segment.analogsignals[0]
        assert str(signal.units.dimensionality) == "mV"
        assert float(signal.magnitude.max()) == case["v_max"]
    silent = to_neo(by_hand({"soma": [1.0]}, {}))
    assert [len(segment.spiketrains[0]) for segment in silent.segments] == [1, 0]


def test_another_table_has_no_wide_layout():
    with pytest.raises(InputError, match="table = 'trials' has no wide layout"):
        to_isf_wide(by_hand({}), None, "trials")


@pytest.mark.parametrize(
    ("call", "package", "extra"),
    [
        ("to_isf_wide({}, None, 'spike_times')", "pandas", "pandas"),
        ("to_neo({})", "neo", "neo"),
        ("to_nwb({}, None, 'x.nwb')", "pynwb", "nwb"),
    ],
)
def test_a_missing_extra_is_named(call, package, extra):
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import isfray.analysis as a\n"
        "from isfray.errors import InputError\n"
        f"try: a.{call}\n"
        "except InputError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told == f"{package} is not installed; expected pip install 'isfray[{extra}]'\n"
