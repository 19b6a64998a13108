"""A real browser without a screen: Debian's Chromium, driven through WebDriver."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PROGRAM = os.environ.get("ISFRAY_CHROMIUM") or shutil.which("chromium") or ""
DRIVER = shutil.which("chromedriver") or ""
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
)


class Browser:
    """One page at a time, and what the browser said about it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, width: int = 1000, height: int = 800, dark: bool = False) -> None:
        """Load a page in a window of this size."""
        self.driver.get("about:blank")
        self._log()
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.url = page.resolve().as_uri()
        self.driver.get(self.url)

    def js(self, code: str, *given: Any) -> Any:
        """Return what a piece of script returns."""
        return self.driver.execute_script(code, *given)

    def complaints(self) -> list[str]:
        """Everything that is wrong since the page was opened: console messages, and requests beyond the page itself."""
        requests, console = self._log()
        outside = [url for url in requests if url != self.url and not url.startswith(("data:", "blob:", "about:"))]
        timed = self.js("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        return console + [f"requested {url}" for url in (*outside, *timed) if not url.startswith(("data:", "blob:"))]

    def _log(self) -> tuple[list[str], list[str]]:
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return sent, [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = PROGRAM
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
