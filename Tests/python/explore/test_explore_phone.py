"""The page on a phone, and on paper, in headless Chromium."""

import io

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tsimcne_swift import explore

N = 60
LONELY = 0


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "map.html"
    kinds = np.arange(N) % 3
    Y = 10 * np.eye(3)[kinds][:, :2] + np.random.default_rng(0).standard_normal((N, 2))
    # No other image lies where this one is.
    Y[LONELY] = 10
    X = np.zeros((N, 16, 16, 3), np.uint8)
    X[np.arange(N), :, :, kinds] = 220
    explore(Y, X, kinds, path=path, names=[f"{i}.png" for i in range(N)], label_names=["a", "b", "c"])
    return path, Y


def open_page(browser, file):
    browser.get("about:blank")
    browser.get(file[0].as_uri())
    WebDriverWait(browser, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-ready]"))
    return browser


@pytest.fixture
def phone(browser, phone_screen, file):
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    yield open_page(browser, file)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def shown(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector).is_displayed()


def tap(page, x, y):
    page.execute_cdp_cmd(
        "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    )
    page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_tap_shows_the_image(phone, file, phone_screen):
    assert shown(phone, "aside")
    fold = phone.find_element(By.CSS_SELECTOR, ".fold")
    fold.click()
    assert not shown(phone, "aside") and fold.get_attribute("aria-expanded") == "false"
    # The map has the room now.
    assert phone.execute_script("return explorer.plot.element.clientHeight") > 0.75 * phone_screen["height"]
    WebDriverWait(phone, 5).until(
        lambda b: b.execute_script("return explorer.plot.view.height === explorer.plot.element.clientHeight")
    )
    x, y = phone.execute_script(
        "const box = explorer.plot.element.getBoundingClientRect();"
        "const [left, top] = explorer.plot.view.toScreen(arguments[0], arguments[1]);"
        "return [box.left + left, box.top + top];",
        *map(float, file[1][LONELY]),
    )
    tap(phone, x, y)
    WebDriverWait(phone, 5).until(lambda b: shown(b, "aside .card .thumbnail"))
    assert f"{LONELY}.png" in phone.find_element(By.CSS_SELECTOR, ".card").text
    card = phone.find_element(By.CSS_SELECTOR, ".card .thumbnail").rect
    assert card["y"] < phone_screen["height"] and card["x"] + card["width"] <= phone_screen["width"]


def test_a_narrow_window_has_no_sideways_scrolling(phone, phone_screen):
    widths = phone.execute_script(
        "return [document.documentElement.scrollWidth, document.querySelector('main').scrollWidth]"
    )
    assert max(widths) <= phone_screen["width"]


def test_paper_is_light_and_has_the_map_and_the_legend(browser, file):
    page = open_page(browser, file)
    page.execute_script("explorer.root.dataset.theme = 'dark'; explorer.plot.frame()")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not shown(page, ".tools") and not shown(page, ".take")
        assert shown(page, "h1") and shown(page, ".legend")
        legend, plot = (page.find_element(By.CSS_SELECTOR, name).rect for name in (".legend", ".plot"))
        assert legend["y"] >= plot["y"] + plot["height"] and legend["width"] > 0.8 * plot["width"]
        # The names' own canvas would cover the points on paper.
        assert not shown(page, "canvas.names")
        copied = page.execute_script(
            "const { width, height } = explorer.plot.paper;"
            "const { data } = explorer.plot.paper.getContext('2d').getImageData(0, 0, width, height);"
            "return data.filter((value, k) => k % 4 === 3 && value > 0).length"
        )
        assert copied > 500
        pixels = np.asarray(Image.open(io.BytesIO(page.get_screenshot_as_png())).convert("RGB")).astype(int)
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not page.find_elements(By.CSS_SELECTOR, "canvas.paper")
    assert page.execute_script("return explorer.root.dataset.theme") == "dark"
    upper = pixels[: int(plot["y"] + plot["height"])]
    # Points of three colours are there, on white.
    assert (np.ptp(upper, axis=2) > 60).sum() > 500 and (upper.min(axis=2) > 240).mean() > 0.5
