"""What a frame shows, pixel by pixel, and what is written of it."""

from __future__ import annotations

from pathlib import Path

import imageio.v2 as imageio
import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.collections import LineCollection
from PIL import Image

import isfray
from isfray.errors import InputError
from isfray.films.camera import Camera, fitted
from isfray.films.capsules import capsules
from isfray.films.film import Film, kind_of, write_whole
from isfray.films.flashes import check_groups, flashes
from isfray.films.pixels import rasterise
from isfray.films.scene2d import scene_2d
from isfray.films.scene3d import scene_3d
from isfray.look.canvas import blank, drawn, look, points, rgb
from isfray.look.segments import SegmentTraces, SomaTrace
from isfray.look.style import CELLTYPES, SIGNS
from tests.model.small_cell import write

PAPER = look("paper")
TIMES = np.arange(10.0, 20.0, 0.5)


@pytest.fixture
def cell(tmp_path):
    return isfray.load_cell(write(tmp_path))


@pytest.fixture
def network(write_network, small_network):
    return isfray.load_network(write_network(small_network))


def known(cell, low: float = -80.0, high: float = 20.0) -> SegmentTraces:
    """Every segment at a voltage of its own."""
    n = cell.geometry.n_segments
    order = np.random.default_rng(5).permutation(n)
    values = low + (high - low) * order / (n - 1)
    return SegmentTraces(TIMES, np.tile(values.astype(np.float32), (len(TIMES), 1)))


def releases(*rows: tuple[str, int, int, float, list[float]]) -> pl.DataFrame:
    names = ["synapse_type", "section_id", "section_pt_id", "soma_distance", "times"]
    frame = pl.DataFrame(list(rows), schema=names, orient="row")
    return frame.with_columns(celltype=pl.col("synapse_type").str.replace("_C2", ""), column=pl.lit("C2"))


def shown(cell, network, rows: pl.DataFrame | None, by: str = "celltype", duration: float = 2.0):
    window = (float(TIMES[0]), float(TIMES[-1]))
    return flashes(rows, cell.geometry, network, window, by=by, duration=duration, theme=PAPER.theme)


def test_every_segment_has_the_colour_of_its_voltage(cell, network):
    traces = known(cell)
    aside = {"azimuth": 30.0, "elevation": 25.0}  # where no branch hides another's tip
    scene = scene_3d(cell, traces, shown(cell, network, None), PAPER, cmap="viridis", thickness=4.0, **aside)
    picture = scene.frame(0, traces)
    whole = capsules(cell)
    of_tip = {int(section): i for i, section in enumerate(whole.section)}  # the last piece of every section
    norm = mpl.colors.Normalize(-80, 20)
    checked = 0
    for section, piece in of_tip.items():
        if cell.morphology.children[section]:
            continue
        x, y = scene.camera.see(whole.ends[piece].mean(axis=0))[0]
        voltage = traces.values[0, whole.segment[piece]]
        expected = 255 * np.array(mpl.colormaps["viridis"](norm(voltage))[:3])
        assert np.abs(picture[int(y), int(x)] - expected).max() <= 4, section
        checked += 1
    assert checked >= 5


def test_limits_are_the_extremes_of_what_is_seen_or_those_given(cell, network):
    traces = known(cell, -75.5, 12.25)
    scene = scene_3d(cell, traces, shown(cell, network, None), PAPER)
    assert (scene.scale.low, scene.scale.high) == pytest.approx((-75.5, 12.25))
    given = scene_3d(cell, traces, shown(cell, network, None), PAPER, limits=(-90.0, 50.0)).scale
    first, last = given(np.array([-1000.0, 1000.0], np.float32))
    assert np.array_equal(first, given.table[0])
    assert np.array_equal(last, given.table[255])
    assert np.array_equal(given(np.array([np.nan], np.float32))[0], rgb(PAPER.theme.shade))


