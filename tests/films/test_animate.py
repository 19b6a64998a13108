"""Films of stored trials: the right trial at the right times, whole whatever dies."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import get_type_hints

import imageio.v2 as imageio
import numpy as np
import polars as pl
import psutil
import pytest

import isfray
from isfray.catalog import Catalog
from isfray.cli import main
from isfray.errors import InputError
from isfray.films.animate import Style3D
from isfray.films.shot import shot
from isfray.films.style import Style
from isfray.look.segments import SomaTrace
from isfray.runs import frames
from isfray.runs.dispatch.failures import ReplayError
from isfray.runs.frames import simulate_again
from tests.conftest import two_populations, write_network_files
from tests.model.small_cell import write
from tests.runs.waiting import until


@pytest.fixture(scope="module")
def catalog(two_cpus, tmp_path_factory) -> Catalog:
    """Two trials of a small cell in a small network, whose stimulus comes at 50 ms."""
    folder = tmp_path_factory.mktemp("films")
    cell = isfray.load_cell(write(folder))
    network = isfray.load_network(write_network_files(folder, two_populations()))
    catalog = Catalog(folder / "results")
    isfray.simulate(cell, network, catalog, run="touch", trials=2, seed=3, t_stop=70.0, progress=False)
    return catalog


def stored_soma(catalog: Catalog, trial: int) -> np.ndarray:
    rows = catalog.scan("voltage_traces", "touch", trial).filter(pl.col("site") == "soma").collect()
    return rows["voltage"][0].to_numpy()


def test_a_trial_simulated_again_is_the_stored_one_at_the_times_asked_for(catalog):
    asked = shot(catalog, "touch", 1, t_start=40.0, t_stop=60.0, t_step=0.5)
    assert asked.stimulus == 50.0
    assert asked.times == pytest.approx(np.arange(40.0, 60.0, 0.5))
    _, again = simulate_again(asked.replay)
    assert again.compared <= 1e-6
    soma = stored_soma(catalog, 1)
    index = np.round(asked.times / 0.025).astype(int)
    assert again.traces.values[:, 0] == pytest.approx(soma[index], abs=1e-4)
    assert again.soma.time[[0, -1]] == pytest.approx([40.0, 60.0])
    assert (again.low[0], again.high[0]) == pytest.approx((soma[1600:2401].min(), soma[1600:2401].max()), abs=1e-4)
    assert np.ptp(again.traces.values, axis=1).max() > 5  # segments differ
    assert not np.isnan(again.traces.values).any()


def test_a_trial_that_is_not_the_stored_one_is_an_error_that_names_it(catalog):
    replay = shot(catalog, "touch", 0, t_start=40.0, t_stop=60.0).replay
    wrong = SomaTrace(replay.stored.time, stored_soma(catalog, 0) + 2e-5 * (replay.stored.time >= 29.99))
    with pytest.raises(ReplayError, match=r"trial 0: .* differs from the stored one by 2e-05 mV \(from 30 ms on\)"):
        simulate_again(replace(replay, stored=wrong))


def test_a_range_variable_is_shown_where_it_is_and_nowhere_else(catalog):
    asked = shot(catalog, "touch", 0, Style(variable="NaTa_t.ina"), t_start=40.0, t_stop=60.0, t_step=1.0)
    assert asked.label == "NaTa_t.ina (mA/cm²)"
    _, again = simulate_again(asked.replay)
    there = np.array(asked.cell.morphology.labels)[asked.cell.geometry.section_of_segment] == "Soma"
    assert (np.isnan(again.traces.values) == ~there).all()
    assert (again.traces.values[:, there] <= 0).all()
    assert again.compared <= 1e-6


def test_the_command_films_around_the_stimulus_and_tells_the_pace(catalog, tmp_path, capsys):
    out = tmp_path / "vm.mp4"
    assert main(["animate", "2d", catalog.uri, "touch", "--trial", "1", "--out", str(out), "--t-step", "1"]) == 0
    told = f"{out}: 45 frames of 1000 x 800, 2.25 s, 1 s shows 20 ms (50 times slower)\n"
    assert capsys.readouterr().out == told
    with imageio.get_reader(out) as reader:
        about = reader.get_meta_data()
        assert (about["duration"], about["size"]) == (pytest.approx(2.25), (1000, 800))
        assert len(list(reader.iter_data())) == 45
    assert list(tmp_path.iterdir()) == [out]


def test_a_killed_renderer_costs_a_chunk_and_not_the_film(catalog, tmp_path):
    how = {"trial": 0, "t_start": 40.0, "t_stop": 64.0, "t_step": 0.5, "turn": 2.0, "preset": "talk"}
    whole = isfray.animate_3d(catalog, "touch", path=tmp_path / "whole", **how)
    killed = []

    def kill() -> None:
        victim = until(renderers, "a renderer at work")[0]
        victim.kill()
        killed.append(victim.pid)

    killer = threading.Thread(target=kill)
    killer.start()
    film = isfray.animate_3d(catalog, "touch", path=tmp_path / "film", **how)
    killer.join()
    assert killed
    assert film.frames == whole.frames == 48
    for i in range(48):
        name = f"{i:05d}.png"
        assert (tmp_path / "film" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert len(list((tmp_path / "film").iterdir())) == 48


def renderers() -> list[psutil.Process]:
    """Processes that draw frames at this moment."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "isfray frames" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_still_shows_the_cell_at_its_time(catalog, tmp_path):
    still = isfray.plot_cell(catalog, "touch", trial=0, t=51.0, path=tmp_path / "cell.png", size=(800, 640))
    assert imageio.imread(still.path).shape[:2] == (640, 800)
    assert str(still) == f"{tmp_path / 'cell.png'}: 800 x 640, the trial at 51 ms"


