"""What photographs say of themselves: when, with what and where they were taken."""

import csv
import json
import re

import numpy as np
import pytest
from helpers import small
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from test_images import QUIET, noise
from tsimcne_swift import images
from tsimcne_swift._cli import main

PICTURE = noise(20, 24, 3)


def exif(fields=(), taken=None, place=None):
    found = Image.Exif()
    found.update(dict(fields))
    if taken is not None:
        found[0x8769] = {0x9003: taken}
    if place is not None:
        found[0x8825] = place
    return found


def degrees(*parts):
    return tuple(IFDRational(*part) if isinstance(part, tuple) else IFDRational(part) for part in parts)


WHOLE = exif(
    {0x10F: "NIKON CORPORATION", 0x110: "NIKON D5\0", 0x132: "2024:05:02 10:00:00"},
    "2023:01:02 03:04:05",
    {1: "S", 2: degrees(48, 30, 36), 3: "E", 4: degrees((223, 20), 0, 0)},
)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_columns(kind, tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / f"a.{kind}", exif=WHOLE)
    Image.fromarray(PICTURE).save(tmp_path / "b.png")
    with Image.open(tmp_path / f"a.{kind}") as opened:
        found = images.from_files([opened, PICTURE], **QUIET)
    for collection in (images.from_folder(tmp_path, **QUIET), found):
        columns = collection.metadata
        assert list(columns) == ["taken", "camera", "latitude", "longitude"]
        assert columns["taken"][0] == np.datetime64("2023-01-02T03:04:05") and np.isnat(columns["taken"][1])
        assert columns["camera"].tolist() == ["NIKON D5", ""]
        np.testing.assert_allclose(columns["latitude"], [-48.51, np.nan])
        np.testing.assert_allclose(columns["longitude"], [11.15, np.nan])


def test_pictures_that_say_nothing_have_no_columns():
    assert images.from_files([PICTURE], **QUIET).metadata == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (exif({0x132: "2024:05:02 10:00:00"}), {"taken": "2024-05-02T10:00:00"}),
        (exif({0x132: "0000:00:00 00:00:00"}, "    :  :     :  :  "), {}),
        (exif({0x132: "2024:13:02 10:00:00"}), {}),
        (exif({0x10F: "Canon", 0x110: "EOS 5D"}), {"camera": "Canon EOS 5D"}),
        (exif({0x110: "x\x07" + "y" * 200}), {"camera": "x" + "y" * 99}),
        (exif(place={1: "N", 2: degrees((1, 0), 0, 0), 3: "W", 4: degrees(200, 0, 0)}), {}),
        (
            exif(place={2: degrees(10, 0, 0), 3: "W", 4: degrees(20, 0, 0)}),
            {"latitude": 10, "longitude": -20},
        ),
    ],
)
def test_what_cameras_write(written, said, tmp_path):
    """What makes no sense is left out, and no reason to skip a picture."""
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", exif=written)
    found = images.from_folder(tmp_path, **QUIET)
    assert len(found) == 1
    assert {name: str(column[0]) for name, column in found.metadata.items()} == {
        name: str(float(value)) if isinstance(value, int) else value for name, value in said.items()
    }


def test_columns_stay_with_their_pictures(tmp_path):
    """Where others are skipped, and in another layout."""
    for i in range(4):
        Image.fromarray(PICTURE).save(tmp_path / f"{i}.jpg", exif=exif({0x110: f"camera {i}"}))
    (tmp_path / "1.jpg").write_bytes(b"broken")
    found = images.from_folder(tmp_path, **QUIET)
    again = found.like(images.Layout((16, 16), 1))
    for collection in (found, again):
        assert collection.metadata["camera"].tolist() == ["camera 0", "camera 2", "camera 3"]


def test_the_page_has_the_columns(tmp_path, capsys):
    """A table's column of the same name counts more."""
    (tmp_path / "in").mkdir()
    for i in range(24):
        picture = Image.fromarray(noise(16, 16, 3, seed=i))
        picture.save(
            tmp_path / "in" / f"{i:02}.jpg", exif=exif({0x110: f"camera {i % 2}"}, "2024:05:02 10:00:00")
        )
    small().fit(images.from_folder(tmp_path / "in", **QUIET)).save(tmp_path / "m.safetensors")
    with open(tmp_path / "table.csv", "w", newline="") as file:
        csv.writer(file).writerows([["file", "camera"], *([f"{i:02}.jpg", "lens"] for i in range(24))])
    command = ["embed", str(tmp_path / "in"), "-o", str(tmp_path / "map.html"), "--overwrite"]
    command += ["--model", str(tmp_path / "m.safetensors")]
    for more, cameras in (
        ([], ["camera 0", "camera 1"]),
        (["--metadata", str(tmp_path / "table.csv")], ["lens"]),
    ):
        assert main([*command, *more]) == 0
        columns = columns_of_page((tmp_path / "map.html").read_text(encoding="utf-8"))
        assert columns["camera"]["categories"] == cameras and columns["taken"]["kind"] == "time"


def columns_of_page(text):
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)[1]
    return {column["name"]: column for column in json.loads(data)["columns"]}
