import numpy as np
import pytest

from isfray.analysis import mean_voltage, voltage_density, voltage_statistics
from isfray.catalog import Catalog
from isfray.errors import InputError
from tests.analysis.recorded import by_hand, trial_tables
from tests.catalog.synthetic import spec

TWO = by_hand({"voltage": {"soma": [-70.0, -60.0, -50.0, -40.0]}}, {"voltage": {"soma": [-70.0, -64.0, -50.0, 0.0]}})


def published(reference, trial):
    return np.load(reference / "golden" / f"replay{trial}_soma_v.npy")


def test_statistics_of_a_window_include_its_start_and_not_its_end():
    rows = voltage_statistics(TWO, t_min=0.025, t_max=0.075).collect()
    assert rows["mean"].to_list() == [-55.0, -57.0]
    assert rows["std"].to_list() == [5.0, 7.0]
    assert rows["max"].to_list() == [-50.0, -50.0]
    whole = voltage_statistics(TWO).collect()
    assert whole["min"].to_list() == [-70.0, -70.0]
    assert whole["median"].to_list() == [-55.0, -57.0]


def test_the_published_traces_give_their_published_statistics(reference, golden):
    rows = voltage_statistics(golden, "replays", t_min=100.0, t_max=200.0).collect()
    time = np.load(reference / "golden" / "replay1_t.npy")
    window = (time > 99.99) & (time < 199.99)
    for trial in (1, 2):
        v = published(reference, trial)[window]
        row = rows.row(trial - 1, named=True)
        assert (row["mean"], row["std"], row["min"]) == pytest.approx((v.mean(), v.std(), v.min()))


def test_the_mean_over_trials_is_taken_sample_by_sample(reference, golden):
    found = mean_voltage(golden, "replays")
    both = np.stack([published(reference, 1), published(reference, 2)])
    assert found.n_trials == 2
    assert np.allclose(found.mean, both.mean(axis=0), atol=1e-12)
    assert np.allclose(found.std, both.std(axis=0, ddof=1), atol=1e-10)
    assert np.array_equal(found.time, np.load(reference / "golden" / "replay1_t.npy"))


def test_blocks_of_any_size_give_one_mean():
    traces = np.random.default_rng(3).normal(-65, 5, (150, 3))
    found = mean_voltage(by_hand(*({"voltage": {"soma": v}} for v in traces)))
    assert found.mean == pytest.approx(traces.mean(axis=0))
    assert found.std == pytest.approx(traces.std(axis=0, ddof=1))


def test_density_is_isfs_histogram_at_every_sample():
    found = voltage_density(TWO)
    assert np.array_equal(found.edges, np.arange(-100, 50 + 0.05, 0.05))
    for sample, values in enumerate([[-70, -70], [-60, -64], [-50, -50], [-40, 0]]):
        assert np.array_equal(found.counts[:, sample], np.histogram(values, found.edges)[0])
    assert voltage_density(TWO, v_min=-70, v_max=-60, v_bin=5, every=2).counts.tolist() == [[2, 0], [0, 0], [0, 0]][:2]


def test_one_trial_has_a_mean_but_no_deviation():
    found = mean_voltage(by_hand({"voltage": {"soma": [-70.0, -60.0]}}))
    assert found.mean.tolist() == [-70.0, -60.0]
    assert np.isnan(found.std).all()


def test_a_run_without_voltage_says_so(tmp_path):
    catalog = Catalog(tmp_path / "results")
    catalog.open_run(spec())
    catalog.commit("stim_C2", trial_tables(0))
    with pytest.raises(InputError, match="site = 'soma' has no trace; expected a run that recorded voltage"):
        mean_voltage(catalog, "stim_C2")
    with pytest.raises(InputError, match="recorded voltage"):
        mean_voltage(by_hand({}))