@pytest.mark.parametrize(("azimuth", "elevation"), [(0.0, 0.0), (35.0, 20.0)])
def test_the_shape_is_the_one_matplotlib_draws(cell, azimuth, elevation):
    shape = capsules(cell)
    camera = fitted(shape, (20, 20, 980, 780), azimuth=azimuth, elevation=elevation)
    table = rasterise(shape.pieces(2 / camera.scale), camera, PAPER.size, thinnest=3.0)
    ours = np.full((800, 1000, 3), 255, np.uint8)
    table.paint(ours, np.zeros((cell.geometry.n_segments, 3), np.float32))
    figure = blank(PAPER)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 1000), ylim=(800, 0))
    ax.axis("off")
    wide = [points(max(2 * r * camera.scale, 3.0)) for r in shape.radius.mean(axis=1)]
    ax.add_collection(LineCollection(camera.see(shape.ends)[0], linewidths=wide, colors="k", capstyle="round"))
    theirs = drawn(figure)
    ink = (255.0 - ours).sum()
    assert np.abs(ours.astype(float) - theirs).sum() < 0.06 * ink
    assert ink == pytest.approx((255.0 - theirs).sum(), rel=0.03)


def test_a_camera_turns_the_cell_about_its_upright_axis_and_keeps_it_in_view(cell):
    shape = capsules(cell)
    camera = fitted(shape, (100, 50, 500, 750), azimuth=10, elevation=15, turn=360)
    for turn in range(0, 360, 30):
        seen, _ = camera.turned(turn).see(shape.ends)
        assert seen[..., 0].min() >= 100
        assert seen[..., 0].max() <= 500
        assert seen[..., 1].min() >= 50
        assert seen[..., 1].max() <= 750
    level = Camera(0, 0, 2.0, (0, 0))
    right, near = level.see(np.array([[1.0, 0, 0]])), level.turned(90).see(np.array([[1.0, 0, 0]]))
    assert right[0].ravel() == pytest.approx([2, 0])
    assert near[0].ravel() == pytest.approx([0, 0])
    assert near[1] == pytest.approx([-1])


def test_a_release_appears_in_the_frame_of_its_time_and_nowhere_else(cell, network):
    traces = known(cell)
    rows = releases(("VPM_C2", 2, 1, 100.0, [12.5, 16.0]))
    scene = scene_3d(cell, traces, shown(cell, network, rows), PAPER)
    without = scene_3d(cell, traces, shown(cell, network, rows.clear()), PAPER)
    place = scene.flashes.place[0]
    assert place == pytest.approx(capsules(cell).ends[capsules(cell).section == 2][-1, 1])
    x, y = scene.camera.see(place)[0]
    seen = []
    for number, time in enumerate(TIMES):
        one, other = scene.frame(number, traces), without.frame(number, traces)
        changed = np.argwhere((one != other)[:, :520].any(axis=2))
        if len(changed):
            assert np.abs(changed - (y, x)).max() < 8
            seen.append(float(time))
        if time in (12.5, 16.0):
            assert np.array_equal(one[int(y), int(x)], rgb(CELLTYPES["VPM"]).astype(np.uint8))
    assert seen == [12.5, 13.0, 13.5, 14.0, 16.0, 16.5, 17.0, 17.5]


