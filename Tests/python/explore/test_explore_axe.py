"""The page by the rules of axe, which knows what readers of screens and weak eyes want."""

import importlib.resources

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tsimcne_swift import explore

N = 90


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("axe") / "map.html"
    random, kinds = np.random.default_rng(0), np.arange(N) % 3
    X = random.integers(0, 256, (N, 16, 16, 3), np.uint8)
    metadata = {"number": np.arange(N) / 7, "kind": [f"kind {k}" for k in kinds]}
    explore(
        random.standard_normal((N, 2)) + 5 * kinds[:, None], X, kinds, path=path, metadata=metadata,
        label_names=["apple", "pear", "plum"], names=[f"{i}.png" for i in range(N)], features=X[:, :, 0, 0],
        links=[f"{i}.png" for i in range(N)], title="Fruit", description="Some of it.",
    )  # fmt: skip
    return path


@pytest.fixture
def page(browser, file):
    browser.get("about:blank")
    browser.get(file.as_uri())
    WebDriverWait(browser, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-ready]"))
    return browser


def violations(page):
    """What axe says against the page as it is."""
    page.execute_script((importlib.resources.files("axe_core_python") / "axe.min.js").read_text())
    found = page.execute_async_script("axe.run().then(arguments[0])")
    assert len(found["passes"]) > 20
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_page(page, is_dark):
    if is_dark:
        page.find_element(By.XPATH, "//button[text()='◐']").click()
    assert violations(page) == []


@pytest.mark.parametrize("is_dark", [False, True])
def test_a_selection_and_a_card(page, is_dark):
    if is_dark:
        page.find_element(By.XPATH, "//button[text()='◐']").click()
    page.find_elements(By.CSS_SELECTOR, ".legend button")[1].click()
    page.find_element(By.CSS_SELECTOR, ".grid button").click()
    assert violations(page) == []


def test_a_phone(phone_screen, page):
    assert violations(page) == []
    page.find_element(By.CSS_SELECTOR, ".fold").click()
    assert violations(page) == []
