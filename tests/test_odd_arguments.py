"""Arguments that nobody means, to all that looks at a stored run from Python: an InputError of one line, or done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import isfray
from isfray import analysis
from isfray.catalog import Catalog, RunSpec
from isfray.errors import InputError
from tests.finished_run import RUN, SEED, T_STOP, TRIALS, FinishedRun, finished_run

ODD: list[Any] = [
    float("nan"),
    float("-inf"),
    -1,
    0,
    1e-9,
    1e308,
    10**30,
    True,
    np.float64("nan"),
    np.int64(-5),
    "",
    "x",
]
ODD += ["a\0b", "x" * 5000, b"x", [], ["x", 3], {}, (1, 2, 3), object(), np.array([]), np.zeros((2, 2)), range(10**12)]
# What may be anything: where tables come from is asked by `run_tables`, and these two are truth values or callables.
NOT_ASKED = {"axon", "synapses", "mean", "net", "normalized", "voltage", "per_trial", "sem", "statistic", "wait"}

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_run(tmp_path_factory.mktemp("odd"))


def analyses() -> dict[str, tuple[Call, dict[str, Any]]]:
    window: dict[str, Any] = {"t_min": 0.0, "t_max": 20.0}
    site: dict[str, Any] = {"site": "soma"}
    events: dict[str, Any] = {"by": ["celltype"], "table": "synapse_activation", "network": None, "proximal": 500.0}
    events |= {"distance_bin": 50.0}
    bins: dict[str, Any] = {"bin_size": 5.0, "rule": "isfray"}
    return {
        "run_tables": (analysis.run_tables, {"trials": [1]}),
        "psth": (analysis.psth, window | site | bins),
        "responses": (analysis.responses, window | site),
        "response": (analysis.response, window | site | {"confidence": 0.9, "seed": 1}),
        "interspike_intervals": (analysis.interspike_intervals, window | site),
        "bursts": (analysis.bursts, window | site | {"max_interval": 10.0, "min_spikes": 2}),
        "detect_spikes": (analysis.detect_spikes, window | site | {"threshold": -60.0, "mode": "voltage"}),
        "activation_counts": (analysis.activation_counts, window | events),
        "mean_activation": (analysis.mean_activation, window | events),
        "soma_distance": (analysis.soma_distance, {"by": ["celltype"], "per": "release", "network": None}),
        "activation_psth": (analysis.activation_psth, window | bins | {"by": ["celltype"], "network": None}),
        "space_time": (analysis.space_time, window | bins | {"distance_bin": 50.0, "d_max": 500.0, "where": None}),
        "voltage_statistics": (analysis.voltage_statistics, window | site),
        "mean_voltage": (analysis.mean_voltage, site),
        "voltage_density": (analysis.voltage_density, site | {"v_min": -90.0, "v_max": 0.0, "v_bin": 1.0, "every": 9}),
        "to_neo": (analysis.to_neo, {"sites": ["soma"], "trials": [1]}),
        "to_isf_wide": (analysis.to_isf_wide, site | {"table": "spike_times", "trials": [1]}),
    }


def figures() -> dict[str, tuple[Call, dict[str, Any]]]:
    window: dict[str, Any] = {"t_min": 0.0, "t_max": 20.0, "stimulus": 5.0, "theme": "light", "ax": None, "path": None}
    plain: dict[str, Any] = {"theme": "light", "ax": None, "path": None}
    site: dict[str, Any] = {"site": "soma"}
    return {
        "plot_psth": (isfray.plot_psth, window | site | {"bin_size": 5.0, "settling": 1.0, "confidence": 0.9}),
        "plot_raster": (isfray.plot_raster, window | site | {"of": "cells", "trial": 1, "by": "celltype"}),
        "plot_voltage": (isfray.plot_voltage, window | site | {"kind": "lines"}),
        "plot_activations": (
            isfray.plot_activations,
            window | {"bin_size": 5.0, "distance_bin": 50.0, "sign": None, "celltype": None},
        ),
        "plot_currents": (isfray.plot_currents, window | {"site": "sec_000_seg_000", "trial": 1, "variables": None}),
        "plot_morphology": (isfray.plot_morphology, plain | {"trial": 1}),
        "plot_dendrogram": (isfray.plot_dendrogram, plain | {"distance_bin": 50.0}),
    }


def films() -> dict[str, tuple[Call, dict[str, Any]]]:
    # Of a variable that is not there, which is looked at last: nothing is simulated.
    when: dict[str, Any] = {"t_start": 1.0, "t_stop": 9.0, "t_step": 0.5}
    common: dict[str, Any] = {"trial": 1, "variable": "nothing", "stimulus": 5.0, "tolerance": 1e-6, "workers": 1}
    look: dict[str, Any] = {"limits": (-80, 0), "by": "sign", "flash": 2.0, "preset": "talk", "size": (640, 480)}
    look |= {"theme": "dark", "colours": None}
    eye: dict[str, Any] = {"cmap": "viridis", "azimuth": 1.0, "elevation": 1.0, "thickness": 2.0}
    return {
        "animate_2d": (isfray.animate_2d, when | common | look | {"path": "x.mp4", "fps": 20.0}),
        "animate_3d": (isfray.animate_3d, when | common | look | eye | {"path": "x.gif", "fps": 20.0, "turn": 0.5}),
        "explore_3d": (isfray.explore_3d, when | common | {"path": "x.html"}),
        "plot_cell": (isfray.plot_cell, common | look | eye | {"path": "x.png", "t": 5.0}),
    }


def catalogs(catalog: Catalog) -> dict[str, tuple[Call, dict[str, Any]]]:
    given = {"run": RUN}
    return {
        "Catalog": (Catalog, {"uri": "results"}),
        "committed_trials": (catalog.committed_trials, given),
        "info": (catalog.info, given),
        "snapshot": (catalog.snapshot, given),
        "load_inputs": (catalog.load_inputs, given),
        "load_models": (catalog.load_models, given),
        "verify": (catalog.verify, given),
        "delete": (catalog.delete, {"run": "nothing"}),
        "compact": (catalog.compact, {"run": "nothing"}),
    }


def simulations(run: FinishedRun) -> dict[str, tuple[Call, dict[str, Any]]]:
    # All of its trials are there: nothing is simulated.
    cell, network = run.catalog.load_models(RUN)
    given: dict[str, Any] = {"cell": cell, "network": network, "catalog": run.catalog, "run": RUN, "trials": TRIALS}
    given |= {"seed": SEED, "t_stop": T_STOP, "engine": None, "clamp": (), "record": "sites", "workers": 1}
    given |= {"variants": None, "batch_trials": 5, "batch_seconds": 1.0, "max_retries": 1, "trial_timeout": 60.0}
    return {"simulate": (partial(isfray.simulate, progress=False), given)}


def taken(call: Call, given: dict[str, Any], key: str, value: Any, about: str) -> bool:
    """Whether the call takes it; it is refused by an InputError otherwise, which is checked to be short."""
    try:
        answer = call(**{**given, key: value})
        if isinstance(answer, pl.LazyFrame):
            answer.collect()
    except InputError as error:
        told = str(error)
    except Exception as error:
        raise AssertionError(f"{about}: {type(error).__name__}: {str(error)[:300]}") from error
    else:
        return True
    assert len(told) <= 600, about
    assert "\n" not in told, about
    return False


def odd(key: str) -> list[Any]:
    return [] if key in NOT_ASKED else ODD


@pytest.mark.parametrize("name", analyses())
def test_an_analysis_takes_or_refuses_what_it_is_asked(name: str, run: FinishedRun):
    call, given = analyses()[name]
    assert taken(partial(call, run.catalog), given, "run", RUN, f"{name} as it should be asked")
    for key in (*given, "run"):
        for value in odd(key):
            taken(partial(call, run.catalog), {"run": RUN, **given}, key, value, f"{name}({key}={value!r:.60})")


@pytest.mark.parametrize("name", [*figures(), *films()])
def test_a_figure_takes_or_refuses_what_it_is_asked(name: str, run: FinishedRun, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(run.folder)
    call, given = (figures() | films())[name]
    for key in (*given, "run"):
        for value in odd(key):
            taken(partial(call, run.catalog), {"run": RUN, **given}, key, value, f"{name}({key}={value!r:.60})")
    assert not [path for path in run.folder.iterdir() if path.name.startswith("x")]


def test_a_catalog_takes_or_refuses_what_it_is_asked(run: FinishedRun, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(run.folder)
    for name, (call, given) in catalogs(run.catalog).items():
        for key in given:
            for value in odd(key):
                taken(call, given, key, value, f"{name}({key}={value!r:.60})")


def test_a_run_takes_or_refuses_what_it_is_asked_and_stores_nothing_of_it(run: FinishedRun):
    ((call, given),) = simulations(run).values()
    before = run.contents()
    for key in given:
        for value in odd(key):
            about = f"simulate({key}={value!r:.60})"
            if key in ("run", "catalog") and isinstance(value, str) and value == "x":
                continue  # a name that is free
            if not taken(call, given, key, value, about):
                assert run.contents() == before, about
            before = run.contents()


@pytest.mark.parametrize(
    "value", [v for v in ODD if not isinstance(v, float) or v != 1e308], ids=lambda v: f"{v!r:.20}"
)
def test_a_simulator_refuses_what_is_no_step_and_no_model(value: Any, run: FinishedRun):
    cell, network = run.catalog.load_models(RUN)
    if not (isinstance(value, int | float) and value > 0):
        with pytest.raises(InputError, match="dt = "):
            isfray.Simulator(cell, network, dt=value)
    with pytest.raises(InputError, match="is not a cell model"):
        isfray.Simulator(value)
    with pytest.raises(InputError, match="is not a network model"):
        isfray.Simulator(cell, value)


@pytest.mark.parametrize("place", ["38(e)", "0(.)", "0(1e400)", "1" * 5000 + "(0.5)", "0(0.5", "²(0.5)"])
def test_a_place_that_is_none_is_refused(place: str, run: FinishedRun):
    cell, network = run.catalog.load_models(RUN)
    with pytest.raises(InputError, match=r"record = .* is no place of the cell"):
        isfray.Simulator(cell, network, record=place)


NUMPY: list[Callable[[Any], Any]] = [np.int32, np.int64, np.float64, np.float32]


@pytest.mark.parametrize("kind", NUMPY, ids=lambda kind: kind.__name__)
def test_numbers_of_numpy_are_numbers(kind: Callable[[Any], Any], run: FinishedRun):
    cell, network = run.catalog.load_models(RUN)
    whole = kind if issubclass(kind, np.integer) else int  # type: ignore[arg-type]
    handle = isfray.simulate(
        cell,
        network,
        run.catalog,
        run=RUN,
        trials=whole(TRIALS),
        seed=whole(SEED),
        t_stop=kind(20),
        workers=whole(1),
        batch_trials=whole(3),
        batch_seconds=kind(2),
        max_retries=whole(1),
        trial_timeout=kind(60),
        progress=False,
    )
    assert handle.progress().done == TRIALS
    assert isfray.trial_seed(whole(7), whole(3)) == isfray.trial_seed(7, 3)
    drawn = isfray.draw_trial(network, whole(3), kind(20))
    assert len(drawn.releases.times) == len(isfray.draw_trial(network, 3, 20.0).releases.times)
    assert analysis.psth(run.catalog, RUN, bin_size=kind(5), t_min=kind(0), t_max=kind(20)).collect().height == 4
    assert isfray.plot_raster(run.catalog, RUN, of="cells", trial=whole(1), t_max=kind(20)) is not None
    step = {"section": whole(0), "x": kind(0), "delay": kind(5), "dur": kind(3), "amp": kind(1)}
    with pytest.raises(InputError, match="clamp"):  # read, and told apart from what is stored
        isfray.simulate(cell, network, run.catalog, run=RUN, trials=4, seed=SEED, t_stop=20.0, clamp=[step])


def test_a_tilde_is_the_home_folder(run: FinishedRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(run.folder)
    cell_file, _ = isfray.write_example("~/example")
    assert cell_file.parent == tmp_path / "example"
    assert isfray.load_cell(f"~/example/{cell_file.name}") == isfray.load_cell(cell_file)
    cell, network = run.catalog.load_models(RUN)
    assert cell.save("~/cell.param") == tmp_path / "cell.param"
    assert network is not None
    assert network.save("~/net/network.param").parent == tmp_path / "net"
    isfray.plot_psth(run.catalog, RUN, path="~/psth.png")
    analysis.to_nwb(run.catalog, RUN, "~/r.nwb", voltage=False)
    assert not Catalog("~/results").exists
    assert Catalog("~/results").uri == str(tmp_path / "results")
    assert {"psth.png", "r.nwb"} <= {path.name for path in tmp_path.iterdir()}
    assert not (run.folder / "~").exists()


def test_a_set_of_trials_costs_by_what_is_there(run: FinishedRun):
    tables = analysis.run_tables(run.catalog, RUN, trials=range(1, 2**31, 2))
    assert tables.trials.tolist() == [1, 3]
    with pytest.raises(InputError, match=r"trials = .* is none of the possible trial numbers"):
        analysis.run_tables(run.catalog, RUN, trials=range(10**12))


def test_a_run_cannot_have_more_trials_than_tables_can_number(run: FinishedRun):
    with pytest.raises(
        InputError, match=r"trials = 2147483648 is not valid; expected a whole number from 0 to 2147483647"
    ):
        RunSpec("r", 7, {}, run.catalog.load_inputs(RUN), trials=2**31)
