"""The front door: a small real cell in a small network, through NEURON, Ray and the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isfray.activity import trial_seed
from isfray.catalog import Catalog
from isfray.errors import InputError
from isfray.formats.isf import load_cell, load_network
from isfray.runs import run, session, simulate
from tests.engine.child import in_child
from tests.model import small_cell

OF_THE_MACHINE = ("wall_s", "host", "finished_at")


@pytest.fixture
def files(tmp_path: Path, small_network, write_network) -> tuple[Path, Path]:
    return small_cell.write(tmp_path), write_network(small_network)


def table(catalog: Catalog, name: str, trial: int) -> pl.DataFrame:
    return catalog.scan(name, trials=trial).drop("run", *OF_THE_MACHINE, strict=False).collect()


def alone(cell: Path, network: Path, seed: int, t_stop: float, trial: int) -> dict[str, Any]:
    """Tables of one trial simulated in this process."""
    from isfray.engine import Simulator

    return Simulator(load_cell(cell), load_network(network)).run(seed, t_stop, trial=trial).tables


def test_one_worker_two_workers_and_one_trial_alone_give_equal_tables(files, tmp_path, two_cpus):
    cell, network = load_cell(files[0]), load_network(files[1])
    catalogs = []
    for workers in (1, 2):
        catalogs.append(Catalog(tmp_path / f"by{workers}"))
        handle = simulate(
            cell, network, catalogs[-1], run="r", trials=4, seed=3, t_stop=60.0, workers=workers, progress=False
        )
        assert handle.progress().done == 4
    expected = in_child(__name__, "alone", *files, trial_seed(3, 2), 60.0, 2)
    releases = 0
    for name, rows in expected.items():
        single = pl.DataFrame(pl.from_arrow(rows)).drop(OF_THE_MACHINE, strict=False)
        releases += len(single) if name == "synapse_activation" else 0
        for catalog in catalogs:
            assert table(catalog, name, 2).rows() == single.rows(), name
    assert releases > 0
    for trial in range(4):
        for name in expected:
            assert table(catalogs[0], name, trial).rows() == table(catalogs[1], name, trial).rows(), name


def test_the_same_name_with_other_settings_is_refused(files, tmp_path, two_cpus):
    cell, network = load_cell(files[0]), load_network(files[1])
    asked = {"run": "r", "trials": 1, "seed": 3, "workers": 1, "progress": False}
    simulate(cell, network, tmp_path / "c", t_stop=5.0, **asked)
    with pytest.raises(InputError, match=r"t_stop 5\.0 there, 6\.0 here"):
        simulate(cell, network, tmp_path / "c", t_stop=6.0, **asked)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trials": 0}, "trials = 0 .* at least 1"),
        ({"trials": -1}, "trials = -1 .* at least 1"),
        ({"trials": 2.5}, r"trials = 2\.5 .* whole number"),
        ({"seed": -1}, "seed = -1"),
        ({"t_stop": 0.0}, r"t_stop = 0\.0 .* > 0 ms"),
        ({"t_stop": float("nan")}, "t_stop = nan"),
        ({"workers": 0}, "workers = 0 .* at least 1"),
        ({"batch_trials": 0}, "batch_trials = 0"),
        ({"batch_seconds": -1}, "batch_seconds = -1"),
        ({"max_retries": -1}, "max_retries = -1"),
        ({"trial_timeout": 0}, "trial_timeout = 0"),
        ({"run": "a/b"}, "run = 'a/b' is not a run name"),
        ({"engine": "brian"}, "engine = 'brian'"),
        ({"record": "nowhere"}, "nowhere"),
        ({"clamp": [{"section": "Tail", "amp": 1.0}]}, r"clamp\[0\]\.section = 'Tail'"),
        ({"cell": "cell.param"}, r"cell = 'cell.param' is not a cell model; expected what isfray\.load_cell returns"),
        ({"network": "network.param"}, "network = 'network.param' is not a network model"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_written_or_started(
    wrong, message, files, tmp_path, monkeypatch
):
    def never(*_: Any) -> None:
        raise AssertionError("Ray was started")

    monkeypatch.setattr(session, "join", never)
    arguments = {"cell": load_cell(files[0]), "network": load_network(files[1]), "run": "r", "trials": 2} | wrong
    with pytest.raises(InputError, match=message):
        simulate(catalog=tmp_path / "c", **arguments)
    assert not (tmp_path / "c").exists()


def test_a_catalog_that_cannot_be_written_is_refused_before_ray_is_started(files, tmp_path, monkeypatch):
    monkeypatch.setattr(run.session, "join", lambda *_: pytest.fail("Ray was started"))
    (tmp_path / "c").write_text("in the way")
    with pytest.raises(InputError, match=str(tmp_path / "c")):
        simulate(load_cell(files[0]), load_network(files[1]), tmp_path / "c" / "d", run="r", trials=2)


def test_a_cell_without_a_network_runs_and_its_current_clamp_makes_it_spike(files, tmp_path, two_cpus):
    clamp = [{"section": "Soma", "x": 0.5, "delay": 5.0, "dur": 40.0, "amp": 1.0}]
    simulate(
        load_cell(files[0]),
        None,
        tmp_path / "c",
        run="step",
        trials=1,
        t_stop=50.0,
        clamp=clamp,
        workers=1,
        progress=False,
    )
    catalog = Catalog(tmp_path / "c")
    times = catalog.scan("spike_times").filter(pl.col("site") == "soma").collect()["time"]
    assert len(times) >= 1
    assert times.min() > 5.0
    assert catalog.scan("synapse_activation").collect().is_empty()
