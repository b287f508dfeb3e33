"""The command, as a person runs it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tsimcne_swift
from helpers import cases
from PIL import Image
from tsimcne_swift import TSimCNE
from tsimcne_swift._cli import main
from tsimcne_swift._cli._arguments import make_parser
from tsimcne_swift._cli._outputs import claim, draw
from tsimcne_swift.datasets import load_emoji
from tsimcne_swift.images import from_files


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
    page = output.read_text(encoding="utf-8")
    assert "attic" in page and list(rows[0])[:4] == ["file", "x", "y", "label"]
    links = json.loads(re.search(r'"links":(\[.*?\])', page)[1])
    assert all((output.parent / link).is_file() for link in links) and len(links) == 80


def test_files_of_all_kinds(tmp_path):
    """Ten of a hundred files (thousands in `make nightly`) are broken, of every kind and in four ways."""
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


@pytest.mark.parametrize("is_labelled", [True, False])
def test_the_picture_has_images_and_names(is_labelled):
    emoji = load_emoji()
    few = from_files(list(emoji.images[:90]), labels=list("ab$" * 30) if is_labelled else None)
    Y = np.random.default_rng(0).standard_normal((90, 2)).astype(np.float32)
    clusters = {"cluster": ["cat"] * 40 + ["dog"] * 40 + [""] * 10}
    (ax,) = draw(Y, few, clusters, "cost: $5").axes
    names = {text.get_text() for text in ax.get_legend().get_texts()}
    assert names == ({"a", "b", r"\$"} if is_labelled else {"cat", "dog"}) and ax.get_title() == r"cost: \$5"
    assert 5 < len(ax.images) <= 90


def test_a_model_maps_again(trained, folder, tmp_path, capsys):
    output, _ = trained
    again = tmp_path / "again.html"
    assert (
        main(["embed", str(folder), "-o", str(again), "--model", str(output.with_suffix(".safetensors"))])
        == 0
    )
    assert again.with_suffix(".csv").read_text() == output.with_suffix(".csv").read_text()
    said = capsys.readouterr().out
    assert "80 images in" in said and "(chance: 0.500)" in said and f"open {again} in a browser" in said
    assert "embed NEW --model " in said and not again.with_suffix(".safetensors").exists()


def test_a_page_that_is_a_folder(trained, folder, tmp_path, capsys):
    model = str(trained[0].with_suffix(".safetensors"))
    page = tmp_path / "map"
    command = ["embed", str(folder), "-o", f"{page}/", "--model", model]
    assert main(command) == 0
    assert f"open {page / 'index.html'} in a browser" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map", "map.csv", "map.png"]
    assert (page / "tiles" / "0.js").exists()
    # It is kept under another name, and replaced where that is asked for and there is nothing else in it.
    assert main(command) == 0 and (tmp_path / "map.1" / "index.html").exists()
    assert main([*command, "--overwrite"]) == 0
    (page / "mine").touch()
    assert main([*command, "--overwrite"]) == 1
    assert "a folder that holds other things than a map" in capsys.readouterr().err


def test_evaluate_and_inspect_and_info(trained, folder, capsys):
    model = str(trained[0].with_suffix(".safetensors"))
    assert main(["evaluate", model, str(folder), "--json"]) == 0
    measures = json.loads(capsys.readouterr().out)
    # Places at random have a trustworthiness of one half.
    assert measures["knn_accuracy"] > 0.9 and 0.6 < measures["trustworthiness"] <= 1
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


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--max-time", "soon"], "TIME: got 'soon', want seconds, or a time like '90s'"),
        (["--max-time", "-5"], "TIME: got -5.0, want more than 0 seconds"),
    ],
)
def test_bad_times_are_said_before_anything_is_read(more, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["embed", "/nowhere", *more])
    assert stopped.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(("text", "seconds"), [("600", 600), ("0.5", 0.5), ("90s", 90), ("1h30min", 5400)])
def test_a_bare_number_is_seconds(text, seconds):
    assert make_parser().parse_args(["embed", "photos", "--max-time", text]).max_time == seconds


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"tsimcne-swift {tsimcne_swift.__version__}\n"


@pytest.mark.parametrize("what", ["no checkpoint", "another seed", "another recipe"])
def test_a_foreign_checkpoint_is_said_before_anything_is_read(what, trained, tmp_path, capsys):
    path, more = tmp_path / "map.checkpoint", []
    if what == "no checkpoint":
        shutil.copy(trained[0].with_suffix(".safetensors"), path)
    else:
        X = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
        TSimCNE(checkpoint=path, max_time=2, random_state=0, augmentation="natural").fit(X)
        more = ["--seed", "1"] if what == "another seed" else ["--recipe", "paper"]
    assert main(["embed", "/nowhere", "-o", str(tmp_path / "map.html"), "--resume", *more]) == 1
    error = capsys.readouterr().err
    assert {"no checkpoint": "is not a checkpoint", "another seed": "random_state: got 1"}.get(
        what, "was made with"
    ) in error


def test_two_runs_do_not_write_the_same_files(folder, tmp_path, capsys):
    page = tmp_path / "map.html"
    with claim(page):
        assert main(["embed", str(folder), "-o", str(page)]) == 1
        assert f"another run writes {page} now" in capsys.readouterr().err
        with claim(tmp_path / "other.html"):
            pass
    with claim(page):
        pass
    assert files_of(tmp_path) == {}


def test_what_cannot_be_written_in_its_place_is_written_elsewhere(
    trained, folder, tmp_path, monkeypatch, capsys
):
    from tsimcne_swift._cli import _embed

    write, elsewhere = _embed.write_outputs, tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))

    def full(outputs, *others):
        if outputs.page.parent == tmp_path:
            raise OSError(28, "No space left on device")
        write(outputs, *others)

    monkeypatch.setattr(_embed, "write_outputs", full)
    model = str(trained[0].with_suffix(".safetensors"))
    assert main(["embed", str(folder), "-o", str(tmp_path / "map.html"), "--model", model]) == 1
    (rescued,) = elsewhere.iterdir()
    error = capsys.readouterr().err
    assert "No space left on device" in error and f"all is written to {rescued} instead" in error
    assert sorted(files_of(rescued)) == ["map.csv", "map.html", "map.png"]


def test_progress_in_a_file_is_a_few_lines(trained, folder, tmp_path):
    """Read from a pipe: each line is whole, and there are not as many as states of a bar."""
    command = [sys.executable, "-m", "tsimcne_swift", "embed", folder, "-o", tmp_path / "map.html"]
    run = subprocess.run([*command, "--max-time", "7"], capture_output=True, text=True, check=True)
    bars = [line for line in run.stderr.splitlines() if "%" in line]
    assert any(line.startswith("reading") for line in bars) and "\r" not in run.stderr
    assert 3 <= len(bars) <= 12
    assert any(line.startswith("learning to see: 100%") for line in bars)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "npz", "parquet", "shards"])
def test_sources(kind, trained, folder, tmp_path, capsys):
    """The same pictures from each kind of file, with the labels that the folders give them."""
    pictures = sorted(path for path in folder.rglob("*.png"))
    table = pyarrow.table(
        {"img": [path.read_bytes() for path in pictures], "kind": [path.parent.name for path in pictures]}
    )
    source = tmp_path / f"set.{kind}"
    more = ["--label-column", "kind"] if kind in ("parquet", "shards") else []
    if kind.startswith("tar"):
        with tarfile.open(source, "w:gz" if kind == "tar.gz" else "w") as archive:
            archive.add(folder, "./set")
    elif kind == "npz":
        X = np.stack([np.asarray(Image.open(path)) for path in pictures])
        names = np.array([path.parent.name for path in pictures])
        np.savez(source, train_images=X[::2], train_labels=names[::2, None], test_images=X[1::2],
                 test_labels=names[1::2, None])  # fmt: skip
    elif kind == "parquet":
        pyarrow.parquet.write_table(table, source)
    else:
        source.mkdir()
        (source / "README.md").write_text("A set.")
        pyarrow.parquet.write_table(table[:40], source / "train-0.parquet")
        pyarrow.parquet.write_table(table[40:], source / "train-1.parquet")
    output = tmp_path / "map.html"
    model = ["--model", str(trained[0].with_suffix(".safetensors"))]
    assert main(["embed", str(source), "-o", str(output), *model, *more]) == 0
    capsys.readouterr()
    rows = list(csv.DictReader(output.with_suffix(".csv").open()))
    expected = list(csv.DictReader(trained[0].with_suffix(".csv").open()))
    assert sorted((row["x"], row["y"], row["label"]) for row in rows) == sorted(
        (row["x"], row["y"], row["label"]) for row in expected
    )


def test_a_list_of_copies_and_a_way_to_move_them_and_back(trained, folder, tmp_path, capsys):
    source, aside, table = tmp_path / "photos", tmp_path / "aside", tmp_path / "groups.csv"
    shutil.copytree(folder, source)
    (source / "copies").mkdir()
    for i in range(3):
        shutil.copy(source / "red" / f"0{i}.png", source / "copies" / f"{i}.png")
    # The same pixels, but not the same file.
    Image.open(source / "blue" / "05.png").save(source / "copies" / "x.png", compress_level=1)
    picture = np.asarray(Image.open(source / "blue" / "07.png")).astype(int)
    noisy = np.clip(picture + np.random.default_rng(0).integers(-3, 4, picture.shape), 0, 255)
    Image.fromarray(noisy.astype(np.uint8)).save(source / "copies" / "near.png")

    def contents():
        return {path.relative_to(source): path.read_bytes() for path in source.rglob("*") if path.is_file()}

    before = contents()
    command = ["inspect", str(trained[0].with_suffix(".safetensors")), str(source), "--list", str(table)]
    assert main([*command, "--move-to", str(aside), "--json"]) == 0
    moved = json.loads(capsys.readouterr().out)["moved"]
    # The first by name stays.
    assert moved == ["red/00.png", "red/01.png", "red/02.png"]
    assert contents() == {path: data for path, data in before.items() if str(path) not in moved}
    rows = list(csv.DictReader(table.open()))
    assert {row["file"] for row in rows} == {str(path) for path in before if path.suffix == ".png"}
    exact = [(row["file"], row["first"]) for row in rows if row["kind"] == "exact"]
    assert ("copies/0.png", "yes") in exact and ("red/00.png", "no") in exact and len(exact) == 8
    near = {row["file"]: float(row["distance"]) for row in rows if row["kind"] == "near"}
    assert {"blue/07.png", "copies/near.png"} <= near.keys() and all(near.values())
    assert main([*command, "--move-to", str(aside)]) == 1
    assert "there already" in capsys.readouterr().err
    (source / "red" / "01.png").write_bytes(b"another file")
    assert main(["restore", str(aside)]) == 1
    assert "01.png; nothing was moved" in capsys.readouterr().err
    (source / "red" / "01.png").unlink()
    assert main(["restore", str(aside)]) == 0
    assert "3 files are back" in capsys.readouterr().out and contents() == before
    for place, message in ((source / "aside", "want a folder outside"), (aside, "want a new folder, or")):
        assert main([*command[:3], "--move-to", str(place)]) == 1
        assert message in capsys.readouterr().err
    assert main(["restore", str(tmp_path)]) == 1 and contents() == before


def test_labels_and_keys_of_a_table(trained, folder, tmp_path, capsys):
    table = tmp_path / "table.csv"
    lines = [f"{i % 3},{path.relative_to(folder)}" for i, path in enumerate(sorted(folder.rglob("*.png")))]
    table.write_text("ward,picture\n" + "\n".join(lines) + "\n")
    command = ["embed", str(folder), "-o", str(tmp_path / "map.html"), "--metadata", str(table)]
    command += ["--model", str(trained[0].with_suffix(".safetensors"))]
    assert main([*command, "--label-column", "ward", "--key", "picture"]) == 0
    assert "column 'picture'" in capsys.readouterr().err
    rows = list(csv.DictReader((tmp_path / "map.csv").open()))
    assert [row["label"] for row in rows] == [str(i % 3) for i in range(80)]
    for more, message in (
        (["--label-column", "age"], "label-column: got 'age', want one of the columns ward"),
        (["--key", "age"], "key: got 'age', want one of the columns"),
        (["--image-column", "age"], "image-column: got 'age', want it with .parquet and .npz files only"),
    ):
        assert main([*command, "--overwrite", *more]) == 1
        assert message in capsys.readouterr().err


def test_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["embed", ".", "--fit", "squeeze"])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit):
        main(["embed", "--help"])
    assert "examples:" in capsys.readouterr().out


def test_interrupt_writes_a_map_and_resume_goes_on(folder, tmp_path):
    output = tmp_path / "map.html"
    command = [sys.executable, "-m", "tsimcne_swift", "embed", folder, "-o", output, "--max-time"]
    run = subprocess.Popen(
        [*command, "5min"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    said = b""
    # The bar has shown a step.
    while b"stage=1" not in said:
        part = run.stderr.read(1000)
        assert part, said
        said += part
    os.kill(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130 and b"interrupted: writing the map" in said
    assert TSimCNE.load(output.with_suffix(".safetensors")).n_components == 2
    assert output.stat().st_size > 1000 and output.with_suffix(".checkpoint").exists()
    assert main([*map(str, command[3:-1]), "--max-time", "20s"]) == 1  # it would lose the checkpoint
    assert main([*map(str, command[3:-1]), "--max-time", "12s", "--resume"]) == 0
    assert not output.with_suffix(".checkpoint").exists()


def files_of(folder):
    """Names and contents of the files; a link has the place it leads to as its contents."""
    return {
        path.name: (os.readlink(path) if path.is_symlink() else path.read_bytes())
        for path in folder.iterdir()
    }


LINKS = {
    "itself": lambda table, path: table.rename(path),
    "a link": lambda table, path: path.symlink_to(table),
    "a hard link": lambda table, path: path.hardlink_to(table),
    "a relative link": lambda table, path: path.symlink_to(table.name),
}


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
@pytest.mark.parametrize("way", LINKS)
@pytest.mark.parametrize("ending", [".csv", ".png", ".html", ".safetensors", ".checkpoint"])
def test_the_table_that_is_read_stays(way, ending, more, folder, tmp_path, capsys):
    table, path = tmp_path / "table.txt", tmp_path / f"map{ending}"
    table.write_text("file,weight\nred/00.png,1\n")
    LINKS[way](table, path)
    before = files_of(tmp_path)
    metadata = path if way == "itself" else table
    output = tmp_path / "map.html"
    assert main(["embed", str(folder), "-o", str(output), "--metadata", str(metadata), *more]) == 1
    assert f"output: {path} is the file {metadata}, which is read" in capsys.readouterr().err
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("what", ["model", "picture"])
def test_models_and_pictures_that_are_read_stay(what, trained, folder, tmp_path, capsys):
    source, model = tmp_path / "photos", tmp_path / "map.safetensors"
    shutil.copytree(folder, source)
    shutil.copy(trained[0].with_suffix(".safetensors"), model)
    if what == "picture":
        before = files_of(source / "red")
        arguments = [str(source), "-o", str(source / "red" / "00.html"), "--overwrite"]
    else:
        before = files_of(tmp_path / "photos" / "red")
        (tmp_path / "map.png").symlink_to(model)
        arguments = [str(source), "-o", str(tmp_path / "map.html"), "--overwrite", "--model", str(model)]
    assert main(["embed", *arguments]) == 1
    assert "which is read" in capsys.readouterr().err and files_of(source / "red") == before


def test_files_of_another_run_stay(trained, folder, tmp_path, capsys):
    output, _ = trained
    for path in output.parent.glob("map.*"):
        shutil.copy(path, tmp_path)
    before = files_of(tmp_path)
    command = ["embed", str(folder), "-o", str(tmp_path / "map.html")]
    model = ["--model", str(tmp_path / "map.safetensors")]
    assert main([*command, *model, "--json"]) == 0
    # The model maps, and is no output of this run.
    moved = {f"map{ending}": f"map.1{ending}" for ending in (".html", ".png", ".csv")}
    older = json.loads(capsys.readouterr().out)["older"]
    assert older == {str(tmp_path / old): str(tmp_path / new) for old, new in moved.items()}
    after = files_of(tmp_path)
    assert {name: after[name] for name in moved.values()} == {new: before[old] for old, new in moved.items()}
    assert after["map.safetensors"] == before["map.safetensors"] and after["map.csv"] == before["map.csv"]
    # One number is free for all files of a run.
    assert main([*command, "--max-time", "6s", "--seed", "1"]) == 0
    error = capsys.readouterr().err
    assert "of an earlier run will be kept as" in error and str(tmp_path / "map.2.safetensors") in error
    again = files_of(tmp_path)
    endings = (".html", ".png", ".csv", ".safetensors")
    assert all(again[f"map.2{ending}"] == after[f"map{ending}"] for ending in endings)
    assert again["map.safetensors"] != before["map.safetensors"]
    assert main([*command, *model, "--overwrite"]) == 0
    assert "replaces " in capsys.readouterr().err and set(files_of(tmp_path)) == set(again)


def test_files_of_another_run_stay_where_reading_fails(trained, tmp_path):
    (tmp_path / "empty").mkdir()
    output = tmp_path / "out" / "map.html"
    output.parent.mkdir()
    shutil.copy(trained[0].with_suffix(".csv"), output.with_suffix(".csv"))
    before = files_of(output.parent)
    assert main(["embed", str(tmp_path / "empty"), "-o", str(output)]) == 1
    assert files_of(output.parent) == before


def test_overwrite_begins_anew(folder, tmp_path, capsys):
    (tmp_path / "map.checkpoint").write_bytes(b"of another run")
    command = ["embed", str(folder), "-o", str(tmp_path / "map.html"), "--max-time", "6s"]
    assert main(command) == 1
    assert "go on with --resume, or begin anew with --overwrite" in capsys.readouterr().err
    assert (tmp_path / "map.checkpoint").read_bytes() == b"of another run"
    assert main([*command, "--overwrite"]) == 0
    assert sorted(files_of(tmp_path)) == ["map.csv", "map.html", "map.png", "map.safetensors"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("/proc/map.html", "/proc/map.html"),
        # The model's name is the first that is too long.
        ("n" * 245 + ".html", "File name too long"),
        ("folder.html", "folder.html is there and no regular file"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(
    output, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    assert main(["embed", "/nowhere", "-o", output]) == 1
    assert message in capsys.readouterr().err and os.listdir(tmp_path) == ["folder.html"]


def test_room_for_all_files_at_once_is_tried(folder, trained, tmp_path, monkeypatch, capsys):
    """Before anything is read, where each alone would fit; and before training, with so many images."""
    reserve, room = os.posix_fallocate, 12 << 20

    def fallocate(descriptor, first, size):
        if size > room:
            raise OSError(28, "No space left on device")
        reserve(descriptor, first, size)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    output = str(tmp_path / "map.html")
    assert main(["embed", "/nowhere", "-o", output]) == 1
    assert "output: the files want 16,7" in capsys.readouterr().err
    model = ["--model", str(trained[0].with_suffix(".safetensors"))]
    room = (1 << 20) + (1 << 14) + (1 << 10) + 79 * 300
    assert main(["embed", str(folder), "-o", output, *model]) == 1
    assert "bytes at least (No space left on device)" in capsys.readouterr().err
    room += 300
    assert main(["embed", str(folder), "-o", output, *model]) == 0


def test_packages_that_write_are_missed_before_anything_is_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["embed", "/nowhere", "-o", str(tmp_path / "map.html")]) == 1
    assert "install tsimcne-swift[images,plot,explore]" in capsys.readouterr().err


def test_a_model_that_is_learnt_is_not_lost_to_a_full_disk(folder, tmp_path, monkeypatch, capsys):
    """The files cannot be written: the checkpoint stays, and --resume makes them."""
    from tsimcne_swift._cli import _embed

    command = ["embed", str(folder), "-o", str(tmp_path / "map.html"), "--max-time", "6s"]

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_embed, "write_outputs", full)
        assert main(command) == 1
    assert "No space left" in capsys.readouterr().err and (tmp_path / "map.checkpoint").exists()
    assert main([*command, "--resume"]) == 0
    assert sorted(files_of(tmp_path)) == ["map.csv", "map.html", "map.png", "map.safetensors"]


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A folder whose name, and whose files' names, are not UTF-8, formulas, or mathematics."""
    path = tmp_path_factory.mktemp("strange") / os.fsdecode(b"stra\xdfe $\\x$")
    for label, name in (
        (b"k\xf6ln", b"\xe4.png"),
        (b"@SUM(1)", b"=1+1.png"),
        (b"$\\x$", b"-a;=b.png"),
        (b"-1", b"a,b.png"),
    ):
        (path / os.fsdecode(label)).mkdir(parents=True)
        for i in range(5):
            picture = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(picture).save(path / os.fsdecode(label) / os.fsdecode(b"%d" % i * (i > 0) + name))
    return path


