"""The page's data, and that foreign text cannot leave it. The page itself is driven in a browser."""

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tsimcne_swift import explore, to_frame

# Of the first three classes.
COLORS = {"a": (0, 114, 178), "b": (230, 159, 0), "c": (0, 158, 115)}
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{app}"


def points(n=30):
    return np.random.default_rng(0).standard_normal((n, 2))


def data(*arguments, **options):
    """What the page's program reads."""
    page = explore(*arguments, **options).page()
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(text)


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_coordinates_and_labels():
    Y, labels = points(), np.arange(30) % 3 - 1
    found = data(Y, labels=labels, label_names=["a", "b"], names=[f"{i}.png" for i in range(30)])
    np.testing.assert_array_equal(floats(found["x"]), Y[:, 0].astype(np.float32))
    np.testing.assert_array_equal(floats(found["y"]), Y[:, 1].astype(np.float32))
    column = found["columns"][0]
    assert column["name"] == "label" and column["categories"] == ["", "a", "b"]
    np.testing.assert_array_equal(floats(column["values"]), labels + 1)
    assert found["names"][3] == "3.png" and found["thumbnails"] is None


def test_numbers_and_places_keep_what_float32_would_lose():
    Y, numbers = points(), 20180601120000 + np.arange(30)
    found = data(Y + 1e9, metadata={"time": numbers})
    x = floats(found["x"])
    np.testing.assert_allclose(x - x[0], Y[:, 0] - Y[0, 0], atol=1e-5)
    values = np.frombuffer(base64.b64decode(found["columns"][0]["values"]), "<f8")
    np.testing.assert_array_equal(values, numbers)


def test_metadata():
    frame = pd.DataFrame(
        {"size": np.arange(300.0), "place": ["x", None, "y"] * 100, "note": map(str, range(300))}
    )
    kinds = {c["name"]: c for c in data(points(300), metadata=frame)["columns"]}
    assert [column["kind"] for column in kinds.values()] == ["number", "category", "text"]
    assert kinds["place"]["categories"] == ["", "x", "y"]
    assert data(points(300), metadata=frame.to_dict("list"))["columns"] == list(kinds.values())