def test_the_interactive_page_holds_the_trial_and_its_true_limits(catalog, tmp_path, capsys):
    out = tmp_path / "cell.html"
    asked = ["animate", "page", catalog.uri, "touch", "--trial", "1", "--t-start", "40", "--t-stop", "60"]
    assert main([*asked, "--t-step", "0.5", "--out", str(out)]) == 0
    assert "cell.html: 0.1 MB" in capsys.readouterr().out
    data = json.loads(re.search(r'id="data">(.*)</script>', out.read_text())[1])
    codes = np.frombuffer(base64.b64decode(data["values"]), "<u2").reshape(40, -1)
    soma = stored_soma(catalog, 1)
    span = data["high"] - data["low"]
    shown = data["low"] + codes[:, 0] * span / (data["missing"] - 1)
    assert shown == pytest.approx(soma[np.round(np.array(data["times"]) / 0.025).astype(int)], abs=span / 65000)
    assert data["limits"][0] <= soma[1600:2401].min() + 1e-4
    assert data["limits"][1] >= soma[1600:2401].max() - 1e-4
    assert data["stimulus"] == 50.0
    assert main([*asked, "--turn", "1", "--out", str(out)]) == 2
    assert "--turn is no option of page" in capsys.readouterr().err


def test_every_keyword_of_a_film_has_a_default_and_is_told(catalog):
    keywords = set(get_type_hints(Style3D))
    assert keywords == {field.name for field in fields(Style)}
    told = re.findall(r"^ {4}(\w[\w, ]*)(?: :.*)?$", isfray.animate_3d.__doc__, re.MULTILINE)
    assert keywords <= {name for line in told for name in line.split(", ")}
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        isfray.animate_3d(catalog, "touch", path="film.mp4", colour="red")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"trial": 7}, "trial = 7 is not there; expected one of the 2 finished trials of touch, such as 0"),
        ({"run": "other"}, "run = 'other' is not in the catalog"),
        ({"t_start": 30, "t_stop": 20}, r"t_stop = 20.0 is not after t_start; expected above 30 ms"),
        ({"t_stop": 90.0}, "t_stop = 90.0 is after the trial's end; expected at most 70 ms"),
        ({"t_start": -1}, "t_start = -1.0 is no time of the trial"),
        ({"t_step": 0.001}, "t_step = 0.001 is shorter than a step of the simulation"),
        ({"variable": "Ca_HVA.ica"}, "variable = 'Ca_HVA.ica' is nowhere in this cell"),
        ({"variable": "NaTa_t.moon"}, "variable = 'NaTa_t.moon' is no variable of NaTa_t"),
        ({"variable": "sec_000_seg_000"}, "variable = 'sec_000_seg_000' is no variable of the cell"),
        ({"path": "film.avi"}, "path = 'film.avi' is no film"),
        ({"path": "no/such/folder/film.mp4"}, "cannot be written"),
        ({"limits": (5, 1)}, r"limits = \(5, 1\) are no limits"),
        ({"by": "moon"}, "by = 'moon' is no grouping of synapses"),
        ({"fps": 0}, "fps = 0 is out of range"),
        ({"workers": 0}, "workers = 0 is not valid"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_started(catalog, tmp_path, monkeypatch, changed, told):
    monkeypatch.setattr(frames, "simulate_again", None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("isfray.films.shot.simulate_again", None)
    given = {"run": "touch", "trial": 0, "path": Path("film.mp4"), **changed}
    with pytest.raises(InputError, match=told):
        isfray.animate_3d(catalog, **given)
    assert not list(tmp_path.iterdir())