def test_releases_are_ticks_at_their_distance_in_the_lane_of_their_sign(cell, network):
    traces = known(cell)
    rows = releases(("VPM_C2", 2, 1, 100.0, [12.5]), ("INH", 4, 1, 300.0, [12.5]))
    scene = scene_2d(cell, traces, shown(cell, network, rows, by="sign"), PAPER)
    at = {name: i for i, name in enumerate(scene.flashes.names)}
    before, then = scene.frame(4, traces), scene.frame(5, traces)
    for sign, distance in (("excitatory", 100.0), ("inhibitory", 300.0)):
        left, top, right, bottom = (round(v) for v in scene.lanes[at[sign]])
        changed = np.flatnonzero((before != then)[top + 2 : bottom - 2, left:right].any(axis=(0, 2))) + left
        middle = scene.across[0] + scene.across[1] * distance
        assert abs(changed.mean() + 0.5 - middle) < 0.6
        tick = then[(top + bottom) // 2, int(middle)].astype(float)
        assert np.linalg.norm(tick - rgb(SIGNS[sign])) < 0.5 * np.linalg.norm(255 - rgb(SIGNS[sign]))


def test_lines_are_those_matplotlib_draws(cell, network):
    g = cell.geometry
    values = (-70.0 + 60.0 * np.sin(g.segment_distance / 60.0)).astype(np.float32)
    traces = SegmentTraces(TIMES, np.tile(values, (len(TIMES), 1)))
    scene = scene_2d(cell, traces, shown(cell, network, None), PAPER, limits=(-140.0, 0.0))
    ours = np.full((800, 1000, 3), 255, np.uint8)
    for branch, _ in scene.lines:
        branch.paint(ours, values, scene.rows, scene.room, np.zeros(3, np.float32), 2.0)
    figure = blank(PAPER)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 1000), ylim=(800, 0))
    ax.axis("off")
    lines = []
    for i, section in enumerate(cell.morphology):
        if i and section.label != "Myelin":
            parent = section.parent
            within = g.segment_index(parent, section.parent_x)
            first = 0.0 if parent == 0 else g.surface_start[parent] + (within + 0.5) / g.nseg[parent] * g.L[parent]
            own = slice(g.offsets[i], g.offsets[i + 1])
            x = np.r_[first, g.surface_start[i] + g.segment_x[own] * g.L[i]]
            y = np.r_[values[g.offsets[parent] + within], values[own]]
            column, row = scene.across[0] + scene.across[1] * x, scene.rows[0] + scene.rows[1] * y
            lines.append(np.column_stack([column, row]))
    ax.add_collection(LineCollection(lines, linewidths=points(2.0), colors="k"))
    theirs = drawn(figure)
    ink = (255.0 - theirs).sum()
    assert np.abs(ours.astype(float) - theirs).sum() < 0.2 * ink
    assert (255.0 - ours).sum() == pytest.approx(ink, rel=0.05)


def test_the_strip_shows_what_has_been_in_ink_and_the_soma_where_it_is(cell, network):
    time = np.arange(10, 20, 0.025)
    soma = SomaTrace(time, -70 + 5 * np.sin(time))
    traces = known(cell)
    scene = scene_3d(cell, traces, shown(cell, network, None), PAPER, soma=soma, stimulus=15.0)
    begin, end = scene.frame(0, traces), scene.frame(len(TIMES) - 1, traces)
    strip = scene.strip
    column = round(strip.line[0] + strip.line[1] * 12.0)
    row = strip.line[2] + strip.line[3] * (-70 + 5 * np.sin(12.0))
    rows = slice(int(row) - 4, int(row) + 5)
    assert end[rows, column].min() < 60
    assert 100 < begin[rows, column].min() < 220
    x, y = strip.line[0] + strip.line[1] * 10.0, strip.line[2] + strip.line[3] * (-70 + 5 * np.sin(10.0))
    assert np.array_equal(begin[int(y), int(x)], rgb(PAPER.theme.ink).astype(np.uint8))


@pytest.mark.parametrize("preset", ["paper", "talk", "square"])
def test_frames_have_the_size_of_the_preset_and_one_frame_does_not_touch_another(cell, network, preset):
    how, traces = look(preset), known(cell)
    for scene in (
        scene_3d(cell, traces, shown(cell, network, None), how, turn=3.0),
        scene_2d(cell, traces, shown(cell, network, None), how),
    ):
        first = scene.frame(3, traces)
        scene.frame(7, traces)
        assert first.shape == (how.size[1], how.size[0], 3)
        assert np.array_equal(first, scene.frame(3, traces))


def moving(n: int = 12) -> list[np.ndarray]:
    """A dark square that goes to the right, 20 pixels a frame."""
    frames = []
    for i in range(n):
        frame = np.full((200, 320, 3), 255, np.uint8)
        frame[80:120, 20 * i : 20 * i + 20] = (0, 60, 160)
        frames.append(frame)
    return frames


def written(path: Path, fps: float) -> Film:
    kind, frames = kind_of(path, fps), moving()
    packed = iter([kind.pack(f) if kind.pack else f for f in frames])
    times = np.arange(len(frames)) * 0.2
    write_whole(path, lambda part: kind.write(part, packed, times.tolist(), fps, "a film"))
    return Film(path, tuple(times), fps, (320, 200))


