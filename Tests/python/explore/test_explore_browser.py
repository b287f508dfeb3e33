"""The page of `explore`, driven in headless Chromium as a person would."""

import json

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from tsimcne_swift import explore

HOSTILE = "<script>window.broken = 1</script><img src=x onerror='window.broken = 2'>"
NAMES = ["apple", "pear", HOSTILE]
N = 300


@pytest.fixture
def page(browser, tmp_path):
    """Three islands of images, each of one colour."""
    labels = np.arange(N) % 3
    centres = 10 * np.stack([np.cos(labels * 2.1), np.sin(labels * 2.1)], axis=1)
    Y = centres + np.random.default_rng(0).standard_normal((N, 2))
    X = np.zeros((N, 16, 16, 3), np.uint8)
    X[np.arange(N), :, :, labels] = 220
    path = tmp_path / "map.html"
    explore(
        Y, X, labels, path=path, label_names=NAMES, names=[f"picture-{i}.png" for i in range(N)],
        metadata={
            "number": np.arange(N) / 7, "note": [HOSTILE] * N,
            "taken": np.datetime64("2024-01-01") + np.arange(N),
        }, title=HOSTILE,
    )  # fmt: skip
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(path.as_uri())
    WebDriverWait(browser, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-ready]"))
    browser.Y = Y
    yield browser
    severe = [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert [entry for entry in severe if "GPU stall" not in entry["message"]] == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert browser.execute_script("return window.broken") is None


def place(page, i):
    """Pixels of a point from the middle of the plot."""
    return page.execute_script(
        "const { view } = explorer.plot, [left, top] = view.toScreen(arguments[0], arguments[1]);"
        "return [left - view.width / 2, top - view.height / 2];",
        *map(float, page.Y[i]),
    )


def seen(page):
    """Where the view is, and how near."""
    return page.execute_script("const { x, y, scale } = explorer.plot.view; return [x, y, scale]")


def plot(page):
    return page.find_element(By.CSS_SELECTOR, ".plot")


def text(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector).text


def button(page, name):
    return page.find_element(By.XPATH, f"//button[text()='{name}']")


def hover(page, i):
    x, y = place(page, i)
    actions = ActionChains(page, duration=50)
    actions.move_to_element_with_offset(plot(page), int(x) - 3, int(y) - 3)
    actions.move_to_element_with_offset(plot(page), round(x), round(y)).perform()
    WebDriverWait(page, 5).until(lambda b: b.find_element(By.CSS_SELECTOR, ".tip").is_displayed())


def waits_for(page, selector, part):
    WebDriverWait(page, 5).until(lambda b: part in text(b, selector))


def downloaded(page, name):
    """The text of a file, which has another name until the browser has written it."""
    path = page.downloads / name
    WebDriverWait(page, 5).until(lambda _: path.exists())
    return path.read_text()


def test_shows_what_there_is(page):
    assert text(page, "h1") == HOSTILE and text(page, ".status") == "300 images"
    assert [b.text for b in page.find_elements(By.CSS_SELECTOR, ".legend button")] == [
        f"{name}\n100" for name in sorted(NAMES)
    ]
    page.save_screenshot(str(page.downloads / "map.png"))


def test_hover_shows_the_image(page):
    isolated = int(np.argmax(np.linalg.norm(page.Y, axis=1)))
    hover(page, isolated)
    tip = text(page, ".tip")
    assert f"picture-{isolated}.png" in tip and f"label: {NAMES[isolated % 3]}" in tip and HOSTILE in tip
    image = page.find_element(By.CSS_SELECTOR, ".tip .thumbnail")
    assert image.size == {"width": 128, "height": 128}
    assert "blob:" in image.value_of_css_property("background-image")


def test_days_are_a_scale(page):
    chooser = Select(page.find_element(By.CSS_SELECTOR, "header select"))
    chooser.select_by_visible_text("taken")
    waits_for(page, ".legend", "2024-01-03")
    assert text(page, ".legend").split() == ["2024-01-03", "2024-10-24"]
    hover(page, isolated := int(np.argmax(np.linalg.norm(page.Y, axis=1))))
    assert f"taken: {np.datetime64('2024-01-01') + isolated}" in text(page, ".tip")


def test_lasso_selects_an_island(page):
    button(page, "Lasso").click()
    members = np.flatnonzero(np.arange(N) % 3 == 0)
    corners = np.array([place(page, i) for i in members])
    left, top = corners.min(axis=0) - 12
    right, bottom = corners.max(axis=0) + 12
    actions = ActionChains(page, duration=80)
    actions.move_to_element_with_offset(plot(page), int(left), int(top)).click_and_hold()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        actions.move_to_element_with_offset(plot(page), int(x), int(y))
    actions.release().perform()
    waits_for(page, ".status", "100 of 300 images selected")
    assert len(page.find_elements(By.CSS_SELECTOR, ".grid button")) == 100
    button(page, "Indices").click()
    button(page, "Names").click()
    assert downloaded(page, "indices.txt").split() == [str(i) for i in members]
    assert downloaded(page, "names.txt").splitlines()[1] == "picture-3.png"
    for file in page.downloads.glob("*.txt"):
        file.unlink()
    button(page, "Clear").click()
    waits_for(page, ".status", "300 images")
    assert page.find_elements(By.CSS_SELECTOR, ".grid button") == []


def test_search(page):
    box = page.find_element(By.CSS_SELECTOR, "input[type=search]")
    box.send_keys("PICTURE-29")
    waits_for(page, ".status", "11 of 300")
    box.clear()
    box.send_keys("pear")
    waits_for(page, ".status", "100 of 300")
    box.send_keys("zzz")
    waits_for(page, ".status", "nothing found")
    # What is typed letter by letter is one change.
    undo = page.find_element(By.XPATH, "//button[text()='Undo']")
    undo.click()
    waits_for(page, ".status", "300 images")
    assert not undo.is_enabled()


def test_legend_selects_a_label(page):
    page.find_elements(By.CSS_SELECTOR, ".legend button")[1].click()
    waits_for(page, ".status", "100 of 300")


def test_colour_by_a_number(page):
    Select(page.find_element(By.CSS_SELECTOR, "select")).select_by_visible_text("number")
    WebDriverWait(page, 5).until(lambda b: b.find_elements(By.CSS_SELECTOR, ".ramp"))
    colours = page.execute_script("return Array.from(explorer.plot.rgbs)")
    red = np.reshape(colours, (N, 3))[:, 0]
    # From dark blue to yellow, in the order of the numbers.
    assert (np.diff(red) >= 0).all() and red[0] == 0 and red[-1] == 254 and len(set(red)) > 100
    Select(page.find_element(By.CSS_SELECTOR, "select")).select_by_visible_text("no colour")
    assert page.find_elements(By.CSS_SELECTOR, ".legend > *") == []


def test_keyboard(page):
    page.execute_script("document.querySelector('.plot').focus()")
    home = seen(page)
    ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
    assert seen(page)[0] > home[0]
    ActionChains(page).send_keys("+").perform()
    assert seen(page)[2] > 1.25 * home[2]
    # The same key without Shift.
    ActionChains(page).send_keys("=").perform()
    assert seen(page)[2] > 1.25**2 * home[2]
    ActionChains(page).send_keys("0").perform()
    np.testing.assert_allclose(seen(page), home)
    # The legend, the buttons and the found images are reached by Tab.
    page.find_element(By.CSS_SELECTOR, ".legend button").send_keys(Keys.ENTER)
    waits_for(page, ".status", "100 of 300")
    page.find_element(By.CSS_SELECTOR, ".grid button").send_keys(Keys.ENTER)
    assert seen(page) != home


def test_light_and_dark(page):
    root = page.find_element(By.CSS_SELECTOR, ".tsimcne")
    before = root.value_of_css_property("background-color")
    button(page, "◐").click()
    assert root.value_of_css_property("background-color") != before
