"""What a column of labels means, in every function that takes one."""

import datetime
import json
import time
from pathlib import PurePosixPath

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tsimcne_swift import evaluate, explore, images, inspect, plot, to_frame
from tsimcne_swift._checks.labels import read_labels
from tsimcne_swift.images._labels import folder_labels

matplotlib.use("Agg")
A, B = "a", "b"
# Columns of six images: the classes' names in order, and the codes.
COLUMNS = {
    "whole numbers": ([10, 9, 2, 10, -1, -7], ["2", "9", "10"], [2, 1, 0, 2, -1, -1]),
    "large numbers": ([2**63, 5, 2**63, 5, 5, 0], ["0", "5", str(2**63)], [2, 1, 2, 1, 1, 0]),
    "beyond all types": ([2**80, 5, None, 5, 5, 5], ["5", str(2**80)], [1, 0, -1, 0, 0, 0]),
    "whole floats": ([1.0, np.nan, 2.0, -1.0, 10.0, 2.0], ["1", "2", "10"], [0, -1, 1, -1, 2, 1]),
    "truth values": ([True, False, True, True, True, False], ["False", "True"], [1, 0, 1, 1, 1, 0]),
    "truth values, none": ([True, None, False, True, pd.NA, True], ["False", "True"], [1, -1, 0, 1, -1, 1]),
    "names": ([B, A, B, B, A, A], [A, B], [1, 0, 1, 1, 0, 0]),
    "names and none": ([B, None, np.nan, "", " ", A], [A, B], [1, -1, -1, -1, -1, 0]),
    "names and other nones": ([B, pd.NA, pd.NaT, -1, float("nan"), A], [A, B], [1, -1, -1, -1, -1, 0]),
    "text of NaN": (np.array([B, np.nan, A, "<NA>", "NaT", A]), [A, B], [1, -1, 0, -1, -1, 0]),
    "names that sound like none": (["None", "NA", "none", "NA", "-1", "NA"], ["-1", "NA", "None", "none"],
                                   [2, 1, 3, 1, 0, 1]),
    "numbers as text": (["10", "9", "2", "cat", "1.5", "9"], ["1.5", "2", "9", "10", "cat"],
                        [3, 2, 1, 4, 0, 2]),
    "bytes": (np.array([b"b", b"a", b"b", b"b", b"a", b""]), [A, B], [1, 0, 1, 1, 0, -1]),
    "numbers as objects": (np.array([10, 2, None, 2, 10, -1], object), ["2", "10"], [1, 0, -1, 0, 1, -1]),
    "a column of an array": (np.array([[3], [1], [3], [1], [1], [-1]]), ["1", "3"], [1, 0, 1, 0, 0, -1]),
    "Int64": (pd.array([10, None, 2, 2, 10, -1], dtype="Int64"), ["2", "10"], [1, -1, 0, 0, 1, -1]),
    "boolean": (pd.array([True, None] * 3, dtype="boolean"), ["True"], [0, -1] * 3),
    "Float64": (pd.array([1, None, 2, 1, 1, 1], dtype="Float64"), ["1", "2"], [0, -1, 1, 0, 0, 0]),
    "string": (pd.Series([B, None, A] * 2, dtype="string", index=range(9, 15)), [A, B], [1, -1, 0] * 2),
    "Categorical": (pd.Categorical(["low", None, "high"] * 2, ["low", "high"]), ["low", "high"],
                    [0, -1, 1] * 2),
    "categories of a frame": (pd.Series(["low", "high"] * 3).astype(pd.CategoricalDtype(["low", "high"])),
                              ["low", "high"], [0, 1] * 3),
    "days": (pd.to_datetime(["2024-02-01", None, "2023-12-31"] * 2), ["2023-12-31", "2024-02-01"],
             [1, -1, 0] * 2),
    "times": ([datetime.datetime(2024, 1, 1, 9, 30), None, datetime.datetime(2023, 1, 1)] * 2,
              ["2023-01-01 00:00:00", "2024-01-01 09:30:00"], [1, -1, 0] * 2),
}  # fmt: skip
KINDS = pytest.mark.parametrize(("column", "names", "codes"), COLUMNS.values(), ids=COLUMNS)
# For each image of COLUMNS forty, in a heap of their own.
MANY = 40


def heaps(codes):
    random = np.random.default_rng(0)
    return np.repeat(np.array(codes), MANY)[:, None] * [30.0, 0] + random.standard_normal((6 * MANY, 2))


def repeated(column):
    if hasattr(column, "repeat"):
        return column.repeat(MANY) if np.ndim(column) == 1 else np.repeat(column, MANY, axis=0)
    return [value for value in column for _ in range(MANY)]


