"""What the page draws and how it answers, in headless Chromium: the map, its images, clusters and filters."""

import csv
import io
import json
import stat

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from tsimcne_swift import explore

N = 240
KINDS = ["car", "bird", "10 boats", "9 boats"]
# Of the kinds as the page lists them: numbers in text by their size.
LISTED = ["9 boats", "10 boats", "bird", "car"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Four islands of images, with all that a page can have, and one image far out."""
    path = tmp_path_factory.mktemp("page") / "map.html"
    kinds = np.arange(N) % 4
    centres = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])[kinds]
    Y = centres + np.random.default_rng(0).standard_normal((N, 2))
    Y[0] = 1000
    X = np.full((N, 16, 16, 3), 40, np.uint8)
    X[np.arange(N), :, :, kinds % 3] = 220
    features = np.eye(4)[kinds] + np.arange(N)[:, None] * 1e-5
    explore(
        Y,
        X,
        [KINDS[k] for k in kinds],
        path=path,
        names=[f"{KINDS[k]}/{i}.png" for i, k in enumerate(kinds)],
        metadata={"number": np.arange(N) / 2, "taken": np.datetime64("2024-01-01") + np.arange(N)},
        features=features,
        links=["" if i == 1 else f"originals/{i}.png" for i in range(N)],
        title="Four",
        description="Of four kinds.",
    )
    return path, Y


@pytest.fixture
def page(browser, file):
    browser.get("about:blank")
    open_page(browser, file[0].as_uri())
    browser.Y = file[1]
    return browser


def open_page(browser, address):
    browser.get(address)
    WebDriverWait(browser, 30).until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-ready]"))


def text(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector).text


def press(page, name):
    page.find_element(By.XPATH, f"//button[text()='{name}']").click()


def waits_for(page, selector, part):
    WebDriverWait(page, 5).until(lambda b: part in text(b, selector))


def view(page):
    return page.execute_script("const { x, y, scale } = explorer.plot.view; return [x, y, scale]")


def selected(page):
    return page.execute_script("return explorer.state.selected")


def at(page, i):
    """Pixels of a point from the middle of the map."""
    return page.execute_script(
        "const { view } = explorer.plot, [left, top] = view.toScreen(arguments[0], arguments[1]);"
        "return [left - view.width / 2, top - view.height / 2];",
        *map(float, page.Y[i]),
    )


def mouse(page, *places, keys=()):
    """Press at the first place, from the middle of the map, and let go at the last."""
    element = page.find_element(By.CSS_SELECTOR, ".plot")
    actions = ActionChains(page, duration=30)
    for key in keys:
        actions.key_down(key)
    actions.move_to_element_with_offset(element, *map(round, places[0])).click_and_hold()
    for place in places[1:]:
        actions.move_to_element_with_offset(element, *map(round, place))
    actions.release()
    for key in keys:
        actions.key_up(key)
    actions.perform()


def lasso(page, kind, keys=()):
    """Around all images of a kind that are not far out."""
    corners = np.array([at(page, i) for i in range(4 + kind, N, 4)])
    (left, top), (right, bottom) = corners.min(axis=0) - 6, corners.max(axis=0) + 6
    mouse(page, (left, top), (right, top), (right, bottom), (left, bottom), (left, top), keys=keys)


def downloaded(page, name):
    path = page.downloads / name
    WebDriverWait(page, 10).until(lambda _: path.exists())
    data = path.read_bytes()
    path.unlink()
    return data


def test_reset_works_again_and_again(page):
    home = view(page)
    for _ in range(2):
        mouse(page, (0, 0), (120, 60))
        assert np.abs(np.subtract(view(page), home)).max() > 0.1
        press(page, "Reset")
        np.testing.assert_allclose(view(page), home)


def test_inside_of_a_lasso_is_alive(page):
    press(page, "Lasso")
    lasso(page, 1)
    waits_for(page, ".status", "60 of 240")
    press(page, "Move")
    before = view(page)
    # The wheel turns over whatever lies on top there.
    page.execute_script(
        "const box = document.querySelector('.plot').getBoundingClientRect();"
        "const clientX = box.left + box.width / 2 + arguments[0];"
        "const clientY = box.top + box.height / 2 + arguments[1];"
        "const turn = { deltaY: -300, bubbles: true, cancelable: true, clientX, clientY };"
        "document.elementFromPoint(clientX, clientY).dispatchEvent(new WheelEvent('wheel', turn));",
        *at(page, 5),
    )
    assert view(page)[2] > 1.3 * before[2]
    mouse(page, at(page, 5))
    waits_for(page, ".status", "1 of 240")


def test_keyboard_lives_after_a_click_on_the_map(page):
    mouse(page, (2, 2))
    before = view(page)
    ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
    assert view(page)[0] > before[0]


def test_one_far_image_does_not_shrink_the_map(page):
    assert "1 far out" in text(page, ".status")
    places = np.array([at(page, i) for i in range(1, N)])
    assert np.ptp(places, axis=0).max() > 400


def test_order_and_colours_are_those_of_plots(page):
    from matplotlib.colors import to_hex
    from tsimcne_swift import plot

    labels = [KINDS[k] for k in np.arange(N) % 4]
    legend = plot.scatter(page.Y, labels).get_legend()
    handles = zip(legend.texts, legend.legend_handles, strict=True)
    drawn = {name.get_text(): to_hex(handle.get_facecolor()[0]) for name, handle in handles}
    swatches = page.find_elements(By.CSS_SELECTOR, ".legend .swatch")
    shown = [s.value_of_css_property("background-color") for s in swatches]
    names = [b.text.split("\n")[0] for b in page.find_elements(By.CSS_SELECTOR, ".legend button")]
    assert names == LISTED == list(drawn)
    numbers = [[int(part) for part in c[c.index("(") + 1 : -1].split(",")[:3]] for c in shown]
    assert ["#" + "".join(f"{n:02x}" for n in parts) for parts in numbers] == list(drawn.values())


def test_no_class_hides_another(browser, tmp_path):
    """Three classes in one place: each is seen as often as the others."""
    n = 3000
    Y = np.random.default_rng(0).standard_normal((n, 2))
    explore(Y, labels=np.repeat([0, 1, 2], n // 3), path=tmp_path / "map.html")
    open_page(browser, (tmp_path / "map.html").as_uri())
    press(browser, "Labels")
    picture = Image.open(io.BytesIO(browser.find_element(By.CSS_SELECTOR, ".plot").screenshot_as_png))
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    colours = np.array([[0, 114, 178], [230, 159, 0], [0, 158, 115]])
    near = np.abs(pixels[:, None] - colours).sum(axis=2)
    counts = np.bincount(near.argmin(axis=1)[near.min(axis=1) < 150], minlength=3)
    assert counts.min() > 0.75 * counts.max() > 1000


def sprites(page):
    return page.execute_script(
        "return explorer.plot.sprites.map(({ i, left, top, half }) => [i, left, top, ...half])"
    )


def test_images_appear_without_overlap_and_a_click_opens_the_original(page):
    press(page, "Labels")
    WebDriverWait(page, 10).until(lambda b: sprites(b))
    few = len(sprites(page))
    page.execute_script("explorer.goTo(5); explorer.zoom(4)")
    WebDriverWait(page, 10).until(lambda b: any(int(s[0]) == 5 for s in sprites(b)))
    shown = np.array(sprites(page))
    apart = np.abs(shown[:, None, 1:3] - shown[None, :, 1:3])
    overlap = (apart < shown[:, None, 3:] + shown[None, :, 3:] - 0.01).all(axis=2)
    np.fill_diagonal(overlap, False)
    assert few > 0 and not overlap.any()
    picture = page.find_element(By.CSS_SELECTOR, ".plot").screenshot_as_png
    centre = next(s for s in shown if int(s[0]) == 5)
    pixel = Image.open(io.BytesIO(picture)).convert("RGB").getpixel((round(centre[1]), round(centre[2])))
    assert pixel[1] > 190 and pixel[0] < 90
    mouse(page, at(page, 5))
    waits_for(page, ".card", "bird/5.png")
    assert page.find_element(By.CSS_SELECTOR, ".card a").get_attribute("href").endswith("/originals/5.png")
    assert (
        page.find_element(By.CSS_SELECTOR, ".card .thumbnail").value_of_css_property("image-rendering")
        == "auto"
    )
    press(page, "Images")
    WebDriverWait(page, 5).until(lambda b: not sprites(b))


def test_more_like_this(page):
    page.execute_script("explorer.select([9])")
    press(page, "More like this")
    alike = page.execute_script("return explorer.state.alike")
    assert len(alike) == 12 and {i % 4 for i in alike} == {1} and 9 not in alike
    # Of several images what is near to all of them comes first.
    page.execute_script("explorer.select([9, 13, 17])")
    press(page, "More like this")
    assert not {9, 13, 17} & set(page.execute_script("return explorer.state.alike"))


def test_clusters_have_names_and_are_listed(page):
    Select(page.find_element(By.CSS_SELECTOR, "header select")).select_by_visible_text("cluster")
    rows = [b.text.split("\n") for b in page.find_elements(By.CSS_SELECTOR, ".legend button")]
    counts = {name: int(count) for name, count in rows if name != "none"}
    assert len(counts) == 4 and all(40 < count <= 60 for count in counts.values())
    assert sum("car" in name for name in counts) == 1 and sum("bird" in name for name in counts) == 1
    names = page.execute_script(
        "const { names, top, view } = explorer.plot;"
        "return names.placed(top.getContext('2d'), view).map((name) => name.text);"
    )
    assert set(names) <= set(counts) and len(names) >= 2
    assert len(page.find_elements(By.CSS_SELECTOR, ".legend .thumbnail")) == 4


def test_legend_adds_and_inverts(page):
    buttons = page.find_elements(By.CSS_SELECTOR, ".legend button")
    buttons[0].click()
    waits_for(page, ".status", "60 of 240")
    assert page.switch_to.active_element == buttons[0]
    ActionChains(page).key_down(Keys.SHIFT).click(buttons[1]).key_up(Keys.SHIFT).perform()
    waits_for(page, ".status", "120 of 240")
    ActionChains(page).key_down(Keys.ALT).click(buttons[0]).key_up(Keys.ALT).perform()
    waits_for(page, ".status", "180 of 240")
    press(page, "Undo")
    waits_for(page, ".status", "120 of 240")


def test_lasso_adds_and_subtracts(page):
    lasso(page, 1, keys=[Keys.SHIFT])
    waits_for(page, ".status", "60 of 240")
    lasso(page, 2, keys=[Keys.SHIFT])
    waits_for(page, ".status", "120 of 240")
    lasso(page, 1, keys=[Keys.ALT])
    waits_for(page, ".status", "60 of 240")
    assert selected(page) == list(range(2, N, 4))


def test_filters_of_several_columns(page):
    page.find_elements(By.CSS_SELECTOR, ".legend button")[2].click()
    press(page, "Only these")
    waits_for(page, ".status", "60 shown")
    Select(page.find_element(By.CSS_SELECTOR, "header select")).select_by_visible_text("taken")
    end = page.find_element(By.CSS_SELECTOR, ".range input[aria-label=To]")
    page.execute_script("arguments[0].value = 100; arguments[0].onchange()", end)
    waits_for(page, ".status", "30 shown")
    chips = [b.text for b in page.find_elements(By.CSS_SELECTOR, ".chips button")]
    assert chips == ["label: bird ×", "taken: 2024-01-01 to 2024-04-29 ×"]
    page.find_elements(By.CSS_SELECTOR, ".chips button")[0].click()
    waits_for(page, ".status", "120 shown")


def test_search_of_several_words(page):
    box = page.find_element(By.CSS_SELECTOR, "input[type=search]")
    box.send_keys("png BIRD 2024-01")
    waits_for(page, ".status", "8 of 240")
    assert selected(page) == list(range(1, 31, 4))


def test_table_list_and_script(page):
    page.execute_script("explorer.select([5, 6])")
    press(page, "CSV")
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "images.csv").decode())))
    assert [row["name"] for row in rows] == ["bird/5.png", "10 boats/6.png"]
    assert rows[0]["label"] == "bird" and rows[1]["taken"] == "2024-01-07" and rows[0]["number"] == "2.5"
    assert "bird" in rows[0]["cluster"] and float(rows[0]["x"]) == pytest.approx(page.Y[5, 0], rel=1e-5)
    press(page, "Copy")
    assert b"bird/5.png\n10 boats/6.png\nIMAGES\n" in downloaded(page, "copy.txt")


def test_script_copies(page, tmp_path):
    import subprocess

    (tmp_path / "bird").mkdir()
    (tmp_path / "bird/5.png").write_bytes(b"x")
    page.execute_script("explorer.select([5])")
    press(page, "Copy")
    script = tmp_path / "copy.txt"
    script.write_bytes(downloaded(page, "copy.txt"))
    assert not script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["sh", script, "taken out"], cwd=tmp_path, check=True)
    assert (tmp_path / "taken out/bird/5.png").read_bytes() == b"x"


def test_link_holds_view_filter_and_selection(page, file):
    page.find_elements(By.CSS_SELECTOR, ".legend button")[2].click()
    press(page, "Only these")
    page.execute_script("explorer.select([5, 9]); explorer.goTo(5)")
    press(page, "Link")
    seen, address = view(page), page.current_url
    page.get("about:blank")
    open_page(page, address)
    np.testing.assert_allclose(view(page), seen, rtol=1e-5)
    assert selected(page) == [5, 9] and "60 shown" in text(page, ".status")
    page.get("about:blank")
    open_page(page, file[0].as_uri() + "#filters=[{%22column%22:99}]&selected=!!&view=1,x")
    assert text(page, ".status").startswith("240 images")


def test_pictures_of_the_view(page):
    press(page, "PNG")
    picture = Image.open(io.BytesIO(downloaded(page, "map.png")))
    assert picture.size[0] > 500 and len(picture.convert("RGB").getcolors(1 << 20)) > 20
    press(page, "SVG")
    drawing = downloaded(page, "map.svg").decode()
    assert drawing.startswith("<svg") and drawing.count("<circle") == N - 1 and ">bird</text>" in drawing


def test_description(page):
    assert text(page, ".about") == "Of four kinds."


def test_a_page_that_loses_its_graphics_card_goes_on(page):
    page.execute_script(
        "explorer.plot.base.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
    )
    WebDriverWait(page, 5).until(
        lambda b: b.execute_script("return explorer.plot.painter.constructor.name") == "CanvasPainter"
    )
    picture = Image.open(io.BytesIO(page.find_element(By.CSS_SELECTOR, ".plot").screenshot_as_png))
    assert len(picture.convert("RGB").getcolors(1 << 20)) > 20


def test_two_thousand_classes_and_a_phone(browser, tmp_path):
    Y = np.random.default_rng(0).standard_normal((6000, 2))
    explore(Y, labels=np.arange(6000) % 2000, path=tmp_path / "map.html")
    size = browser.get_window_size()
    browser.set_window_size(500, 850)
    try:
        open_page(browser, (tmp_path / "map.html").as_uri())
        plot, panel = (browser.find_element(By.CSS_SELECTOR, s).rect for s in (".plot", "aside"))
        assert plot["height"] > 250 and panel["y"] >= plot["y"] + plot["height"] - 1
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        browser.set_window_size(size["width"], size["height"])


def test_widgets_share_a_program_and_tell_python_what_is_selected(browser, tmp_path):
    Y = np.random.default_rng(0).standard_normal((30, 2))
    widgets = [explore(Y, labels=np.arange(30) % kinds).widget for kinds in (3, 2)]
    widgets[1].selection = [4, 6]
    states = {w.model_id: w.get_state(["data", "program", "selection"]) for w in widgets}
    shared = {w.program.model_id: w.program.get_state(["code", "css"]) for w in widgets}
    assert len(shared) == 1 and "TSimCNE" not in "".join(states[w.model_id]["data"] for w in widgets)
    models = json.dumps(states | shared).replace("<", "\\u003c")
    (tmp_path / "notebook.html").write_text(
        f"""<!doctype html><meta charset="utf-8"><script type="module">{widgets[0]._esm}
        const models = {{}}, made = URL.createObjectURL;
        [window.told, window.heard, window.programs] = [{{}}, {{}}, 0];
        URL.createObjectURL = (blob) => ((window.programs += blob.type === "text/javascript"), made(blob));
        for (const [id, state] of Object.entries({models})) {{
            models[id] = {{ get: (name) => state[name], set: (name, value) => (window.told[id] = value),
                           save_changes() {{}}, widget_manager: {{ get_model: async (id) => models[id] }},
                           on: (event, hear) => (window.heard[id] = hear) }};
            window.select = (id, indices) => {{ models[id].get = (name) => indices; window.heard[id](); }};
        }}
        for (const id of {list(states)}) {{
            const el = document.createElement("div");
            el.id = `cell-${{id}}`;
            document.body.append(el);
            render({{ model: models[id], el }});
        }}</script>""",
        encoding="utf-8",
    )
    browser.get((tmp_path / "notebook.html").as_uri())
    WebDriverWait(browser, 30).until(lambda b: len(b.find_elements(By.CSS_SELECTOR, "[data-ready]")) == 2)
    # The second widget's selection was made before it was shown, and is then changed by Python.
    status = f"#cell-{widgets[1].model_id} .status"
    assert text(browser, status) == "2 of 30 images selected"
    browser.execute_script("window.select(arguments[0], [1, 2, 3, 99])", widgets[1].model_id)
    assert text(browser, status) == "3 of 30 images selected"
    for widget, kinds in zip(widgets, (3, 2), strict=True):
        browser.find_elements(By.CSS_SELECTOR, f"#cell-{widget.model_id} .legend button")[1].click()
        told = browser.execute_script("return window.told[arguments[0]]", widget.model_id)
        assert told == list(range(1, 30, kinds))
    assert browser.execute_script("return window.programs") == 1
    assert not browser.find_elements(By.XPATH, "//button[text()='Link']")