def run(*arguments):
    """The command in a process of its own, whose standard output takes UTF-8 alone."""
    return subprocess.run(
        [sys.executable, "-m", "tsimcne_swift", *arguments], capture_output=True, check=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
    ).stdout.decode()  # fmt: skip


def test_names_of_any_bytes(strange, trained, tmp_path):
    """The run comes to its end: table, page, picture, and what is printed are there."""
    model = trained[0].with_suffix(".safetensors")
    output = tmp_path / os.fsdecode(b"\xe4.html")
    metadata = tmp_path / "weights.csv"
    metadata.write_bytes(b"file,city\nk\xf6ln/\xe4.png,K\xf6ln\n")
    more = ["--model", model, "--metadata", metadata]
    result = json.loads(run("embed", strange, "-o", output, "--json", *more))
    assert result["images"] == 20 and result["files"]["table"].endswith(r"\xe4.csv")
    assert r"\xe4.csv" in run("embed", strange, "-o", output, "--overwrite", *more)
    page = output.read_text(encoding="utf-8")
    assert (
        r"k\\xf6ln/\\xe4.png" in page
        and r"K\\xf6ln" in page
        and output.with_suffix(".png").stat().st_size > 1000
    )
    with open(output.with_suffix(".csv"), newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert rows[r"k\xf6ln/\xe4.png"]["label"] == r"k\xf6ln"
    assert rows["'@SUM(1)/=1+1.png"]["label"] == "'@SUM(1)" and rows["'-1/a,b.png"]["label"] == "-1"
    assert "$\\x$/-a;'=b.png" in rows and all(float(row["x"]) for row in rows.values())
    found = json.loads(run("inspect", model, strange, "--json", "--top", "20"))
    assert r"k\xf6ln/\xe4.png" in str(found).replace("\\\\", "\\")
    assert r"\xe4.png" in run("inspect", model, strange)


def test_a_table_that_embed_wrote_is_metadata(strange, trained, tmp_path):
    from tsimcne_swift._cli._sources import read_metadata
    from tsimcne_swift.images import from_folder

    run("embed", strange, "-o", tmp_path / "map.html", "--model", trained[0].with_suffix(".safetensors"))
    collection = from_folder(strange, progress=False)
    columns = read_metadata(tmp_path / "map.csv", collection.names)
    assert np.isfinite(columns["x"]).all() and "'@SUM(1)" in columns["label"]