@KINDS
def test_classes(column, names, codes):
    found = read_labels(column, 6)
    assert found.names == names and found.codes.tolist() == codes and found.scale is None


@KINDS
def test_every_function_means_the_same(column, names, codes):
    Y, labels = heaps(codes), repeated(column)
    known = np.repeat(np.array(codes) >= 0, MANY)
    page = json.loads(explore(Y, labels=labels)._data)["columns"][0]
    assert page["categories"] == [""] * (-1 in codes) + names and page["kind"] == "category"
    frame = to_frame(Y, labels=labels)
    assert frame["label"].tolist() == [([*names, ""])[code] for code in np.repeat(codes, MANY)]
    ax = plot.scatter(Y, labels)
    assert [text.get_text() for text in ax.get_legend().texts] == names
    edges = plot.gallery(Y, np.zeros((len(Y), 8, 8), np.uint8), labels).patches
    assert len(edges) > 0
    matplotlib.pyplot.close("all")
    if len(names) > 1:
        assert evaluate(Y, labels)["knn_accuracy"] == 1
    assert len(inspect.mislabelled(Y, labels)) == 0
    # Where those without a label lie in the heap of a class, they are no neighbours, and not listed.
    if not known.all():
        Y[np.flatnonzero(~known)] = Y[known][0] + 1e-3 * np.arange((~known).sum())[:, None]
        assert len(inspect.mislabelled(Y, labels)) == 0
        assert len(names) < 2 or evaluate(Y, labels)["knn_accuracy"] == 1


def test_gallery_frames_those_that_have_a_label():
    Y = np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]])
    ax = plot.gallery(
        Y, np.zeros((4, 8, 8), np.uint8), ["x", None, "y", "x"], indices=[0, 1, 2, 3], columns=5
    )
    colors = [patch.get_edgecolor() for patch in ax.patches]
    assert len(colors) == 3 and colors[0] == colors[2] != colors[1]


@pytest.mark.parametrize("draw", [plot.scatter, plot.gallery])
def test_cost_does_not_depend_on_a_label_s_value(draw):
    Y, X = heaps(range(6)), np.zeros((6 * MANY, 8, 8), np.uint8)
    start = time.process_time()
    draw(*(Y, X)[: 1 + (draw is plot.gallery)], np.arange(6 * MANY) % 2 + 10**15)
    matplotlib.pyplot.close("all")
    assert time.process_time() - start < 5


def test_more_than_200_classes_have_colours():
    labels, Y = np.arange(1800) % 600, np.random.default_rng(0).standard_normal((1800, 2))
    ax = plot.scatter(Y, labels)
    assert len(np.unique(ax.collections[0].get_facecolors(), axis=0)) == 600
    column = json.loads(explore(Y, labels=labels)._data)["columns"][0]
    assert column["kind"] == "category" and column["categories"] == [str(i) for i in range(600)]
    metadata = {
        "class": [f"class {i}" for i in np.arange(18000) % 600],
        "file": [f"{i}.png" for i in range(18000)],
    }
    columns = json.loads(explore(np.zeros((18000, 2)) + np.arange(2), metadata=metadata)._data)["columns"]
    assert [column["kind"] for column in columns] == ["category", "text"]


@pytest.mark.parametrize(
    "labels", [[0.5, 1, np.nan, 2, 3, 4], pd.array([0.5, 1, None, 2, 3, 4], dtype="Float64")]
)
def test_fractions_are_a_scale(labels):
    Y = heaps(range(6))[::MANY]
    ax = plot.scatter(Y, labels)
    np.testing.assert_array_equal(ax.collections[1].get_array(), [0.5, 1, 2, 3, 4])
    assert len(ax.collections[0].get_offsets()) == 1 and len(ax.figure.axes) == 2
    assert json.loads(explore(Y, labels=labels)._data)["columns"][0]["kind"] == "number"
    plot.gallery(Y, np.zeros((6, 8, 8), np.uint8), labels)
    matplotlib.pyplot.close("all")
    for measure in (evaluate, inspect.mislabelled):
        with pytest.raises(ValueError, match=r"labels: got fractions, such as 0\.5, want classes"):
            measure(Y, labels, k=2)


