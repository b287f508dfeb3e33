"""The command, as a person runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import cases
from PIL import Image
from tsimcne_swift import TSimCNE
from tsimcne_swift._cli import main
from tsimcne_swift.datasets import load_emoji


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two kinds of pictures, and a broken file."""
    path = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for label, channel in (("blue", 2), ("red", 0)):
        (path / label).mkdir()
        for i in range(40):
            picture = random.integers(0, 60, (16, 16, 3), dtype=np.uint8)
            picture[..., channel] += 180
            Image.fromarray(picture).save(path / label / f"{i:02}.png")
    (path / "red" / "broken.jpg").write_bytes(b"x")
    return path


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """Files of one run, and what it printed."""
    output = tmp_path_factory.mktemp("out") / "map.html"
    table = output.with_name("table.csv")
    table.write_text("picture,weight,place\nred/00.png,3.5,attic\nblue/01.png,1,cellar\n")
    command = [sys.executable, "-m", "tsimcne_swift", "embed", folder, "-o", output, "--max-time", "8s"]
    run = subprocess.run(
        [*command, "--metadata", table, "--json"], capture_output=True, text=True, check=True
    )
    return output, run


def test_embed_writes_all_files(trained):
    output, run = trained
    result = json.loads(run.stdout)
    assert result["images"] == 80 and result["skipped"] == 1 and not result["interrupted"]
    assert result["seconds"] < 30 and result["knn_accuracy"] > 0.9
    assert "skipped red/broken.jpg" in run.stderr
    for ending in (".html", ".png", ".csv", ".safetensors"):
        assert output.with_suffix(ending).stat().st_size > 1000
    assert not output.with_suffix(".checkpoint").exists()
    rows = list(csv.DictReader(output.with_suffix(".csv").open()))
    assert rows[0]["file"] == "blue/00.png" and rows[0]["label"] == "blue" and float(rows[0]["x"])
    assert "attic" in output.read_text(encoding="utf-8")


def test_files_of_all_kinds(tmp_path):
    """Thousands in `make nightly`; ten are broken, of every kind and in four ways."""
    count = cases(100, 2000)
    emoji = load_emoji(48)
    folder, output = tmp_path / "emoji", tmp_path / "map.html"
    endings, broken = ("jpg", "png", "webp", "tiff"), []
    for i in range(count):
        place = i % len(emoji)
        name = f"{emoji.label_names[emoji.labels[place]]}/{i:04}.{endings[i % 4]}".replace(" ", "-")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(emoji.images[place]).save(path)
        if i == len(broken) * (count // 10 + 1):
            data = path.read_bytes()
            path.write_bytes([b"", b"no picture", data[: len(data) // 3], data[:20]][len(broken) % 4])
            broken.append(name)
    command = [sys.executable, "-m", "tsimcne_swift", "embed", folder, "-o", output, "--json", "--max-time"]
    run = subprocess.run([*command, f"{cases(6, 120)}s"], capture_output=True, text=True, check=True)
    result = json.loads(run.stdout)
    assert result["images"] == count - 10 and result["skipped"] == 10
    skipped = [line.split()[1].rstrip(":") for line in run.stderr.splitlines() if "skipped" in line]
    assert sorted(skipped) == sorted(broken)
    assert sum(1 for _ in output.with_suffix(".csv").open()) == count - 10 + 1
    assert output.stat().st_size > 1000 * count // 2


def test_a_model_maps_again(trained, folder, tmp_path, capsys):
    output, _ = trained
    again = tmp_path / "again.html"
    assert (
        main(["embed", str(folder), "-o", str(again), "--model", str(output.with_suffix(".safetensors"))])
        == 0
    )
    assert again.with_suffix(".csv").read_text() == output.with_suffix(".csv").read_text()
    assert "80 images in" in capsys.readouterr().out and not again.with_suffix(".safetensors").exists()


def test_evaluate_and_inspect_and_info(trained, folder, capsys):
    model = str(trained[0].with_suffix(".safetensors"))
    assert main(["evaluate", model, str(folder), "--json"]) == 0
    measures = json.loads(capsys.readouterr().out)
    assert measures["knn_accuracy"] > 0.9 and 0 < measures["trustworthiness"] <= 1
    assert main(["inspect", model, str(folder), "--top", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("outliers: ") for line in lines) == 3
    assert main(["info", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["image_shape"] == [16, 16, 3]
    assert main(["info"]) == 0
    assert "level: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed", "/nowhere"], "source: there is no /nowhere"),
        (["embed", ".", "-o", "map.txt"], "output: got map.txt, want a name that ends in .html"),
        (["embed", ".", "-o", "/nowhere/map.html"], "output: there is no folder /nowhere"),
        (["embed", ".", "--model", "m", "--resume"], "resume: excludes --model"),
        (["evaluate", "/nowhere", "."], "/nowhere"),
    ],
)
def test_errors(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and "Traceback" not in error


def test_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["embed", ".", "--fit", "squeeze"])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit):
        main(["embed", "--help"])
    assert "examples:" in capsys.readouterr().out


def test_interrupt_writes_a_map_and_resume_goes_on(folder, tmp_path):
    output = tmp_path / "map.html"
    command = [sys.executable, "-m", "tsimcne_swift", "embed", folder, "-o", output, "--json", "--max-time"]
    run = subprocess.Popen(
        [*command, "5min"], stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    time.sleep(8)
    os.kill(run.pid, signal.SIGINT)
    printed, _ = run.communicate(timeout=120)
    assert run.returncode == 130 and json.loads(printed)["interrupted"]
    assert TSimCNE.load(output.with_suffix(".safetensors")).n_components == 2
    assert output.stat().st_size > 1000 and output.with_suffix(".checkpoint").exists()
    assert main([*map(str, command[3:-2]), "--max-time", "20s"]) == 1  # would lose the checkpoint
    assert main([*map(str, command[3:-2]), "--max-time", "12s", "--resume"]) == 0
    assert not output.with_suffix(".checkpoint").exists()
