"""The page as a folder: what is written, who may read it, and how it answers in headless Chromium."""

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tsimcne_swift import explore
from tsimcne_swift._explore import _folder
from tsimcne_swift._explore._levels import FIRST, LEVELS, NEVER, SHRINK, distance_between, picture_levels
from tsimcne_swift._explore._server import PageServer

N = 2400
PIECE = 1000


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Four islands, one image far out, in three pieces and ten tiles."""
    kinds = np.arange(N) % 4
    Y = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])[kinds] + np.random.default_rng(0).standard_normal(
        (N, 2)
    )
    Y[0] = 1000
    X = np.full((N, 32, 32, 3), 40, np.uint8)
    X[np.arange(N), :, :, kinds % 3] = 220
    options = {
        "label_names": list("abcd"),
        "names": [f"{'abcd'[kind]}/{i}.png" for i, kind in enumerate(kinds)],
        "metadata": {"number": np.arange(N) / 7, "note": [f"note {i}" for i in range(N)]},
        "features": np.stack([np.cos(np.arange(N) / N), np.sin(np.arange(N) / N)], axis=1),
        "links": [f"originals/{i}.png" for i in range(N)],
        "title": "Four",
    }
    folder = tmp_path_factory.mktemp("page") / "map"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_folder, "PIECE", PIECE)
        explorer = explore(Y, X, kinds, path=folder, **options)
    return folder, Y, kinds, explorer


def piece(folder, name):
    """What the script of a piece hands over."""
    said, value = re.fullmatch(
        r'tsimcne\("(.*?)", (.*)\);\n', (folder / f"{name}.js").read_text("utf-8"), re.DOTALL
    ).groups()
    assert said == name
    return json.loads(value)


def described(folder):
    page = (folder / "index.html").read_text("utf-8")
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1]
    )


def test_pieces_hold_what_the_single_file_holds(written):
    folder, Y, kinds, explorer = written
    info, single = described(folder), json.loads(explorer._data)
    steps = b"".join(base64.b64decode(piece(folder, f"data/places-{k}")) for k in range(3))
    parts = np.frombuffer(steps, np.uint8).reshape(N, 2, 3).astype(np.int64)
    places = np.array(info["places"]["low"]) + (parts @ [1, 256, 65536]) * info["places"]["step"]
    np.testing.assert_allclose(places, Y, atol=1e-4)
    assert piece(folder, "data/names-2")[-1] == single["names"][-1] and info["names"] is True
    codes = b"".join(base64.b64decode(piece(folder, f"data/columns-0-{k}")) for k in range(3))
    np.testing.assert_array_equal(np.frombuffer(codes, np.uint8), kinds)
    assert info["columns"][0]["categories"] == list("abcd") and "values" not in info["columns"][0]
    near = b"".join(base64.b64decode(piece(folder, f"data/neighbors-{k}")) for k in range(3))
    found = np.frombuffer(base64.b64decode(single["neighbors"]["values"]), "<u2")
    np.testing.assert_array_equal(np.frombuffer(near, "<u4"), found)
    ranks = b"".join(base64.b64decode(piece(folder, f"data/ranks-{k}")) for k in range(3))
    assert sorted(np.frombuffer(ranks, "<u4")) == list(range(N))
    assert len(list((folder / "tiles").iterdir())) == -(-N // 256)


@pytest.mark.parametrize("size", [(32, 32), (16, 32)])
def test_levels_show_as_many_pictures_as_do_not_overlap(size):
    Y = np.random.default_rng(0).standard_normal((900, 2))
    Y[:50] = Y[50]
    distance = distance_between(Y)
    levels = picture_levels(Y, size, distance)
    squares = Y / (np.array(size[::-1]) / max(size))
    apart = np.abs(squares[:, None] - squares).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    for level in range(LEVELS):
        shown, side = levels <= level, distance * FIRST * SHRINK**level
        assert apart[shown][:, shown].min() >= side
        waiting = apart[~shown][:, shown]
        assert len(waiting) == 0 or (waiting.min(axis=1) < side).all()
    # Of those at one place one is shown.
    assert (levels == NEVER).sum() == 50


def test_an_older_page_is_replaced_and_nothing_else_is(tmp_path):
    Y = np.random.default_rng(0).standard_normal((30, 2))
    folder = tmp_path / "map"
    for title in ("one", "two"):
        explore(Y, title=title, path=f"{folder}/")
    assert described(folder)["title"] == "two" and os.listdir(tmp_path) == ["map"]
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(ValueError, match=r"path: got .*, a folder that holds other things than a map"):
        explore(Y, path=folder)
    assert described(folder)["title"] == "two"
    with pytest.raises(ValueError, match=r"path: got .*, but there is no folder"):
        explore(Y, path=tmp_path / "none" / "map/")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"path: got .*, which is a file; want a folder"):
        explore(Y, path=tmp_path / "file")


def test_a_disk_that_fills_leaves_the_older_page(tmp_path, monkeypatch):
    Y = np.random.default_rng(0).standard_normal((30, 2))
    folder = tmp_path / "map"
    explore(Y, title="one", path=folder)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_folder, "_write_texts", fail)
    with pytest.raises(OSError, match="No space left"):
        explore(Y, title="two", path=folder)
    assert described(folder)["title"] == "one" and os.listdir(tmp_path) == ["map"]


@pytest.fixture
def server(written):
    with PageServer(written[0]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{server.server_port}"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_the_server_gives_the_page_to_who_knows_its_address(server, written):
    folder = written[0]
    answer, content = ask(server, f"/{server.token}/index.html")
    assert answer.status == 200 and content == (folder / "index.html").read_bytes()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer, content = ask(server, f"/{server.token}/tiles/0.js", "HEAD")
    assert answer.status == 200 and content == b""
    assert int(answer.headers["Content-Length"]) == (folder / "tiles" / "0.js").stat().st_size


def test_the_server_gives_nothing_else(server, written, tmp_path):
    token, folder = server.token, written[0]
    (tmp_path / "secret.js").write_text("secret")
    (folder / "data" / "link.js").symlink_to(tmp_path / "secret.js")
    try:
        for path in (
            "/", "/index.html", f"/{token[:-1]}/index.html", f"/{token}", f"/{token}/", f"/{token}/data/",
            f"/{token}/../map/index.html", f"/{token}/data/../index.html", f"/{token}/data/link.js",
            f"/{token}//etc/passwd", f"/{token}/data/%2e%2e/index.html", "//",
        ):  # fmt: skip
            assert ask(server, path)[0].status == 404, path
    finally:
        (folder / "data" / "link.js").unlink()
    # A page of another name that leads here.
    assert ask(server, f"/{token}/index.html", host="evil.example")[0].status == 404
    for method in ("POST", "PUT", "DELETE"):
        assert ask(server, f"/{token}/index.html", method)[0].status == 501
    with pytest.raises(ValueError, match=r"folder: got .*, which is no map's folder"):
        PageServer(tmp_path)


def test_view_prints_the_address_and_ends_by_ctrl_c(written):
    command = [sys.executable, "-m", "tsimcne_swift", "view", str(written[0]), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        address = run.stdout.readline().strip()
        _, host, path = re.fullmatch(r"(http)://(127\.0\.0\.1:\d+)(/.+/index\.html)", address).groups()
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 200
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 0


@pytest.fixture(params=["file", "server"])
def page(request, browser, written):
    if request.param == "file":
        address = (written[0] / "index.html").as_uri()
    else:
        address = request.getfixturevalue("server").address
    browser.get_log("browser"), browser.get_log("performance")
    browser.get(address)
    WebDriverWait(browser, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-ready]"))
    WebDriverWait(browser, 30).until(lambda b: b.execute_script("return explorer.columns.names[2399]"))
    yield browser
    severe = [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    # A browser asks a server for an icon by itself.
    assert [e for e in severe if not re.search("GPU stall|favicon", e["message"])] == []


def tiles(page):
    """The tiles that were asked for since it was last asked."""
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in asked if "/tiles/" in url]


def at_rest(page):
    """Wait until all pictures that the view wants are there."""
    waits = (
        "const { slots, pending } = explorer.plot; return !slots.isFilling && !slots.wanted.size && !pending"
    )
    time.sleep(0.3)
    WebDriverWait(page, 30).until(lambda b: b.execute_script(waits))


def test_points_are_there_and_searched(page, written):
    x = page.execute_script("return Array.from(explorer.x)")
    np.testing.assert_allclose(x, written[1][:, 0], atol=1e-4)
    page.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("note 2345")
    WebDriverWait(page, 10).until(lambda b: "1 of 2,400" in b.find_element(By.CSS_SELECTOR, ".status").text)
    assert "2345.png" in page.find_element(By.CSS_SELECTOR, ".card").text


def test_tiles_are_read_as_one_looks(page, written):
    at_rest(page)
    tiles(page)
    # One island, from so near that there are pictures.
    page.execute_script(
        "const { plot } = explorer; plot.view.set(10, 10, 3 * plot.spread.base); plot.request();"
    )
    at_rest(page)
    read = tiles(page)
    sprites = page.execute_script("return explorer.plot.sprites.map(({ i, left, top }) => [i, left, top])")
    assert 0 < len(read) < 10 and len(set(read)) == len(read)
    assert len(sprites) > 30 and all(written[2][int(i)] == 3 for i, *_ in sprites)
    # None lies on another: they are as far apart as they will grow.
    width, height = page.execute_script(
        "const { spread, view } = explorer.plot; return spread.sizeAt(Math.floor(spread.levelAt(view.scale)))"
    )
    places = np.array(sprites)[:, 1:3]
    apart = np.abs(places[:, None] - places) / [width, height]
    np.fill_diagonal(apart[..., 0], np.inf)
    assert apart.max(axis=2).min() > 0.9
    # The pictures are those of their images.
    shown = page.execute_script(
        """const { plot } = explorer, { view, ratio } = plot, canvas = document.createElement("canvas");
        Object.assign(canvas, { width: plot.base.width, height: plot.base.height });
        const context = canvas.getContext("2d", { willReadFrequently: true });
        plot.frame();
        context.drawImage(plot.base, 0, 0);
        const isSeen = (at, length) => at > 0 && at < length;
        return plot.sprites.filter(({ left, top }) => isSeen(left, view.width) && isSeen(top, view.height))
          .map(({ left, top }) => Array.from(context.getImageData(left * ratio, top * ratio, 1, 1).data));"""
    )
    # Kind 3 is red.
    assert all(abs(red - 220) < 30 and green < 80 and blue < 80 for red, green, blue, _ in shown)


def test_more_like_this_reads_neighbours(page):
    page.execute_script("explorer.select([1200])")
    page.find_element(By.XPATH, "//button[text()='More like this']").click()
    WebDriverWait(page, 10).until(lambda b: b.execute_script("return explorer.state.alike.length") == 12)
    alike = page.execute_script("return explorer.state.alike")
    assert (
        set(alike) <= set(range(1190, 1211))
        and page.execute_script("return explorer.neighbors.known.size") == 1
    )


@pytest.mark.parametrize(("choice", "place", "left"), [("false", "0, 10", {2}), ("true", "10, 0", {1})])
def test_filters_leave_pictures(page, choice, place, left):
    page.execute_script(f"explorer.change({{ filters: [{{ column: 0, codes: [2], not: {choice} }}] }})")
    at_rest(page)
    page.execute_script(
        f"const {{ plot }} = explorer; plot.view.set({place}, 4 * plot.spread.base); plot.request();"
    )
    at_rest(page)
    kinds = page.execute_script("return explorer.plot.sprites.map(({ i }) => i % 4)")
    assert len(kinds) > 10 and set(kinds) == left
    page.execute_script("explorer.plot.view.set(0, 10, 4 * explorer.plot.spread.base)")
    page.execute_script("explorer.plot.frame()")
    at_rest(page)
    kinds = page.execute_script("return explorer.plot.sprites.map(({ i }) => i % 4)")
    assert (2 in kinds) == (choice == "false")


def test_a_missing_piece_is_said(browser, tmp_path):
    folder = tmp_path / "map"
    explore(np.random.default_rng(0).standard_normal((50, 2)), path=folder)
    (folder / "data" / "places-0.js").unlink()
    browser.get((folder / "index.html").as_uri())
    wanted = "data/places-0.js of this page cannot be read"
    WebDriverWait(browser, 10).until(lambda b: wanted in b.find_element(By.ID, "map").text)
    browser.get_log("browser")


def test_the_tip_shows_the_picture(page):
    place = page.execute_script(
        "const { view } = explorer.plot, [left, top] = view.toScreen(explorer.x[5], explorer.y[5]);"
        "return [left - view.width / 2, top - view.height / 2]"
    )
    plot = page.find_element(By.CSS_SELECTOR, ".plot")
    actions = ActionChains(page, duration=50)
    actions.move_to_element_with_offset(plot, int(place[0]) - 3, int(place[1]) - 3)
    actions.move_to_element_with_offset(plot, round(place[0]), round(place[1])).perform()
    thumbnail = WebDriverWait(page, 10).until(lambda b: b.find_element(By.CSS_SELECTOR, ".tip .thumbnail"))
    WebDriverWait(page, 10).until(lambda b: "blob:" in thumbnail.value_of_css_property("background-image"))
