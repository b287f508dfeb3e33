"""The command prepares new pictures as those of its model, and counts what it did not read."""

import csv
import json
import shutil

import numpy as np
import pytest
import tifffile
from helpers import small
from PIL import Image
from tsimcne_swift import TSimCNE, images
from tsimcne_swift._cli import main


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """Deep grey pictures, and a model of them that knows how they were prepared."""
    folder = tmp_path_factory.mktemp("deep")
    (folder / "set").mkdir()
    random = np.random.default_rng(0)
    for i in range(24):
        values = random.random((20, 30)) * (300 + 1000 * (i % 8)) + 200
        tifffile.imwrite(folder / "set" / f"{i:02}.tif", values.astype(np.uint16))
    model = small().fit(images.from_folder(folder / "set", fit="pad", size=16, progress=False))
    model.save(folder / "model.safetensors")
    return folder / "set", folder / "model.safetensors"


def places(path):
    with open(path, newline="") as file:
        return {row["file"]: (row["x"], row["y"]) for row in csv.DictReader(file)}


def test_a_file_alone_lands_where_it_lands_among_others(deep, tmp_path):
    folder, model = deep
    (tmp_path / "new").mkdir()
    shutil.copy(folder / "07.tif", tmp_path / "new")
    for source, name in ((folder, "all"), (tmp_path / "new", "alone")):
        assert main(["embed", str(source), "-o", str(tmp_path / f"{name}.html"), "--model", str(model)]) == 0
    alone = places(tmp_path / "alone.csv")
    assert list(alone) == ["07.tif"] and alone["07.tif"] == places(tmp_path / "all.csv")["07.tif"]


def test_a_run_keeps_how_it_read(deep, tmp_path, capsys):
    output = tmp_path / "map.html"
    command = ["embed", str(deep[0]), "-o", str(output), "--max-time", "5s"]
    assert main([*command, "--fit", "stretch", "--size", "16", "--scale", "0,9000"]) == 0
    layout = TSimCNE.load(output.with_suffix(".safetensors")).image_layout_
    assert (layout.fit, layout.size, layout.scale) == ("stretch", (16, 16), (0, 9000))
    assert (
        "note: values that are not 8 bits (uint16, grey): 0 to 9000 became black" in capsys.readouterr().err
    )
    again = ["embed", str(deep[0]), "-o", str(tmp_path / "again.html")]
    assert main([*again, "--model", str(output.with_suffix(".safetensors"))]) == 0
    assert places(tmp_path / "again.csv") == places(output.with_suffix(".csv"))


@pytest.mark.parametrize("kind", ["colour", "grey", "npy", "floats"])
def test_pictures_of_another_kind_are_brought_into_form(kind, deep, tmp_path, capsys):
    source, random = tmp_path / "new", np.random.default_rng(1)
    pictures = random.integers(0, 256, (4, 40, 50, 3) if kind == "colour" else (4, 40, 50), np.uint8)
    if kind in ("npy", "floats"):
        source = tmp_path / "new.npy"
        np.save(source, pictures if kind == "npy" else pictures / 255)
    else:
        source.mkdir()
        for i, picture in enumerate(pictures):
            Image.fromarray(picture).save(source / f"{i}.png")
    model = str(deep[1])
    assert main(["embed", str(source), "-o", str(tmp_path / "map.html"), "--model", model]) == 0
    assert len(places(tmp_path / "map.csv")) == 4
    for command in ("inspect", "evaluate"):
        assert main([command, model, str(source)]) == 0
    assert "note: each of 4 images has 3 neighbours, not 15" in capsys.readouterr().err


def test_what_a_model_says_already(deep, tmp_path, capsys):
    command = ["embed", str(deep[0]), "-o", str(tmp_path / "map.html"), "--model", str(deep[1])]
    assert main([*command, "--fit", "crop", "--size", "32"]) == 1
    assert "model: it says how pictures are prepared, which excludes --size, --fit" in capsys.readouterr().err


def test_a_model_of_an_array_knows_the_shape(deep, tmp_path, capsys):
    model = tmp_path / "model.safetensors"
    X = np.random.default_rng(0).integers(0, 256, (20, 12, 10, 3), np.uint8)
    small().fit(X).save(model)
    command = ["embed", str(deep[0]), "--model", str(model), "-o"]
    assert main([*command, str(tmp_path / "map.html"), "--fit", "pad"]) == 0
    assert "note: how the pictures of this model were prepared is not known" in capsys.readouterr().err
    assert len(places(tmp_path / "map.csv")) == 24


def test_what_is_not_read_is_counted(deep, tmp_path, capsys):
    source = tmp_path / "set"
    source.mkdir()
    for i in range(3):
        shutil.copy(deep[0] / f"{i:02}.tif", source)
    for i in range(30):
        (source / f"{i}.nef").write_bytes(b"x")
    (source / "notes.txt").write_text("x")
    command = ["embed", str(source), "-o", str(tmp_path / "map.html"), "--model", str(deep[1]), "--overwrite"]
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == (
        "3 read, 30 skipped (30 × is a camera's raw file; develop it to JPEG or TIFF first), "
        "1 other files (1 × is no picture (.txt))"
    )
    assert err.count("skipped ") == 20 + 1 and "… and 10 more" in err
    assert "error: more pictures were skipped (30) than read (3)" in err
    assert main([*command, "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["images"], result["skipped"], result["others"]) == (3, 30, 1)
    for i in range(28):
        (source / f"{i}.nef").unlink()
    assert main(command) == 0


@pytest.mark.parametrize("array", [np.zeros((40, 12, 64, 64), np.uint8), np.zeros((32, 32, 3), np.uint8)])
def test_arrays_of_another_order_are_refused(array, tmp_path, capsys):
    np.save(tmp_path / "x.npy", array)
    assert main(["embed", str(tmp_path / "x.npy"), "-o", str(tmp_path / "map.html")]) == 1
    error = capsys.readouterr().err
    assert "channels first; want" in error or "want (n, height, width[, channels])" in error


@pytest.mark.parametrize("labels", [["a"] * 6, ["a", *"....."], list("abcdef"), list("aab...")])
def test_sets_with_few_labels(labels, deep, tmp_path, capsys):
    source = tmp_path / "set"
    for i, label in enumerate(labels):
        (source / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(deep[0] / f"{i:02}.tif", source / label / f"{i:02}.tif")
    for command in ("evaluate", "inspect"):
        assert main([command, str(deep[1]), str(source), "--json"]) == 0
    assert main(["embed", str(source), "-o", str(tmp_path / "map.html"), "--model", str(deep[1])]) == 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_pictures(count, deep, tmp_path, capsys):
    source = tmp_path / "set"
    source.mkdir()
    for i in range(count):
        shutil.copy(deep[0] / f"{i:02}.tif", source)
    model = str(deep[1])
    assert main(["embed", str(source), "-o", str(tmp_path / "map.html"), "--model", model]) == 0
    assert len(places(tmp_path / "map.csv")) == count
    for command in ("evaluate", "inspect"):
        assert main([command, model, str(source)]) == 0