NUMBERS = {
    "Int64": pd.array([1, 2, None, 4, 5, 6], dtype="Int64"),
    "Float64": pd.array([1.5, None, 2, 3, 4, 5], dtype="Float64"),
    "objects": np.array([1, None, 2.5, np.nan, pd.NA, 3], object),
    "whole": np.arange(6),
}
TEXTS = {
    "boolean": (pd.array([True, None, False] * 2, dtype="boolean"), ["True", "", "False"] * 2),
    "string": (pd.array(["a", None, "b"] * 2, dtype="string"), ["a", "", "b"] * 2),
    "category": (pd.Categorical(["u", "v", None] * 2), ["u", "v", ""] * 2),
    "mixed": (["a", None, 1, 2.5, np.nan, True], ["a", "", "1", "2.5", "", "True"]),
    "days": (pd.to_datetime(["2024-01-01", None, "2023-05-06"] * 2), ["2024-01-01", "", "2023-05-06"] * 2),
    "moments": (pd.date_range("2024-01-01 10:00", periods=6, freq="h"),
                [f"2024-01-01 {h}:00:00" for h in range(10, 16)]),
    "zones": (pd.date_range("2024-01-01", periods=6, tz="Europe/Berlin"),
              [f"2024-01-0{d} 00:00:00+01:00" for d in range(1, 7)]),
    "periods": (pd.period_range("2024-01", periods=6, freq="M"), [f"2024-0{m}" for m in range(1, 7)]),
    "beyond floats": ([2**60 + 1, 2**60, 2**60 + 1] * 2, [str(2**60 + 1), str(2**60), str(2**60 + 1)] * 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_any_library(kind):
    column = data(points(6), metadata=pd.DataFrame({"x": NUMBERS[kind]}))["columns"][0]
    assert column["kind"] == "number"
    values = np.frombuffer(base64.b64decode(column["values"]), "<f8")
    expected = [np.nan if value is None or value is pd.NA else float(value) for value in NUMBERS[kind]]
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("kind", TEXTS)
def test_other_columns_of_any_library(kind):
    values, texts = TEXTS[kind]
    column = data(points(6), metadata=pd.DataFrame({"x": values}))["columns"][0]
    if column["kind"] == "time":
        found = column["values"]
    else:
        assert column["kind"] == "category"
        found = [column["categories"][int(code)] for code in floats(column["values"])]
    assert found == texts and (column["kind"] == "time") == (kind in ("days", "moments", "zones"))


@pytest.mark.parametrize("shape", [(10, 20), (10, 20, 1), (10, 20, 3), (10, 20, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_thumbnails(shape, dtype):
    X = np.zeros((500, *shape), dtype)
    X[7] = 200 if dtype == np.uint8 else 200 / 255
    found = data(points(500), X, thumbnail=20, quality=90)["thumbnails"]
    assert (found["height"], found["width"]) == (10, 20) and len(found["pictures"]) == 1
    atlas = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["pictures"][0]))))
    assert atlas.shape == (-(-500 // found["columns"]) * 10, found["columns"] * 20, 3)
    cell = atlas[2:8, 7 * 20 + 3 : 8 * 20 - 3]
    assert np.abs(cell.astype(int) - 200).max() < 20 and atlas[2:8, 9 * 20 + 3 : 10 * 20 - 3].max() < 20


def test_large_images_shrink_and_many_fill_several_atlases():
    found = data(points(5000), np.zeros((5000, 64, 32), np.uint8), thumbnail=32)["thumbnails"]
    assert (found["height"], found["width"]) == (32, 16)
    assert found["columns"] * found["rows"] == 8192 and len(found["pictures"]) == 1
    assert len(data(points(5000), np.zeros((5000, 32, 32), np.uint8))["thumbnails"]["pictures"]) == 2


def test_foreign_text_stays_text():
    options = {"labels": [HOSTILE] * 30, "names": [HOSTILE] * 30, "metadata": {HOSTILE: [HOSTILE] * 30}}
    page = explore(points(), title=HOSTILE, **options).page()
    clean = explore(
        points(), title="x", labels=["x"] * 30, names=["x"] * 30, metadata={"x": ["x"] * 30}
    ).page()
    for tag in ("<script", "</script", "<img", "onerror"):
        assert page.count(tag) == clean.count(tag) + (tag == "onerror") * (page.count("onerror=alert"))
    found = data(points(), title=HOSTILE, **options)
    assert found["names"][0] == found["columns"][0]["categories"][0] == found["title"] == HOSTILE


def test_text_that_is_not_unicode(tmp_path):
    """Names of files may be any bytes."""
    text = b"stra\xdfe".decode("utf-8", "surrogateescape")
    legible = r"stra\xdfe"
    options = {"label_names": [text], "names": [text] * 30, "metadata": {text: [text] * 30}}
    explore(points(), labels=[0] * 30, path=tmp_path / "map.html", title=text, **options)
    found = data(points(), labels=[0] * 30, title=text, **options)
    assert found["title"] == found["names"][0] == found["columns"][1]["name"] == legible
    assert [column["categories"] for column in found["columns"]] == [[legible]] * 2
    frame = to_frame(points(), labels=[0] * 30, label_names=[text], names=[text] * 30)
    frame.to_parquet(tmp_path / "map.parquet")
    assert frame["name"][0] == frame["label"][0] == legible


def test_page_asks_for_nothing(tmp_path):
    explore(points(), path=tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page and "connect-src" not in page
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.zeros((5, 3)),), {}, "Y: got 3 columns, want 2"),
        ((points(), np.zeros((5, 8, 8), np.uint8)), {}, "X: got uint8 of shape"),
        ((points(),), {"labels": [1]}, r"labels: got shape \(1,\)"),
        (
            (points(),),
            {"labels": [3] * 30, "label_names": ["a"]},
            "label_names: got 1, but labels go up to 3",
        ),
        ((points(),), {"names": ["a"]}, "names: got 1, want one for each of 30"),
        ((points(),), {"metadata": {"a": [1]}}, r"metadata\['a'\]: got shape"),
        ((points(),), {"metadata": [1]}, "metadata: got list"),
        ((points(),), {"links": ["a"]}, "links: got 1, want one for each of 30"),
        ((points(),), {"features": np.zeros((5, 2))}, "features: got 5 rows, want one for each of 30"),
        ((points(),), {"thumbnail": 4}, "thumbnail: got 4"),
        ((points(),), {"quality": 0}, "quality: got 0"),
    ],
)
def test_bad_arguments(arguments, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        explore(*arguments, **options)


def islands(n=200):
    """Four islands, and which of them each point is of."""
    kinds = np.arange(n) % 4
    return 20 * np.stack([kinds % 2, kinds // 2], axis=1) + points(n), kinds


def test_clusters_are_named_by_words_of_files_and_metadata():
    Y, kinds = islands()
    folders = ["redCar", "redCar", "boat_house", "boat_house"]
    names = [f"{folders[kind]}/IMG_{i:04}.jpeg" for i, kind in enumerate(kinds)]
    place = np.array(["harbour", "street", "harbour", "garden"])[kinds]
    found = explore(Y, names=names, metadata={"place": place}).clusters["cluster"]
    wanted = ["harbour, car", "street, car", "harbour, boat", "garden, boat"]
    for kind, words in enumerate(wanted):
        inside = {name for name, other in zip(found, kinds, strict=True) if other == kind} - {""}
        assert len(inside) == 1 and set(words.split(", ")) & set(inside.pop().split(", "))
    assert len(set(found) - {""}) == 4


def test_clusters_without_words_and_maps_without_clusters():
    found = explore(islands()[0]).clusters["cluster"]
    assert set(found) - {""} == {f"group {k}" for k in range(1, 5)}
    assert explore(points()).clusters == {} and explore(np.ones((100, 2))).clusters == {}


def test_neighbors_are_nearest_by_the_cosine():
    features = np.stack([np.cos(np.arange(20) / 20), np.sin(np.arange(20) / 20)], axis=1)
    found = data(points(20), features=features * np.arange(1, 21)[:, None])["neighbors"]
    near = np.frombuffer(base64.b64decode(found["values"]), "<u2").reshape(20, found["count"])
    assert found["bytes"] == 2 and near[0].tolist() == list(range(1, 13)) and set(near[10, :2]) == {9, 11}


def test_widget_selects():
    explorer = explore(points(), labels=np.arange(30) % 2)
    assert explorer.selection.tolist() == []
    explorer.widget.selection = [3, 5]
    assert explorer.selection.tolist() == [3, 5]
    assert json.loads(explorer.widget.data)["title"] == "Map"


def test_a_closed_program_is_made_anew():
    first, second = explore(points()).widget, explore(points()).widget
    assert second.program is first.program
    # As `Widget.close_all()` does.
    first.program.close()
    third = explore(points()).widget
    assert third.program is not first.program and third.program.code == second.program.code


def test_a_still_picture_stands_where_scripts_do_not_run():
    centres = np.array([[0, 0], [10, 0], [10, 10]])[np.arange(30) % 3]
    explorer = explore(centres, labels=np.arange(30) % 3, title="Three")
    shown, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown and "save(path)" in shown["text/plain"]
    picture = Image.open(io.BytesIO(base64.b64decode(shown["image/png"])))
    pixels = np.asarray(picture.convert("RGB"))
    # The classes' colours lie where their points do: to the right is right, and up is up.
    centre = {color: np.argwhere((pixels == rgb).all(axis=2)).mean(axis=0) for color, rgb in COLORS.items()}
    assert abs(centre["a"][0] - centre["b"][0]) < 2 and centre["a"][1] + 100 < centre["b"][1]
    assert centre["c"][0] + 100 < centre["b"][0] and abs(centre["c"][1] - centre["b"][1]) < 2


@pytest.mark.parametrize("n", [1, 2, 50])
def test_a_still_picture_of_any_number_of_points(n):
    shown, _ = explore(points(n))._repr_mimebundle_()
    assert Image.open(io.BytesIO(base64.b64decode(shown["image/png"]))).size == (640, 480)


def test_frame(tmp_path):
    Y, X = points(), np.random.default_rng(0).integers(0, 256, (30, 9, 9, 3), dtype=np.uint8)
    frame = to_frame(
        Y, X, np.arange(30) % 2, label_names=["a", "b"], names=range(30), metadata={"k": range(30)}
    )
    frame.to_parquet(tmp_path / "map.parquet")
    read = pd.read_parquet(tmp_path / "map.parquet")
    assert list(read.columns) == ["x", "y", "label", "name", "k", "image"]
    picture = Image.open(io.BytesIO(read["image"][4]["bytes"]))
    np.testing.assert_array_equal(np.asarray(picture), X[4])