@pytest.mark.parametrize("fps", [20.0, 24.0])
def test_an_mp4_has_its_frames_its_duration_and_what_browsers_play(tmp_path, fps):
    film = written(tmp_path / "film.mp4", fps)
    with imageio.get_reader(film.path) as reader:
        about = reader.get_meta_data()
        read = list(reader.iter_data())
    assert about["duration"] == pytest.approx(film.duration, abs=0.01)
    assert (about["fps"], about["size"], about["codec"]) == (fps, (320, 200), "h264")
    assert about["pix_fmt"].startswith("yuv420p")
    assert len(read) == 12
    for i, frame in enumerate(read):
        dark = np.argwhere(frame[..., 0] < 128)[:, 1]
        assert dark.mean() == pytest.approx(20 * i + 9.5, abs=1)
    assert list(tmp_path.iterdir()) == [film.path]
    assert str(film).endswith(
        f"12 frames of 320 x 200, {12 / fps:g} s, 1 s shows {0.2 * fps:.3g} ms (250 times slower)"
    ) == (fps == 20)


def test_a_gif_keeps_time_though_it_counts_in_hundredths(tmp_path):
    film = written(tmp_path / "film.gif", 30.0)
    with Image.open(film.path) as gif:
        durations, pictures = [], []
        for i in range(gif.n_frames):
            gif.seek(i)
            durations.append(gif.info["duration"])
            pictures.append(np.asarray(gif.convert("RGB")))
    assert sum(durations) == 400
    assert set(durations) == {30, 40}
    for i, picture in enumerate(pictures):
        assert np.abs(picture.astype(int) - moving()[i]).max() <= 8


def test_pictures_are_numbered_and_an_older_film_does_not_shine_through(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for i in range(40):
        (folder / f"{i:05d}.png").write_bytes(b"old")
    film = written(folder, 20.0)
    assert sorted(p.name for p in folder.iterdir()) == [f"{i:05d}.png" for i in range(12)]
    assert np.array_equal(imageio.imread(folder / "00007.png"), moving()[7])
    assert "<img" in film._repr_html_()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other things"):
        kind_of(folder, 20.0)


def test_a_film_that_fails_half_way_leaves_what_was_there(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"before")

    def frames():
        yield from moving(3)
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        write_whole(path, lambda part: kind_of(path, 20).write(part, frames(), range(9), 20.0, ""))
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_is_a_film_of_its_own(tmp_path):
    film = written(tmp_path / "film.html", 20.0)
    page = film.path.read_text()
    assert "http" not in page.split("<script")[0].replace("http-equiv", "")
    assert "iframe" in film._repr_html_()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: kind_of("film.avi", 20), "path = 'film.avi' is no film; expected a name that ends with .mp4, .gif"),
        (lambda: kind_of("film.gif", 60), "fps = 60 is too fast for a .gif; expected at most 50"),
        (lambda: kind_of("no/such/film.mp4", 20), "path = 'no/such/film.mp4' cannot be written"),
        (lambda: check_groups(None, "moon", None), "by = 'moon' is no grouping of synapses"),
    ],
)
def test_what_cannot_be_filmed_is_refused(wrong, told):
    with pytest.raises(InputError, match=told):
        wrong()


def test_groups_and_colours_are_those_of_the_network(cell, network):
    with pytest.raises(InputError, match="colours = 'L9' is no celltype of the network; expected one of INH, VPM"):
        check_groups(network, "celltype", {"L9": "red"})
    with pytest.raises(InputError, match=r"colours\.VPM = 'rouge' is no colour"):
        check_groups(network, "celltype", {"VPM": "rouge"})
    rows = releases(("VPM_C2", 2, 1, 100.0, [12.5]), ("INH", 4, 1, 300.0, [12.5]))
    window = (10.0, 20.0)
    only = flashes(rows, cell.geometry, network, window, colours={"VPM": "#ff0000"}, theme=PAPER.theme)
    assert (only.names, only.colours, len(only.time)) == (("VPM",), ("#ff0000",), 1)
