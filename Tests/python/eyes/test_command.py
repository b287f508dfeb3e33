"""The command with eyes."""

import csv
import json

import numpy as np
import pytest
from onnx_files import network
from PIL import Image
from tsimcne_swift import TSimCNE
from tsimcne_swift._cli import main
from tsimcne_swift._eyes.session import Session


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for label, channel in (("blue", 2), ("red", 0)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for i in range(40):
            picture = random.integers(0, 60, (20, 16, 3), dtype=np.uint8)
            picture[..., channel] += 180
            Image.fromarray(picture).save(tmp_path / "photos" / label / f"{i:02}.png")
    return tmp_path / "photos"


@pytest.fixture
def eyes(tmp_path):
    return network(tmp_path / "eyes.onnx", size=(12, 12))


@pytest.fixture
def seen(monkeypatch):
    """Images that sessions saw, without probes of grey ones; Ctrl-C comes after ``last``."""
    run, counts = Session.run, {"images": 0, "last": 10**9}

    def counting(self, values):
        if (values == 128).all():
            return run(self, values)
        if counts["images"] >= counts["last"]:
            raise KeyboardInterrupt
        counts["images"] += len(values)
        return run(self, values)

    monkeypatch.setattr(Session, "run", counting)
    return counts


def test_a_run_that_is_killed_goes_on(folder, eyes, seen, tmp_path, capsys):
    output = tmp_path / "map.html"
    command = ["embed", str(folder), "--eyes", eyes, "--eyes-preset", "imagenet", "-o", str(output)]
    seen["last"] = 64
    assert main(command) == 130
    assert seen["images"] == 64 and not output.exists()
    seen["last"] = 10**9
    assert main([*command, "--resume", "--json"]) == 0
    # 16 are left, in a batch of 32.
    assert seen["images"] == 96
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["images"] == 80 and result["knn_accuracy"] > 0.9
    assert result["files"]["features"] == str(tmp_path / "map.features")
    model = TSimCNE.load(tmp_path / "map.safetensors")
    # Pictures are read in the size that the eyes want.
    assert model.image_shape_ == (12, 12, 3)
    with open(tmp_path / "map.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    places = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    assert np.allclose(places, model.embedding_, rtol=1e-5)
    seen["images"] = 0
    assert main([*command, "--recipe", "fast", "--overwrite"]) == 0
    assert seen["images"] == 0


def test_commands_on_a_model_with_eyes(folder, eyes, tmp_path, capsys):
    output = tmp_path / "map.html"
    assert main(["embed", str(folder), "--eyes", eyes, "--eyes-preset", "clip", "-o", str(output)]) == 0
    capsys.readouterr()
    model = str(tmp_path / "map.safetensors")
    assert main(["info", model]) == 0
    said = capsys.readouterr().out
    assert "backbone: Onnx" in said
    assert "eyes: eyes.onnx (SHA-256 " in said and "12×12 pixels (crop, bicubic), mean 0.4815 0.4578" in said
    assert "6 features of 'out'" in said
    (tmp_path / "eyes.onnx").rename(tmp_path / "moved.onnx")
    assert main(["info", model, "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["eyes"]["file"] == "eyes.onnx" and written["eyes"]["columns"] == 6
    assert main(["inspect", model, str(folder)]) == 1
    assert "error: backbone_file: there is no " in capsys.readouterr().err
    moved = ["--eyes", str(tmp_path / "moved.onnx")]
    assert main(["evaluate", model, str(folder), *moved, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["knn_accuracy"] > 0.9
    new = ["embed", str(folder), "--model", model, *moved, "-o", str(tmp_path / "new.html")]
    assert main(new) == 0
    assert (tmp_path / "new.csv").read_text() == (tmp_path / "map.csv").read_text()


WRONG = {
    "no file": (["--eyes", "none.onnx"], "error: backbone.path: there is no "),
    "preset alone": (["--eyes-preset", "clip"], "error: eyes-preset: got 'clip' without --eyes; want both"),
    "kind of images": (
        ["--eyes", "eyes.onnx", "--preset", "text"], "error: preset: got 'text', but eyes look at images as",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "text"), WRONG.values(), ids=WRONG.keys())
def test_wrong(said, text, folder, eyes, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["embed", "photos", "-o", "map.html", *said]) == 1
    assert text in capsys.readouterr().err
