"""The player in a real browser: what is pressed changes what is seen."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imsave
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from isfray.errors import InputError
from isfray.films.player import player
from isfray.look.interactive import framed

N = 30
TIMES = 220.0 + 0.2 * np.arange(N)


def frames() -> list[bytes]:
    """Pictures whose colour tells their number."""
    out = []
    for k in range(N):
        data = BytesIO()
        colour = np.array([8 * k, 200 - 6 * k, 40], np.uint8)
        imsave(data, np.broadcast_to(colour, (80, 100, 3)), format="png")
        out.append(data.getvalue())
    return out


@pytest.fixture(scope="module")
def html() -> str:
    return player(frames(), TIMES, title="Cell <86> & more", fps=20)


@pytest.fixture
def page(html, browser, tmp_path):
    (tmp_path / "film.html").write_text(html)
    browser.open(tmp_path / "film.html")
    seen(browser, 0)
    return browser


def shown(browser) -> int:
    """The frame in the picture, told by the colour of its pixels."""
    red, green, blue = browser.js(
        "const c = document.querySelector('canvas'), x = c.width / 2, y = c.height / 2;"
        "const probe = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});"
        "probe.drawImage(c, x, y, 1, 1, 0, 0, 1, 1);"
        "return Array.from(probe.getImageData(0, 0, 1, 1).data).slice(0, 3)"
    )
    assert (red % 8, green, blue) == (0, 200 - 6 * (red // 8), 40)
    return red // 8


def seen(browser, k: int) -> None:
    WebDriverWait(browser.driver, 20, poll_frequency=0.02, ignored_exceptions=[AssertionError]).until(
        lambda _: shown(browser) == k, f"frame {k} never seen"
    )


def press(browser, name: str) -> None:
    browser.driver.find_element(By.CSS_SELECTOR, f"button[aria-label='{name}']").click()


def key(browser, *keys: str) -> None:
    ActionChains(browser.driver).send_keys(*keys).perform()


def label(browser) -> str:
    return browser.driver.find_element(By.TAG_NAME, "output").text


def test_buttons_and_keys_show_the_frame_they_name(page):
    assert label(page) == "220.0 ms"
    press(page, "Step forward")
    press(page, "Step forward")
    seen(page, 2)
    assert label(page) == "220.4 ms"
    press(page, "Step back")
    seen(page, 1)
    press(page, "Last frame")
    seen(page, N - 1)
    press(page, "First frame")
    seen(page, 0)
    page.js("document.activeElement.blur()")
    key(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    seen(page, 3)
    key(page, Keys.ARROW_LEFT)
    seen(page, 2)
    key(page, Keys.END)
    seen(page, N - 1)
    key(page, Keys.HOME)
    seen(page, 0)
    assert page.complaints() == []


def test_the_slider_seeks(page):
    slider = page.driver.find_element(By.CSS_SELECTOR, "input[type=range]")
    page.js("arguments[0].value = 17; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))", slider)
    seen(page, 17)
    assert label(page) == slider.get_attribute("aria-valuetext") == "223.4 ms"
    slider.send_keys(Keys.ARROW_RIGHT)
    seen(page, 18)


def test_it_plays_forward_and_back_and_stops_where_told(page):
    Select(page.driver.find_element(By.CSS_SELECTOR, "[data-part=mode]")).select_by_value("once")
    Select(page.driver.find_element(By.CSS_SELECTOR, "[data-part=speed]")).select_by_value("4")
    press(page, "Play")
    seen(page, N - 1)
    WebDriverWait(page.driver, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "button[aria-label=Play]"))
    press(page, "Play backward")
    seen(page, 0)
    assert page.complaints() == []


def test_pause_holds_the_frame(page):
    key(page, " ")
    WebDriverWait(page.driver, 20, poll_frequency=0.02).until(lambda _: shown(page) >= 3)
    key(page, " ")
    still = page.js("return document.querySelector('input[type=range]').valueAsNumber")
    seen(page, still)
    later = page.driver.execute_async_script("setTimeout(() => arguments[0](0), 400)")
    assert later == 0
    assert shown(page) == still


def test_at_the_end_it_starts_again_or_turns_back(page):
    order = "const seen = []; const c = document.querySelector('canvas'); new MutationObserver(() => {"
    order += "seen.push(Number(c.dataset.frame))}).observe(c, {attributeFilter: ['data-frame']}); window.seen = seen"
    page.js(order)
    Select(page.driver.find_element(By.CSS_SELECTOR, "[data-part=speed]")).select_by_value("0.5")
    for mode, begins in (("loop", True), ("reflect", False)):
        Select(page.driver.find_element(By.CSS_SELECTOR, "[data-part=mode]")).select_by_value(mode)
        press(page, "Last frame")
        press(page, "Step back")
        seen(page, N - 2)
        page.js("window.seen.length = 0")
        press(page, "Play")
        WebDriverWait(page.driver, 20).until(lambda _: len(set(page.js("return window.seen"))) >= 3)
        press(page, "Pause")
        after = [k for k in page.js("return window.seen") if k != N - 1]
        assert (after[0] < N // 2) == begins


def test_the_time_it_takes_is_told_truly(page):
    assert "1 s shows 4 ms, 250 times slowed" in page.driver.page_source  # 20 frames of 0.2 ms a second
    key(page, "-")
    assert "1 s shows 2 ms, 500 times slowed" in page.driver.page_source


def test_everything_that_is_pressed_has_a_name_and_shows_focus(page):
    controls = page.driver.find_elements(By.CSS_SELECTOR, "button, input, select")
    assert len(controls) == 9
    assert all(control.accessible_name for control in controls)
    key(page, Keys.TAB, Keys.TAB)
    assert page.js("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("dark", [False, True])
def test_two_players_in_a_notebook_run_apart_in_their_sandboxes(html, browser, tmp_path, dark):
    frame = framed(html)
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><link rel=icon href='data:,'><title>n</title><body>{frame}{frame}</body>")
    browser.open(notebook, width=390, dark=dark)
    found = browser.driver.find_elements(By.TAG_NAME, "iframe")
    for k, one in enumerate(found):
        browser.driver.switch_to.frame(one)
        seen(browser, 0)
        for _ in range(k + 1):
            press(browser, "Step forward")
        seen(browser, k + 1)
        assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
        paper = browser.js("return getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")
        browser.driver.switch_to.default_content()
    browser.driver.switch_to.frame(found[0])
    assert shown(browser) == 1
    browser.driver.switch_to.default_content()
    assert browser.complaints() == []


def test_the_browser_itself_forbids_the_page_every_request(page):
    page.driver.set_script_timeout(20)
    ask = "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), (e) => done(e.message))"
    assert page.driver.execute_async_script(ask) == "Failed to fetch"
    assert any("Content Security Policy" in complaint for complaint in page.complaints())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"frames": []}, "frames"),
        ({"times": TIMES[:-1]}, "times"),
        ({"times": TIMES[::-1]}, "times"),
        ({"fps": 0.0}, "fps"),
        ({"mime": "video/mp4"}, "mime"),
        ({"frames": [b"no picture"] * N}, "mime"),
    ],
)
def test_what_makes_no_film_is_refused(change, named):
    given = {"frames": frames(), "times": TIMES, "title": "film", "fps": 20.0, **change}
    with pytest.raises(InputError, match=f"^{named} = "):
        player(**given)
