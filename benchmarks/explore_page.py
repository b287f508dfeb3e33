"""How large the page of 60,000 images is, how soon it shows, and how smoothly it moves in headless Chromium.

python -m benchmarks.explore_page [--n 60000] [--archive cifar10-jpeg.zip] [--folder]

Without an archive Fashion-MNIST's images are shown, again and again where there are to be more; with
``--folder`` the page is a folder. Chromium renders without a graphics card here
(SwiftShader): a person's browser is faster. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tsimcne_swift import explore

from .quality import data

# Frames are counted while the pointer drags the map for so long.
SECONDS = 4
COUNT_FRAMES = """
window.frames_ = 0; window.counting_ = true;
(function tick() { if (window.counting_) { window.frames_ += 1; requestAnimationFrame(tick); } })();
"""


def browser() -> webdriver.Chrome:
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "use-angle=swiftshader"):
        options.add_argument(f"--{argument}")
    options.add_argument("--enable-unsafe-swiftshader")
    options.add_argument("--window-size=1280,900")
    return webdriver.Chrome(options, Service(shutil.which("chromedriver")))


def mouse(driver: webdriver.Chrome, kind: str, x: float, y: float) -> None:
    driver.execute_cdp_cmd(
        "Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1}
    )


def measure(path: Path) -> tuple[float, float, float, float]:
    """Seconds to the first paint of the points; frames a second while idle, and while dragging; MB of the
    program's own memory.
    """
    driver = browser()
    try:
        driver.get("about:blank")
        started = time.perf_counter()
        driver.get(path.as_uri())
        WebDriverWait(driver, 600).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[data-ready]"))
        driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        shown = time.perf_counter() - started
        rates = []
        for moves in (False, True):
            driver.execute_script(COUNT_FRAMES)
            before = time.perf_counter()
            if moves:
                mouse(driver, "mousePressed", 500, 450)
            while (now := time.perf_counter() - before) < SECONDS:
                if moves:
                    mouse(driver, "mouseMoved", 500 + 150 * np.sin(3 * now), 450 + 150 * np.cos(3 * now))
                else:
                    time.sleep(0.1)
            if moves:
                mouse(driver, "mouseReleased", 500, 450)
            frames = driver.execute_script("window.counting_ = false; return window.frames_")
            rates.append(frames / (time.perf_counter() - before))
        heap = driver.execute_script("return performance.memory.usedJSHeapSize") / 1e6
        return shown, rates[0], rates[1], heap
    finally:
        driver.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=60_000)
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--folder", action="store_true")
    options = parser.parse_args()
    images = data.load("cifar10" if options.archive else "fashion", options.archive, "test")
    chosen = np.arange(options.n) % len(images.images)
    X, labels = images.images[chosen], images.labels[chosen]
    random = np.random.default_rng(0)
    Y = random.standard_normal((len(X), 2)) + 4 * random.standard_normal((10, 2))[labels]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("map" if options.folder else "map.html")
        started = time.process_time()
        explore(Y, X, labels, path=path)
        wrote = time.process_time() - started
        files = [file for file in [path, *path.rglob("*")] if file.is_file()]
        size = sum(file.stat().st_size for file in files) / 1e6
        shown, idle, dragged, heap = measure(path / "index.html" if options.folder else path)
        print(
            f"{len(X):,} images: {size:.1f} MB in {len(files):,} files, written in {wrote:.1f} s of a "
            f"processor; first paint {shown:.1f} s; {dragged:.1f} frames a second while dragging "
            f"({idle:.1f} idle); "
            f"{heap:.0f} MB of the program's memory"
        )


if __name__ == "__main__":
    main()
