"""What each figure shows, read back from what was drawn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from isfray import tables
from isfray.errors import InputError
from isfray.figures import plot_activations, plot_currents, plot_psth, plot_raster, plot_voltage
from isfray.figures.currents import stack
from isfray.figures.traces import outline
from isfray.look.style import CELLTYPES, HALF_PAGE
from tests.analysis.recorded import by_hand, golden_cases

QUIET = {"stimulus": None, "settling": None}
THREE = by_hand({"soma": [1.0, 11.0]}, {}, {"soma": [12.0, 55.0]})


def steps(ax):
    """Edges and values of the outlines of a histogram."""
    return [(patch.get_data().edges, patch.get_data().values) for patch in ax.patches if not patch.get_fill()]


def test_the_psth_shows_the_rate_over_all_trials():
    ((edges, rate),) = steps(plot_psth(THREE, bin_size=10.0, **QUIET))
    assert edges.tolist() == list(range(0, 110, 10))
    assert rate[:3] == pytest.approx([1 / 3 * 100, 2 / 3 * 100, 0])


def test_several_runs_lie_over_each_other_and_are_named(golden):
    ax = plot_psth(golden, ["replays", "replays"], bin_size=10.0)
    assert len(steps(ax)) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["replays, 2 trials"] * 2
    assert ax.get_xlabel() == "Time (ms)"
    assert ax.get_ylabel() == "Spike rate (Hz)"


def test_the_stimulus_is_where_the_networks_evoked_activity_begins(golden):
    ax = plot_psth(golden, "replays")
    (line,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert list(line.get_xdata()) == [245.0, 245.0]
    assert {text.get_text() for text in ax.texts} == {"stimulus", "settling"}


def test_the_raster_has_a_tick_for_every_spike_and_a_row_for_every_trial():
    ax = plot_raster(THREE, **QUIET)
    (ticks,) = ax.lines
    assert sorted(zip(*ticks.get_data(), strict=True)) == [(1.0, 0), (11.0, 0), (12.0, 2), (55.0, 2)]
    assert ax.get_ylim() == (2.5, -0.5)


def test_the_raster_of_cells_is_grouped_and_coloured_by_type(golden):
    ax = plot_raster(golden, "replays", of="cells", trial=1)
    cells = golden.scan("cell_activation", run="replays", trials=[1]).collect()
    drawn = [line for line in ax.lines if line.get_marker() == "|"]
    types = sorted(cells["celltype"].cast(pl.String).unique())
    assert [len(line.get_xdata()) for line in drawn] == [
        cells.filter(pl.col("celltype") == t)["times"].list.len().sum() for t in types
    ]
    assert [line.get_color() for line in drawn] == [CELLTYPES[t] for t in types]


def test_a_reduced_trace_keeps_every_extreme():
    rng = np.random.default_rng(5)
    block = np.cumsum(rng.normal(size=(3, 12_002)), axis=1)
    time = np.arange(12_002) * 0.025
    for path, v in zip(outline(time, block, 500), block, strict=True):
        assert path.shape == (1000, 2)
        assert (path[:, 1].min(), path[:, 1].max()) == (v.min(), v.max())
        assert np.isin(path[:, 1], v).all()
        assert (np.diff(path[:, 0]) >= 0).all()


def test_voltage_shows_one_line_per_trial_or_their_density(reference, golden):
    lines = plot_voltage(golden, "replays").collections[0].get_segments()
    spike_peak = max(case["v_max"] for case in golden_cases(reference))
    assert len(lines) == 2
    assert max(line[:, 1].max() for line in lines) == pytest.approx(spike_peak)
    (image,) = plot_voltage(golden, "replays", kind="density").images
    assert np.allclose(image.get_array().filled(0).sum(axis=0), 100.0)  # every trial is somewhere at every time


def test_activations_are_releases_per_trial_and_ms(golden):
    (image,) = plot_activations(golden, "replays", bin_size=10.0).images
    trials = golden.scan("trials", run="replays").collect()
    drawn = image.get_array().sum() * 10.0
    assert drawn == pytest.approx(trials["n_releases"].mean(), rel=0.001)  # some come after the last whole bin
    excitatory, inhibitory = (
        plot_activations(golden, "replays", bin_size=10.0, sign=sign).images[0].get_array().sum() * 10.0
        for sign in ("excitatory", "inhibitory")
    )
    assert excitatory + inhibitory == pytest.approx(drawn)


def with_currents():
    """One trial with two currents and the voltage at the soma."""
    t = np.arange(400) * 0.025
    places = {"sites": ["sec_000_seg_000"] * 2, "section_id": [0, 0], "x": [0.5, 0.5], "soma_distance": [0.0, 0.0]}
    frames = by_hand({"voltage": {"soma": -70 + t}, "t_stop": 10.0})
    traces = tables.variable_traces(
        0, variables=["NaTa_t.ina", "SKv3_1.ik"], values=[np.sin(t), 2 + 0 * t], t_start=0.0, dt=0.025, **places
    )
    return {**frames, "variable_traces": pl.DataFrame(traces)}


def test_currents_are_stacked_outward_above_and_inward_below_zero():
    ax = plot_currents(with_currents(), stimulus=None)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    bottoms = [area.get_paths()[0].vertices[:, 1].min() for area in ax.collections]
    assert max(tops) == pytest.approx(3.0, abs=1e-3)  # both outward
    assert min(bottoms) == pytest.approx(-1.0, abs=1e-3)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"SKv3_1", "NaTa_t"}
    assert len(ax.figure.axes) == 2  # the voltage above


def test_the_parts_of_stacked_currents_are_the_currents():
    currents = {"a": np.array([1.0, -2.0, 0.0]), "b": np.array([3.0, -2.0, 0.0])}
    outward, inward = stack(currents)
    assert all(np.array_equal(outward[n] + inward[n], currents[n]) for n in currents)
    outward, inward = stack(currents, normalized=True)
    assert [p.tolist() for p in outward.values()] == [[25, 0, 0], [75, 0, 0]]
    assert [p.tolist() for p in inward.values()] == [[0, -50, 0], [0, -50, 0]]


def test_a_figure_is_half_a_page_wide_and_saved_in_the_format_of_its_name(tmp_path):
    ax = plot_psth(THREE, path=tmp_path / "psth.png", **QUIET)
    with Image.open(tmp_path / "psth.png") as image:
        assert image.width == pytest.approx(HALF_PAGE / 25.4 * 300, abs=2)
    assert ax.figure.get_figwidth() == pytest.approx(HALF_PAGE / 25.4)
    for number in (1, 2):
        plot_psth(THREE, path=tmp_path / f"{number}.svg", theme="dark", **QUIET)
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()
    plot_psth(THREE, path=tmp_path / "psth.pdf", **QUIET)
    assert (tmp_path / "psth.pdf").read_bytes().startswith(b"%PDF")


def test_given_axes_are_drawn_on_and_left_in_their_style():
    figure = Figure(figsize=(3, 3), facecolor="#abcdef")
    ax = figure.subplots()
    assert plot_raster(THREE, ax=ax, **QUIET) is ax
    assert figure.get_facecolor() == pytest.approx((0xAB / 255, 0xCD / 255, 0xEF / 255, 1.0))
    assert ax.spines["top"].get_visible()


def test_drawing_leaves_no_global_state_behind(tmp_path):
    code = (
        "import sys, matplotlib as mpl\n"
        "settings = lambda: {key: mpl.rcParams[key] for key in mpl.rcParams if key != 'backend'}\n"
        "before = settings()\n"
        "from tests.figures.test_figures import THREE, QUIET, plot_psth\n"
        f"plot_psth(THREE, path={str(tmp_path / 'psth.pdf')!r}, **QUIET)\n"
        "assert 'matplotlib.pyplot' not in sys.modules and settings() == before"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_empty_silent_and_single_trials_are_drawn():
    silent = by_hand({})
    assert steps(plot_psth(silent, **QUIET))[0][1].max() == 0
    assert plot_raster(silent, **QUIET).get_ylim() == (0.5, -0.5)
    assert plot_activations(silent, stimulus=None).images[0].get_array().sum() == 0


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda: plot_psth(THREE, theme="pink"), "theme = 'pink' is no theme; expected one of light, dark"),
        (lambda: plot_psth(THREE, path="psth.bmp", **QUIET), r"path = 'psth.bmp' names no figure format"),
        (lambda: plot_psth(THREE, path="no/such/folder.png", **QUIET), "cannot be written"),
        (lambda: plot_raster(THREE, of="cells", trial=7), "trial = 7 is not there"),
        (lambda: plot_voltage(by_hand({"voltage": {"soma": [0.0]}}), kind="film"), "kind = 'film'"),
        (lambda: plot_activations(THREE, celltype="L9"), "celltype = 'L9' has no release"),
        (lambda: plot_currents(THREE), "variable_traces"),
        (lambda: plot_currents(with_currents(), variables=["Ih.ihcn"]), "were not recorded at soma"),
        (lambda: plot_currents(with_currents(), site="apex"), "site = 'apex' was not recorded"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, told):
    with pytest.raises(InputError, match=told):
        draw()