@pytest.mark.parametrize(
    ("labels", "given", "names"),
    [
        ([0, 2, -1], ["a", "b", "c"], ["a", "c", ""]),
        ([0.0, 2.0, np.nan], ["a", "b", "c"], ["a", "c", ""]),
        ([False, True, None], ["no", "yes"], ["no", "yes", ""]),
        (["high", "low", ""], ["low", "high"], ["high", "low", ""]),
    ],
)
def test_given_names(labels, given, names):
    Y = np.eye(3)[:, :2]
    assert to_frame(Y, labels=labels, label_names=given)["label"].tolist() == names
    found = json.loads(explore(Y, labels=labels, label_names=given)._data)["columns"][0]["categories"]
    assert found == ["", *sorted(set(names) - {""})]
    legend = plot.scatter(Y, labels, label_names=given).get_legend()
    assert [text.get_text() for text in legend.texts] == [name for name in given if name in names]


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        ([0, 1, 3], ["a"], "label_names: got 1, but labels go up to 3"),
        (["a", "b", "c"], ["a", "b"], "label_names: got names without 'c', which is a label"),
        ([0.5, 1, 2], ["a"], "label_names: got names, but labels are fractions"),
    ],
)
@pytest.mark.parametrize("function", [explore, to_frame, plot.scatter])
def test_names_that_do_not_fit(function, labels, given, message):
    with pytest.raises(ValueError, match=message):
        function(np.eye(3)[:, :2], labels=labels, label_names=given)


def test_measures_say_what_they_lack():
    Y = heaps(range(6))
    one = evaluate(Y, ["a"] * len(Y))
    assert one == {"knn_accuracy": 1}
    for labels in ([None] * len(Y), ["a"] + [None] * (len(Y) - 1)):
        assert len(inspect.mislabelled(Y, labels)) == 0
        with pytest.raises(ValueError, match=r"labels: got [01] images with a label, want two at least"):
            evaluate(Y, labels)
    with pytest.raises(ValueError, match="test: got 0 images with a label"):
        evaluate(Y, [None] * MANY + ["a"] * (5 * MANY), test=range(10))


def test_nothing_but_none():
    Y = np.random.default_rng(0).standard_normal((6, 2))
    for labels in ([-1] * 6, [None] * 6, [np.nan] * 6, [""] * 6):
        assert plot.scatter(Y, labels).get_legend() is None
        assert json.loads(explore(Y, labels=labels)._data)["columns"][0]["categories"] == [""]
        assert not plot.gallery(Y, np.zeros((6, 8, 8), np.uint8), labels).patches
        matplotlib.pyplot.close("all")


FOLDERS = {
    "classes": (["cat/1", "dog/1", "dog/2"], ["cat", "dog", "dog"]),
    "one folder": (["cat/1", "cat/2"], [None, None]),
    "no folder for some": (["cat/1", "2"], ["cat", None]),
    "a folder around all": (["set/cat/1", "set/dog/1"], ["cat", "dog"]),
    "a folder in all": (["cat/images/1", "dog/images/1"], ["cat", "dog"]),
    "two folders in all": (["cat/2024/images/1", "dog/2024/images/1"], ["cat", "dog"]),
    "parts": (["train/cat/1", "train/dog/1", "test/cat/1"], ["cat", "dog", "cat"]),
    "parts in classes": (["cat/train/1", "cat/test/1", "dog/train/1"], ["cat", "cat", "dog"]),
    "parts alone": (["train/1", "test/1"], ["train", "test"]),
    "all of it": (["set/train/cat/pic/1", "set/train/dog/pic/1", "set/val/pic/1"], ["cat", "dog", None]),
    "trains": (["vehicles/train/1", "vehicles/bus/1"], ["train", "bus"]),
    "years and months": (["2018/06/1", "2019/06/1", "2019/07/1"], ["2018/06", "2019/06", "2019/07"]),
    "years around": (["set/2018/06/1", "set/2018/07/1", "set/2019/06/1"], ["2018/06", "2018/07", "2019/06"]),
    "sides": (["sick/left/1", "sick/right/1", "well/left/1"], ["sick/left", "sick/right", "well/left"]),
    "kinds of kinds": (["animal/cat/1", "animal/dog/1", "plant/rose/1"], ["cat", "dog", "rose"]),
    "kinds in kinds": (["cat/1", "cat/kitten/1"], ["cat", "kitten"]),
}  # fmt: skip


@pytest.mark.parametrize(("names", "labels"), FOLDERS.values(), ids=FOLDERS)
def test_labels_from_folders(names, labels):
    assert folder_labels([PurePosixPath(name) for name in names]) == labels


def test_folders_of_numbers_are_in_their_order(tmp_path):
    picture = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    for label in ("10", "9", "1"):
        (tmp_path / label / "images").mkdir(parents=True)
        picture.save(tmp_path / label / "images" / "x.png")
    found = images.from_folder(tmp_path, progress=False)
    assert found.label_names == ["1", "9", "10"] and found.labels.tolist() == [0, 2, 1]
    pictures = [picture] * 4
    found = images.from_files(pictures, labels=[10, 9, None, -1], progress=False)
    assert found.label_names == ["9", "10"] and found.labels.tolist() == [1, 0, -1, -1]
    assert images.from_files(pictures, labels=[None, "", np.nan, -1], progress=False).labels is None
