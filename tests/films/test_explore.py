"""The cell in space in a real browser: where sections are, what colour they have, what a click tells."""

from __future__ import annotations

import math
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

import isfray
from isfray.errors import InputError
from isfray.films.capsules import capsules
from isfray.films.explore import explore
from isfray.films.scene3d import THICKNESS
from isfray.look.colours import colour_map
from isfray.look.interactive import framed
from isfray.look.segments import SegmentTraces
from isfray.look.style import CELLTYPES, THEMES
from isfray.look.upright import upright_3d

TIMES = 240.0 + 0.5 * np.arange(40)
LOW, HIGH = -80.0, 20.0
RELEASED = 245.25  # between two frames
WIDTH, HEIGHT = 1000, 800


@pytest.fixture(scope="module")
def cell():
    return isfray.example()[0]


@pytest.fixture(scope="module")
def traces(cell):
    """Frame 0 at rest; then every section has a voltage of its own, the same in all of its segments and frames."""
    own = np.linspace(LOW, HIGH, len(cell.morphology))[cell.geometry.section_of_segment]
    values = np.tile(own, (len(TIMES), 1))
    values[0] = LOW
    return SegmentTraces(TIMES, values.astype(np.float32))


@pytest.fixture(scope="module")
def lonely(cell):
    """Sections whose middle no other section comes near to in the picture, in a way that a click cannot miss."""
    shape = capsules(cell)
    seen = shape.ends.mean(axis=1)[:, [0, 2]]
    found = {}
    for i, section in enumerate(cell.morphology):
        points = upright_3d(cell.geometry)[i]
        middle = points[len(points) // 2]
        others = seen[shape.section != i]
        if i and section.label != "Myelin" and np.hypot(*(others - middle[[0, 2]]).T).min() > 25:
            found.setdefault(section.label, []).append((i, middle))
    return found


def releases(place: tuple[int, int]) -> pl.DataFrame:
    rows = {"section_id": [place[0]], "section_pt_id": [place[1]], "celltype": ["VPM"], "times": [[100.0, RELEASED]]}
    return pl.DataFrame(rows)


class View:
    """Where things are on the page, worked out here, from the page's size and what was done to it."""

    def __init__(self, browser, cell):
        self.browser = browser
        box = browser.js(
            "const b = arguments[0].getBoundingClientRect(); return [b.left, b.top, b.width, b.height]", self.canvas
        )
        self.corner, self.size = np.array(box[:2]), np.array(box[2:])
        shape = capsules(cell)
        wide = (np.where(shape.section == 0, 1.0, THICKNESS)[:, None] * shape.radius)[..., None]
        low = (shape.ends[..., [0, 2]] - wide).min(axis=(0, 1))
        high = (shape.ends[..., [0, 2]] + wide).max(axis=(0, 1))
        self.scale = 0.94 * (self.size / (high - low)).min()
        self.middle = np.insert((low + high) / 2, 1, 0.0)
        self.azimuth = 0.0

    @property
    def canvas(self):
        return self.browser.driver.find_element(By.CSS_SELECTOR, "canvas.cell")

    def at(self, point):
        """Pixels right of and below the canvas's centre."""
        across, away, up = np.asarray(point) - self.middle
        a = self.azimuth
        return self.scale * np.array([across * math.cos(a) + away * math.sin(a), -up])

    def click(self, point) -> None:
        x, y = self.at(point)
        ActionChains(self.browser.driver).move_to_element_with_offset(self.canvas, round(x), round(y)).click().perform()

    def magnify(self, point) -> None:
        """Zoom in on a point by the wheel; what is under the pointer stays there."""
        pointer = np.round(self.at(point))
        origin = ScrollOrigin.from_element(self.canvas, *map(int, pointer))
        ActionChains(self.browser.driver).scroll_from_origin(origin, 0, -1200).perform()
        before, self.scale = self.scale, self.scale * math.exp(1200 * 0.0015)
        self.middle[[0, 2]] += np.array([1, -1]) * pointer * (1 / before - 1 / self.scale)
        until(
            self.browser, lambda: math.isclose(float(self.canvas.get_attribute("data-scale")), self.scale, rel_tol=1e-3)
        )

    def around(self, point):
        """Pixels within 4 of the place: a pointer keeps to whole pixels, a magnified view does not."""
        x, y = np.round(self.corner + self.size / 2 + self.at(point)).astype(int)
        return pixels(self.browser)[y - 4 : y + 5, x - 4 : x + 5]

    def colour(self, point):
        x, y = self.corner + self.size / 2 + self.at(point)
        return pixels(self.browser)[round(y), round(x)]


def pixels(browser):
    return np.round(imread(BytesIO(browser.driver.get_screenshot_as_png()))[..., :3] * 255).astype(int)


def until(browser, fine) -> None:
    WebDriverWait(browser.driver, 20, poll_frequency=0.05).until(lambda _: fine())


def seek(browser, frame: int) -> None:
    slider = browser.driver.find_element(By.CSS_SELECTOR, "input[type=range]")
    browser.js("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", slider, frame)
    drawn(browser, "frame", frame)


def drawn(browser, what: str, value: int) -> None:
    until(
        browser,
        lambda: browser.js("return document.querySelector('canvas.cell').dataset[arguments[0]]", what) == str(value),
    )


@pytest.fixture(scope="module")
def html(cell, traces, lonely, tmp_path_factory):
    section, _ = lonely["ApicalDendrite"][0]
    place = section, len(cell.morphology.sections[section].points) // 2
    path = tmp_path_factory.mktemp("explore") / "cell.html"
    return explore(cell, traces, releases(place), title="Cell <1> & more", path=path, stimulus=245.0)


@pytest.fixture
def page(html, browser, cell):
    browser.open(html, WIDTH, HEIGHT)
    drawn(browser, "frame", 0)
    return View(browser, cell)


def told(browser) -> str:
    return browser.driver.find_element(By.CSS_SELECTOR, "[data-part=place]").text


def plotted(browser) -> float:
    """The voltage at which the plot has its coloured line, from its axis."""
    box = browser.js(
        "const b = document.querySelector('.plot').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]"
    )
    left, top, width, height = box
    accent = np.round(np.array(to_rgb(THEMES["light"].series[0])) * 255)
    strip = pixels(browser)[round(top) : round(top + height), round(left + width * 0.6)]
    rows = np.flatnonzero(np.abs(strip - accent).sum(axis=1) < 60)
    assert len(rows), "no line"
    pad = 0.05 * (HIGH - LOW)
    return float(HIGH + pad - (rows.mean() + 0.5 - 8) / (height - 8 - 34) * (HIGH - LOW + 2 * pad))


def test_a_click_on_a_section_shows_its_trace_and_names_it(page, cell, lonely):
    sections = [lonely["Dendrite"][0], lonely["ApicalDendrite"][0], lonely["ApicalDendrite"][-1]]
    for i, point in sections:
        page.click(point)
        until(page.browser, lambda i=i: told(page.browser).startswith(cell.morphology.sections[i].name + ","))
        segment = int(page.canvas.get_attribute("data-segment"))
        assert cell.geometry.section_of_segment[segment] == i
        assert (
            f"{cell.geometry.surface_start[i] + cell.geometry.segment_x[segment] * cell.geometry.L[i]:.1f} µm"
            in told(page.browser)
        )
        voltage = np.linspace(LOW, HIGH, len(cell.morphology))[i]
        until(page.browser, lambda v=voltage: abs(plotted(page.browser) - v) < 1.5)
    assert page.browser.complaints() == []


def test_turned_by_dragging_a_section_is_where_the_camera_puts_it(page, cell, lonely):
    ActionChains(page.browser.driver).drag_and_drop_by_offset(page.canvas, 40, 0).perform()
    page.azimuth = -40 * 0.008
    until(page.browser, lambda: math.isclose(float(page.canvas.get_attribute("data-azimuth")), page.azimuth))
    i, point = max(lonely["ApicalDendrite"], key=lambda entry: abs(entry[1][1]))  # far in front of or behind the soma
    page.click(point)
    until(page.browser, lambda: told(page.browser).startswith(cell.morphology.sections[i].name + ","))
    page.browser.driver.find_element(By.CSS_SELECTOR, "[data-part=reset]").click()
    until(page.browser, lambda: page.canvas.get_attribute("data-azimuth") == "0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_those_of_the_map_at_known_voltages(html, browser, cell, traces, lonely, theme):
    table = colour_map(None, THEMES[theme])
    for i, point in (lonely["Dendrite"][0], lonely["ApicalDendrite"][-1]):
        browser.open(html, WIDTH, HEIGHT, dark=theme == "dark")
        drawn(browser, "frame", 0)
        view = View(browser, cell)
        view.magnify(point)
        browser.driver.find_element(By.CSS_SELECTOR, "[data-part=none]").click()  # no marker in the way
        for frame in (0, 1):
            seek(browser, frame)
            voltage = traces.values[frame, cell.geometry.offsets[i]]
            wanted = table[round((voltage - LOW) / (HIGH - LOW) * 255)]
            assert np.abs(view.around(point) - wanted).max(axis=-1).min() <= 3, (i, frame)
    limits = [
        browser.driver.find_element(By.CSS_SELECTOR, f"[data-part={end}]").get_attribute("value")
        for end in ("low", "high")
    ]
    assert [float(value) for value in limits] == [LOW, HIGH]


def test_a_release_flashes_from_its_time_for_the_chosen_time_and_never_before(page, lonely):
    _, point = lonely["ApicalDendrite"][0]
    marker = np.round(np.array(to_rgb(CELLTYPES["VPM"])) * 255)
    select = page.browser.driver.find_element(By.CSS_SELECTOR, "[data-part=shown]")

    def seen() -> list[float]:
        out = []
        for frame in (10, 11, 14, 15, 20, 21):
            seek(page.browser, frame)
            count = int(page.canvas.get_attribute("data-releases"))
            assert count == (np.abs(page.colour(point) - marker).max() <= 3)
            out += [TIMES[frame]] * count
        return out

    assert seen() == [245.5, 247.0]
    Select(select).select_by_value("5")
    assert seen() == [245.5, 247.0, 247.5, 250.0]
    page.browser.driver.find_element(By.CSS_SELECTOR, "[data-part=populations] input").click()
    assert seen() == []


def test_it_plays_and_is_asked_in_a_sandboxed_frame_too(html, browser, cell, lonely, tmp_path):
    notebook = tmp_path / "notebook.html"
    frame = framed(html.read_text())
    notebook.write_text(f"<!doctype html><link rel=icon href='data:,'><title>n</title><body>{frame}</body>")
    browser.open(notebook, WIDTH, HEIGHT)
    browser.driver.switch_to.frame(0)
    drawn(browser, "frame", 0)
    view = View(browser, cell)
    i, point = lonely["ApicalDendrite"][0]
    view.click(point)
    until(browser, lambda: told(browser).startswith(cell.morphology.sections[i].name + ","))
    browser.driver.find_element(By.CSS_SELECTOR, "button[aria-label=Play]").click()
    until(browser, lambda: int(view.canvas.get_attribute("data-frame")) >= 3)
    browser.driver.switch_to.default_content()
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window(html, browser, width):
    browser.open(html, width, HEIGHT)
    drawn(browser, "frame", 0)
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
    controls = browser.driver.find_elements(By.CSS_SELECTOR, "button, input, select")
    assert all(control.accessible_name for control in controls)
    assert browser.complaints() == []


def test_the_reference_cell_fits_in_two_megabytes(reference, tmp_path):
    cell = isfray.load_cell(reference / "model" / "86_C2_center.param")
    n = cell.geometry.n_segments
    values = np.random.default_rng(1).uniform(LOW, HIGH, (250, n)).astype(np.float32)
    values[:, 5] = np.nan  # a segment without the variable
    path = explore(cell, SegmentTraces(np.arange(250) * 0.2, values), None, title="c", path=tmp_path / "c.html")
    assert path.stat().st_size < 2e6


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"path": "cell.png"}, "path"),
        ({"path": "nowhere/cell.html"}, "path"),
        ({"traces": SegmentTraces(TIMES, np.zeros((len(TIMES), 3), np.float32))}, "traces"),
        ({"traces": SegmentTraces(TIMES[:0], np.zeros((0, 554), np.float32))}, "traces"),
        ({"traces": SegmentTraces(TIMES, np.full((len(TIMES), 554), np.nan, np.float32), "ica")}, "traces"),
    ],
)
def test_what_cannot_be_shown_is_refused(cell, traces, tmp_path, change, named):
    given = {"cell": cell, "traces": traces, "releases": None, "title": "cell", "path": "cell.html", **change}
    given["path"] = tmp_path / given["path"]
    with pytest.raises(InputError, match=f"^{named} = "):
        explore(**given)
