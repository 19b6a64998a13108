"""Several runs in one call: each as if it were alone, by the same actors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from isfray import edits
from isfray.activity import trial_seed
from isfray.catalog import Catalog
from isfray.errors import InputError
from isfray.formats.isf import load_cell, load_network
from isfray.model import NetworkModel
from isfray.runs import TrialError, simulate
from isfray.runs.dispatch.limits import Limits
from isfray.runs.request import Request
from isfray.runs.run import run_sweep
from tests.engine.child import in_child
from tests.model import small_cell
from tests.runs.null_engine import NullEngine, spec

pytestmark = pytest.mark.usefixtures("two_cpus")

OF_THE_MACHINE = ("wall_s", "host", "finished_at")
QUICK = Limits(batch_trials=4, batch_seconds=0.3)


def rows(catalog: Catalog, table: str, run: str) -> list[tuple]:
    frame = catalog.scan(table, run=run).drop("run", *OF_THE_MACHINE, strict=False)
    return frame.sort("trial", maintain_order=True).collect().rows()


def nulls(**engines: NullEngine) -> dict[str, Request]:
    return {name: Request(spec(f"s.{name}", 10), engine, 300.0) for name, engine in engines.items()}


def variants_of(network: NetworkModel) -> dict[str, Any]:
    step = [{"section": "Soma", "delay": 5.0, "dur": 10.0, "amp": 1.0}]
    return {
        "control": {},
        "no_VPM": {"network": edits.silence_populations(network, ["VPM_C2"])},
        "step": {"clamp": step, "trials": 2},
        "longer": {"t_stop": 40.0},
        "bare": {"network": None, "clamp": step, "trials": 1},
    }


def alone(cell_file: Path, network_file: Path) -> dict[str, list[dict[str, Any]]]:
    """Tables of every trial of every variant, each variant by a simulator of its own."""
    from isfray.engine import Simulator

    network, made = load_network(network_file), {}
    for name, own in variants_of(network).items():
        asked = {"network": network, "clamp": (), "trials": 3, "t_stop": 30.0, **own}
        simulator = Simulator(load_cell(cell_file), asked["network"], clamp=asked["clamp"])
        seeds = [trial_seed(3, k) for k in range(asked["trials"])]
        made[name] = [simulator.run(seed, asked["t_stop"], trial=k).tables for k, seed in enumerate(seeds)]
    return made


def test_each_variant_is_as_if_simulated_alone(tmp_path, small_network, write_network):
    files = small_cell.write(tmp_path), write_network(small_network)
    cell, network = load_cell(files[0]), load_network(files[1])
    variants, how = variants_of(network), {"seed": 3, "t_stop": 30.0, "workers": 2, "progress": False}
    sweep = simulate(cell, network, tmp_path / "c", run="s", trials=3, variants=variants, **how)
    assert list(sweep) == list(variants)
    assert sweep.progress().done == 3 + 3 + 2 + 3 + 1
    assert sweep.catalog.runs() == sorted(f"s.{name}" for name in variants)
    for name, trials in in_child(__name__, "alone", *files).items():
        for table in trials[0]:
            of_each = [pl.DataFrame(pl.from_arrow(tables[table])) for tables in trials]
            expected = [row for each in of_each for row in each.drop(OF_THE_MACHINE, strict=False).rows()]
            assert rows(sweep.catalog, table, f"s.{name}") == expected, (name, table)


def test_globals_of_one_variant_do_not_reach_the_next_by_the_same_actor(tmp_path):
    def channels(**mech_globals):
        def edit(param):
            ih = {"spatial": "uniform", "gIhbar": 2e-4}
            param["neuron"]["ApicalDendrite"]["mechanisms"]["range"]["Ih"] = ih
            param["mech_globals"] = mech_globals

        return edit

    (tmp_path / "shifted").mkdir()
    control = load_cell(small_cell.write(tmp_path, channels()))
    shifted = load_cell(small_cell.write(tmp_path / "shifted", channels(Ih={"ehcn": -20.0})))
    variants = {"first": {}, "shifted": {"cell": shifted}, "again": {}}
    how = {"t_stop": 50.0, "workers": 1, "progress": False}
    catalog = simulate(control, None, tmp_path / "c", run="s", trials=2, variants=variants, **how).catalog
    last = {
        name: catalog.scan("voltage_traces", run=f"s.{name}").collect()["voltage"].list.last().unique().to_list()
        for name in variants
    }
    assert last["first"] == last["again"]
    assert min(last["shifted"]) > max(last["first"]) + 0.3


def test_trial_k_of_every_variant_has_the_same_input_where_the_variants_agree(tmp_path, small_network, write_network):
    cell, network = load_cell(small_cell.write(tmp_path)), load_network(write_network(small_network))
    variants: dict[str, Any] = {"control": {}, "no_VPM": {"network": edits.silence_populations(network, ["VPM_C2"])}}
    simulate(
        cell, network, tmp_path / "c", run="s", trials=3, t_stop=60.0, variants=variants, workers=2, progress=False
    )
    catalog = Catalog(tmp_path / "c")
    releases = catalog["synapse_activation"].select(pl.col("run").cast(pl.String), "trial", "celltype", "times")
    control, silenced = (releases.filter(pl.col("run") == f"s.{name}").drop("run") for name in variants)
    others = control.filter(pl.col("celltype").cast(pl.String) != "VPM").collect()
    assert len(others) > 0
    assert silenced.collect().rows() == others.rows()
    assert control.collect().height > len(others)


def test_actors_are_shared_and_built_anew_only_for_another_setup(tmp_path):
    one = NullEngine(builds=tmp_path / "builds")
    other = NullEngine(rows=30, builds=tmp_path / "builds")
    sweep = run_sweep("s", nulls(a=one, b=other, c=one), tmp_path / "c", workers=1, progress=False, limits=QUICK)
    assert sweep.progress().done == 30
    built = (tmp_path / "builds").read_text().split()
    assert len(built) == 2
    assert len(set(built)) == 1, "one process"
    counts = sweep.catalog["trials"].group_by(pl.col("run").cast(pl.String)).agg(pl.col("n_releases").unique())
    assert dict(counts.collect().iter_rows()) == {"s.a": [20], "s.b": [30], "s.c": [20]}


def test_a_variant_that_fails_leaves_the_others_whole(tmp_path):
    bad = NullEngine(raises=frozenset({1, 2}))
    with pytest.raises(TrialError, match=r"2 of 10 trials of s\.bad failed: 1, 2"):
        run_sweep("s", nulls(bad=bad, good=NullEngine()), tmp_path, workers=2, progress=False, limits=QUICK)
    assert Catalog(tmp_path).committed_trials("s.good").tolist() == list(range(10))
    assert len(Catalog(tmp_path).committed_trials("s.bad")) == 8


def test_a_cancelled_sweep_goes_on_where_it_was(tmp_path):
    held = NullEngine(held_from=4, gate=tmp_path / "gate", diary=tmp_path / "diary")
    sweep = run_sweep("s", nulls(a=held, b=held), tmp_path / "c", workers=2, wait=False, progress=False, limits=QUICK)
    next(iter(sweep["a"]))
    sweep.cancel()
    sweep.wait()
    kept = sum(len(sweep.catalog.committed_trials(run)) for run in ("s.a", "s.b"))
    assert 0 < kept <= 8
    again = run_sweep("s", nulls(a=NullEngine(), b=NullEngine()), tmp_path / "c", workers=2, progress=False)
    assert again.progress().before == kept
    assert again.progress().done == 20


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ({}, "variants = {} holds no variants"),
        ({"a": 3}, r"variants\.a = 3 is no variant"),
        ({"a": {"seed": 3}}, r"variants\.a\.seed is no setting of a variant; expected one of cell, network"),
        ({"a": {"t_stop": -1.0}}, r"variants\.a\.t_stop = -1\.0"),
        ({"a/b": {}}, r"variants\.a/b\.run = 's\.a/b' is not a run name"),
    ],
)
def test_a_wrong_variant_is_refused_by_name(tmp_path, variants, message):
    with pytest.raises(InputError, match=message):
        simulate(load_cell(small_cell.write(tmp_path)), None, tmp_path / "c", run="s", trials=1, variants=variants)
    assert not (tmp_path / "c").exists()
