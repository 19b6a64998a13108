"""Engines and sources of input that are not isfray's: through `simulate`, in groups of trials, into a catalog."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from isfray.activity import Drawn, TrialInput, TrialSpec, draw_trial, trial_seed
from isfray.catalog import Catalog
from isfray.engine import Engine, Recorded, Simulator, Task
from isfray.errors import InputError
from isfray.formats.isf import load_cell, load_network
from isfray.model.clock import n_samples
from isfray.model.embedding import Embedding
from isfray.model.placement import place
from isfray.runs import TrialError, simulate
from isfray.runs.resume import resume
from tests.model import small_cell

T_STOP = 60.0


class Leaky(Engine):
    """A point that integrates releases, leakily, in place of a neuron."""

    name = "leaky"
    group = 8

    def __init__(self, task: Task) -> None:
        self.task = task

    @classmethod
    def check(cls, task: Task) -> None:
        if task.recording.variables:
            raise InputError(
                "has no variables", key="record", value=task.recording.variables[0].name, expected="places"
            )

    def run(self, trials: Sequence[TrialInput], t_stop: float) -> Iterator[Recorded]:
        dt, rest = self.task.dt, self.task.embedding.cell.defaults.v_init
        time = dt * np.arange(n_samples(t_stop, dt))
        edges = np.append(time, time[-1] + dt)
        arrived = np.array([np.histogram(trial.releases.times, edges)[0] for trial in trials])
        v = np.full(arrived.shape, rest)
        for i in range(1, len(time)):
            v[:, i] = v[:, i - 1] + dt / 20.0 * (rest - v[:, i - 1]) + 0.5 * arrived[:, i]
        for row in v:
            yield Recorded(time, [row] * len(self.task.recording.sites))


@dataclass(frozen=True)
class Numbered(Drawn):
    """Drawn input that says to the engine which trial it is of."""

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"from": "network", "numbered": True}

    def input(self, trial: TrialSpec, embedding: Embedding, t_stop: float) -> TrialInput:
        drawn = super().input(trial, embedding, t_stop)
        return replace(drawn, parameters={"number": float(trial.number)})


def misbehaving(diary: Path, *, raises: int = -1, dies_once: int = -1) -> type[Engine]:
    """A leaky engine that writes down every group it gets, and fails at one trial."""

    class Misbehaving(Leaky):
        name = "misbehaving"

        def run(self, trials: Sequence[TrialInput], t_stop: float) -> Iterator[Recorded]:
            numbers = [int(trial.parameters["number"]) for trial in trials]
            first = not any(dies_once in group for group in groups(diary))
            with diary.open("a") as file:
                file.write(f"{' '.join(map(str, numbers))}\n")
            for number, recorded in zip(numbers, super().run(trials, t_stop), strict=True):
                if number == raises:
                    raise ValueError(f"no solution for trial {number}")
                if number == dies_once and first:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield recorded

    return Misbehaving


def groups(diary: Path) -> list[list[int]]:
    """Groups of trials that were begun, in order."""
    return [[int(n) for n in line.split()] for line in diary.read_text().splitlines()] if diary.exists() else []


@pytest.fixture
def models(tmp_path: Path, small_network, write_network):
    return load_cell(small_cell.write(tmp_path)), load_network(write_network(small_network))


def asked(models: Any, catalog: Path, **what: Any) -> dict[str, Any]:
    common = {"run": "r", "trials": 20, "seed": 3, "t_stop": T_STOP, "workers": 1, "progress": False}
    return {"cell": models[0], "network": models[1], "catalog": catalog, "engine": Leaky, **common, **what}


def voltages(catalog: Path) -> dict[int, list[float]]:
    rows = Catalog(catalog).scan("voltage_traces").filter(pl.col("site") == "soma").select("trial", "voltage")
    return dict(rows.collect().rows())


def test_another_engine_integrates_the_same_input_in_groups_into_the_catalog(models, tmp_path, two_cpus):
    cell, network = models
    simulate(**asked(models, tmp_path / "c"))
    catalog, alone = Catalog(tmp_path / "c"), Simulator(cell, network, engine=Leaky)
    assert catalog.verify("r").ok
    assert catalog.info("r").settings.engine == "leaky"
    assert set(catalog.scan("trials").collect()["engine"]) == {"leaky"}
    placement = place(network.synapses.section_id, network.synapses.x, cell.geometry)
    stored = voltages(tmp_path / "c")
    assert sorted(stored) == list(range(20))
    for trial in (0, 7, 19):
        drawn = draw_trial(network, trial_seed(3, trial), T_STOP, placement)
        released = catalog.scan("synapse_activation", trials=trial).select(pl.col("times").explode()).collect()
        assert sorted(released["times"]) == sorted(drawn.releases.times)
        assert stored[trial] == alone.run(trial_seed(3, trial), T_STOP).voltage["soma"].tolist()
        assert max(stored[trial]) > stored[trial][0], "releases depolarize"


def test_trials_go_to_an_engine_in_groups_of_the_size_it_takes_and_the_last_ones_are_shared_out(
    models, tmp_path, two_cpus
):
    diary = tmp_path / "diary"
    simulate(**asked(models, tmp_path / "c", engine=misbehaving(diary), inputs=Numbered()))
    assert sorted(n for group in groups(diary) for n in group) == list(range(20))
    assert [len(group) for group in groups(diary)][:2] == [8, 8]
    diary.unlink()
    simulate(**asked(models, tmp_path / "two", engine=misbehaving(diary), inputs=Numbered(), trials=8, workers=2))
    assert sorted(n for group in groups(diary) for n in group) == list(range(8))
    assert voltages(tmp_path / "two") == {n: v for n, v in voltages(tmp_path / "c").items() if n < 8}


def test_a_trial_that_breaks_its_group_fails_alone(models, tmp_path, two_cpus):
    diary = tmp_path / "diary"
    with pytest.raises(TrialError, match="trial 5: ValueError: no solution for trial 5") as caught:
        simulate(**asked(models, tmp_path / "c", engine=misbehaving(diary, raises=5), inputs=Numbered()))
    assert [failure.trial for failure in caught.value.failures] == [5]
    assert sorted(voltages(tmp_path / "c")) == [n for n in range(20) if n != 5]
    assert [5] in groups(diary)


def test_a_worker_killed_in_a_group_loses_no_trial_and_blames_none(models, tmp_path, two_cpus):
    diary = tmp_path / "diary"
    engine = misbehaving(diary, dies_once=6)
    handle = simulate(**asked(models, tmp_path / "c", engine=engine, inputs=Numbered(), max_retries=0))
    assert not handle.failures
    assert sorted(voltages(tmp_path / "c")) == list(range(20))
    assert [6] in groups(diary), "suspected, it goes alone"
    simulate(**asked(models, tmp_path / "whole"))
    assert voltages(tmp_path / "c") == voltages(tmp_path / "whole")


def test_what_an_engine_cannot_record_is_refused_before_anything_is_stored(models, tmp_path):
    with pytest.raises(InputError, match=r"record = 'NaTa_t\.ina' has no variables"):
        simulate(**asked(models, tmp_path / "c", record=["NaTa_t.ina"]))
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("engine", ["brian", int, 7])
def test_what_is_no_engine_is_refused(models, tmp_path, engine):
    with pytest.raises(InputError, match=r"engine = .* is no engine; expected coreneuron or neuron"):
        simulate(**asked(models, tmp_path / "c", engine=engine))


class Unnamed(Leaky):
    name = ""


class Idle(Leaky):
    group = 0  # its trials would wait for ever


class Needy(Leaky):
    resources = 5


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        (Engine, r"engine = 'Engine' is no whole engine; expected a class with __init__ and run"),
        (Unnamed, r"engine\.name = '' is no name of an engine"),
        (Idle, r"engine\.group = 0 .* at least 1"),
        (Needy, r"engine\.resources = 5 are none"),
    ],
)
def test_an_engine_that_does_not_say_what_must_be_known_is_refused(models, tmp_path, engine, told):
    with pytest.raises(InputError, match=told):
        simulate(**asked(models, tmp_path / "c", engine=engine))
    assert not (tmp_path / "c").exists()


def test_a_run_whose_engine_this_isfray_does_not_have_is_not_resumed_from_its_catalog_alone(models, tmp_path, two_cpus):
    simulate(**asked(models, tmp_path / "c", trials=2))
    with pytest.raises(InputError, match="engine = 'leaky' is no engine"):
        resume(tmp_path / "c", "r", trials=3)
    assert simulate(**asked(models, tmp_path / "c", trials=3)).progress().before == 2


def test_any_set_of_trials_is_simulated_and_each_is_what_it_is_in_a_longer_run(models, tmp_path, two_cpus):
    simulate(**asked(models, tmp_path / "whole", trials=12))
    whole, some = voltages(tmp_path / "whole"), tmp_path / "some"
    handle = simulate(**asked(models, some, trials=[9, 2, 3, 9]))
    assert handle.progress().total == 3
    assert voltages(some) == {n: whole[n] for n in (2, 3, 9)}
    about = Catalog(some).info("r")
    assert (about.trials_asked, about.trials_committed) == (3, 3)
    simulate(**asked(models, some, trials=range(8, 11)))
    assert voltages(some) == {n: whole[n] for n in (2, 3, 8, 9, 10)}
    assert Catalog(some).info("r").trials_asked == 5
    simulate(**asked(models, some, trials=12))
    assert voltages(some) == whole
    assert Catalog(some).verify("r").ok


@pytest.mark.parametrize(
    ("trials", "told"),
    [
        ([], "trials holds no trial"),
        ([1, -1], "trials = -1"),
        ([0.5], r"trials = 0\.5"),
        ("3", "trials = '3'"),
        (range(10**8), "trials = 100000000 is more than a run may have"),
        (range(10**12), "trials = 999999999999"),
    ],
)
def test_what_is_no_set_of_trials_is_refused(models, tmp_path, trials, told):
    with pytest.raises(InputError, match=told):
        simulate(**asked(models, tmp_path / "c", trials=trials))


def test_where_input_comes_from_is_part_of_what_a_run_is(models, tmp_path, two_cpus):
    simulate(**asked(models, tmp_path / "c", trials=2, inputs=Numbered()))
    with pytest.raises(InputError, match=r"source\.numbered True there, not set here"):
        simulate(**asked(models, tmp_path / "c", trials=2))
    with pytest.raises(InputError, match="has input that is not drawn from its network and cannot be resumed"):
        resume(tmp_path / "c", "r", trials=3)
    with pytest.raises(InputError, match="inputs = 'rows' is no source of input"):
        simulate(**asked(models, tmp_path / "d", inputs="rows"))
