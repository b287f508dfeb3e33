"""One visit to a page: when its points are seen, and how often it draws while it is moved."""

from __future__ import annotations

import base64
import io
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

WIDTH, HEIGHT = 1280, 900
# What every page shows points in.
LEFT, TOP, RIGHT, BOTTOM = 100, 200, 700, 800
# The share of its pixels that have a colour once points are drawn.
SEEN = 0.02
COLORED = 40
# How long the pointer moves the map.
SECONDS = 6
ARGUMENTS = (
    *("headless=new", "no-sandbox", "disable-dev-shm-usage", f"window-size={WIDTH},{HEIGHT}"),
    *("use-angle=swiftshader", "enable-unsafe-swiftshader"),
    *("enable-unsafe-webgpu", "use-webgpu-adapter=swiftshader"),
)
COUNT_FRAMES = """
window.frames_ = 0; window.counting_ = true;
(function tick() { if (window.counting_) { window.frames_ += 1; requestAnimationFrame(tick); } })();
"""


@dataclass
class Visit:
    """What was measured: seconds, frames a second, and whether the map moved with the pointer."""

    shown: float
    idle: float
    dragged: float
    has_moved: bool


def browser(wait: float) -> webdriver.Chrome:
    """A Chromium of the size that all pages have."""
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ARGUMENTS:
        options.add_argument(f"--{argument}")
    options.page_load_strategy = "none"
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    driver.set_script_timeout(wait)
    driver.command_executor.client_config.timeout = wait
    return driver


def pixels(driver: webdriver.Chrome) -> npt.NDArray[Any]:
    """What is seen where the points are."""
    from PIL import Image

    clip = {"x": LEFT, "y": TOP, "width": RIGHT - LEFT, "height": BOTTOM - TOP, "scale": 1}
    answer = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["data"]))).convert("RGB")).astype(int)


def visit(address: str, wait: float) -> tuple[Visit, npt.NDArray[Any]]:
    """Open a page, wait for its points, drag it; also returns what was seen before that."""
    driver = browser(wait)
    try:
        driver.get("about:blank")
        started = time.perf_counter()
        driver.get(address)
        while True:
            seen = np.zeros((1, 1, 3), int)
            # A picture that is asked for while the page changes never comes.
            with suppress(WebDriverException):
                if driver.current_url == address:
                    seen = pixels(driver)
            shown = time.perf_counter() - started
            if (np.ptp(seen, axis=2) > COLORED).mean() > SEEN:
                break
            if shown > wait:
                raise TimeoutError(f"{address} shows no points after {wait:.0f} s")
            time.sleep(0.05)
        idle = frames(driver, lambda now: time.sleep(0.1))
        # Pages show the map in other places: where points are is in it.
        y, x = np.median(np.argwhere(np.ptp(seen, axis=2) > COLORED), axis=0) + np.array((TOP, LEFT))
        mouse(driver, "mousePressed", x, y)
        dragged = frames(
            driver,
            lambda now: mouse(driver, "mouseMoved", x + 120 * np.sin(3 * now), y + 120 * np.cos(3 * now)),
        )
        has_moved = bool((np.abs(pixels(driver) - seen).max(axis=2) > COLORED).mean() > SEEN)
        mouse(driver, "mouseReleased", x, y)
        return Visit(shown, idle, dragged, has_moved), seen
    finally:
        driver.quit()


def frames(driver: webdriver.Chrome, meanwhile: Any) -> float:
    """Frames a second that the page was given while ``meanwhile`` is called again and again."""
    driver.execute_script(COUNT_FRAMES)
    before = time.perf_counter()
    while (now := time.perf_counter() - before) < SECONDS:
        meanwhile(now)
    count = driver.execute_script("window.counting_ = false; return window.frames_")
    return float(count / (time.perf_counter() - before))


def mouse(driver: webdriver.Chrome, kind: str, x: float, y: float) -> None:
    """An event of the left button."""
    event = {"type": kind, "button": "left", "buttons": 1, "clickCount": 1, "x": float(x), "y": float(y)}
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)
