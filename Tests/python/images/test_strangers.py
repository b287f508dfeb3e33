"""Pictures that are made to harm: each is one skipped file with its reason, soon and in little memory."""

import gzip
import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib

import imagecodecs
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tifffile
from helpers import forget_peak, memory, program
from PIL import Image, ImageOps
from test_images import QUIET, idx, noise, png
from tsimcne_swift import images
from tsimcne_swift._cli import main
from tsimcne_swift.images import _workers
from tsimcne_swift.images._decoding import _limits, _opening, _pixels
from tsimcne_swift.images._decoding._inner import _size

POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 20 20
%%EndComments
newpath 0 0 20 20 rectfill showpage
"""
GOOD = noise(20, 24, 3)


def tiff(side, bits, compression, segment, kind=1):
    """A TIFF file of one strip that says side × side values."""
    tags = [
        *((256, 4, side), (257, 4, side), (258, 3, bits), (259, 3, compression), (262, 3, 1), (273, 4, None)),
        *((277, 3, 1), (278, 4, side), (279, 4, len(segment)), (339, 3, kind)),
    ]
    start = 8 + 2 + 12 * len(tags) + 4
    fields = [struct.pack("<HHII", tag, type, 1, start if v is None else v) for tag, type, v in tags]
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(fields) + bytes(4) + segment


def deflated_zeros(megabytes):
    """A zlib stream that is made quickly: one piece, again and again."""
    pack = zlib.compressobj(9)
    start, piece = (pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return start + (megabytes - 1) * piece


def reasons(folder):
    """The reason for each skipped file, by name; the good file is read."""
    (folder / "good.png").write_bytes(png(GOOD))
    found = images.from_folder(folder, **QUIET)
    assert found.names == ["good.png"]
    np.testing.assert_array_equal(found.images[0], GOOD)
    return dict(found.skipped)


@pytest.fixture
def ghostscript(tmp_path_factory, monkeypatch):
    """A program with Ghostscript's name, which leaves a mark."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "gs").write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    (folder / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    return folder / "ran"


def test_postscript_is_no_picture(tmp_path, ghostscript):
    for name in ("cat.png", "cat.eps", "cat.jpg"):
        (tmp_path / name).write_bytes(POSTSCRIPT)
    assert set(reasons(tmp_path).values()) == {"is no picture that is known"}
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("cat.png", POSTSCRIPT)
        archive.writestr("good.png", png(GOOD))
    assert len(images.from_zip(tmp_path / "set.zip", **QUIET).skipped) == 1
    table = pyarrow.table({"image": [POSTSCRIPT, png(GOOD)]})
    pyarrow.parquet.write_table(table, tmp_path / "set.parquet")
    assert len(images.from_parquet(tmp_path / "set.parquet", **QUIET).skipped) == 1
    with Image.open(tmp_path / "cat.eps") as opened:
        skipped = images.from_files([opened, GOOD], **QUIET).skipped
    assert skipped == [("0", "ValueError: is EPS, which is no kind of pixels")]
    assert not ghostscript.exists()


def test_kinds_are_pixels_alone():
    Image.init()
    refused = {"EPS", "WMF", "GRIB", "BUFR", "HDF5", "MPEG", "IPTC"}
    assert refused <= set(Image.OPEN) and not refused & set(_opening.RASTER)
    assert {"JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"} <= set(_opening.formats())


def test_bytes_are_judged_by_headers(tmp_path):
    jpeg_2000 = imagecodecs.jpeg2k_encode(np.zeros((4000, 4000), np.uint16), level=0)
    jpeg_xl = imagecodecs.jpegxl_encode(np.zeros((3000, 4000), np.uint16), lossless=True, effort=1)
    (tmp_path / "float64.tif").write_bytes(tiff(16384, 64, 8, deflated_zeros(2), 3))
    (tmp_path / "jpeg2000.tif").write_bytes(tiff(16, 16, 34712, jpeg_2000))
    (tmp_path / "jpegxl.tif").write_bytes(tiff(16, 16, 50002, jpeg_xl))
    tifffile.imwrite(tmp_path / "whole.tif", noise(20, 24).astype(np.uint16), compression="jpegxl")
    (tmp_path / "good.png").write_bytes(png(GOOD))
    found = images.from_folder(tmp_path, **QUIET)
    assert found.names == ["good.png", "whole.tif"]
    assert dict(found.skipped) == {
        "float64.tif": "ValueError: has 2,147,483,648 bytes when it is decoded, want at most 536,870,912",
        "jpeg2000.tif": "ValueError: holds a part of 4000×4000 pixels, and says 256",
        "jpegxl.tif": "ValueError: holds a part of 4000×3000 pixels, and says 256",
    }


@pytest.mark.parametrize("shape", [(8, 8), (16, 256), (300, 400), (9000, 20), (1, 700), (160, 90)])
def test_size_of_jpeg_xl(shape):
    data = imagecodecs.jpegxl_encode(np.zeros(shape, np.uint8), effort=1)
    assert _size(data) == shape[::-1]


def test_a_stream_that_is_longer_than_it_says(tmp_path):
    for bits in (8, 16):
        (tmp_path / f"{bits}.tif").write_bytes(tiff(64, bits, 8, deflated_zeros(1500)))
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("long.png", bytes(1 << 20))
        archive.writestr("good.png", png(GOOD))
    data = bytearray((tmp_path / "set.zip").read_bytes())
    # The archive's directory says that the entry is short.
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 100)
    (tmp_path / "set.zip").write_bytes(data)
    assert images.from_zip(tmp_path / "set.zip", **QUIET).names == ["good.png"]
    started = time.process_time()
    for name, reason in images.from_files([tmp_path / "8.tif", tmp_path / "16.tif", GOOD], **QUIET).skipped:
        assert "Error" in reason, name
    assert time.process_time() - started < 5


# What a decoder may do; the limits are those of the tests.
MISCHIEF = (
    "import sys; sys.path[:] = sys.argv[1:]\n"
    "import os, time, numpy, _decoding._serve as s\n"
    "s.PROCESSOR_SECONDS, s.CLOCK_SECONDS, whole = 0.2, 3.0, s.open_data\n"
    "def open_data(data, ending):\n"
    "    if data == b'loop':\n"
    "        while True: pass\n"
    "    if data == b'wait': time.sleep(60)\n"
    "    if data == b'crash': os.kill(os.getpid(), 11)\n"
    "    if data == b'leave': os._exit(3)\n"
    "    if data == b'memory': numpy.ones(1 << 40, numpy.uint8)\n"
    "    if data == b'write': os.write(os.open(f'/proc/self/cwd/{ending}', os.O_CREAT | os.O_WRONLY), b'x')\n"
    "    return whole(data, ending)\n"
    "s.open_data = open_data\n"
    "s.serve()"
)


def test_what_ends_a_process_is_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(_workers, "PROGRAM", MISCHIEF)
    monkeypatch.chdir(tmp_path)
    kinds = ("loop", "wait", "crash", "leave", "memory", "write")
    for kind in kinds:
        (tmp_path / f"{kind}.png").write_bytes(kind.encode())
    for i in range(40):
        (tmp_path / f"{i:02}.png").write_bytes(png(noise(20, 24, 3, seed=i)))
    found = images.from_folder(tmp_path, **QUIET)
    assert found.names == [f"{i:02}.png" for i in range(40)]
    for i, image in enumerate(found.images):
        np.testing.assert_array_equal(image, noise(20, 24, 3, seed=i))
    skipped = {name.split(".")[0]: reason for name, reason in found.skipped}
    assert skipped.pop("write").startswith("OSError")
    assert skipped == {
        "loop": f"takes more than {_limits.PROCESSOR_SECONDS} s to be decoded",
        "wait": f"takes more than {_limits.CLOCK_SECONDS} s to be decoded",
        "crash": "ends the process that reads it (SIGSEGV)",
        "leave": "ends the process that reads it (exit code 3)",
        "memory": "wants more than 2,048 MiB to be decoded",
    }


def test_no_process_is_left(tmp_path):
    (tmp_path / "good.png").write_bytes(png(GOOD))

    def children():
        found = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True)
        return found.stdout.count(b"_decoding")

    images.from_folder(tmp_path, **QUIET)
    (tmp_path / "good.png").write_bytes(b"")
    with pytest.raises(ValueError, match="no picture that can be read"):
        images.from_folder(tmp_path, **QUIET)
    assert children() == 0


def test_an_interrupt_waits_for_no_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(_workers, "PROGRAM", MISCHIEF.replace("0.2, 3.0", "60, 60"))
    for i in range(8):
        (tmp_path / f"{i}.png").write_bytes(b"loop")
    timer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        images.from_folder(tmp_path, **QUIET)
    assert time.monotonic() - started < 30


def test_a_process_that_does_not_start(tmp_path, monkeypatch):
    (tmp_path / "good.png").write_bytes(png(GOOD))
    monkeypatch.setattr(_workers, "PROGRAM", "raise SystemExit(5)")
    with pytest.raises(RuntimeError, match=r"^images: .*did not start.*exit code 5"):
        images.from_folder(tmp_path, **QUIET)


def test_pictures_are_decoded_once(tmp_path, monkeypatch):
    """Size and channels come from headers, and so does how a picture is turned."""
    picture = Image.fromarray(noise(20, 40, 3))
    exif = picture.getexif()
    exif[0x0112] = 6
    for ending in ("png", "jpg", "webp", "tif"):
        picture.save(tmp_path / f"turned.{ending}", exif=exif)

    def load(self):
        raise AssertionError("is decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    for path in tmp_path.iterdir():
        found = _pixels.facts_of(_opening.open_data(path.read_bytes(), path.suffix))
        assert found == _pixels.Facts((40, 20), 3), path


def test_a_turn_behind_the_pixels(tmp_path):
    picture = Image.fromarray(noise(20, 40, 3))
    exif = picture.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "png", exif=exif)
    data = file.getvalue()
    place = data.index(b"eXIf") - 4
    length = 12 + struct.unpack(">I", data[place : place + 4])[0]
    chunk, end = data[place : place + length], data.index(b"IEND") - 4
    moved = data[:place] + data[place + length : end] + chunk + data[end:]
    (tmp_path / "a.png").write_bytes(moved)
    found = images.from_folder(tmp_path, **QUIET)
    np.testing.assert_array_equal(found.images[0], np.asarray(ImageOps.exif_transpose(picture)))


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_what_never_ends_is_refused_by_name(tmp_path, kind, capsys):
    path = tmp_path / "thing.parquet"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    for read, argument in (
        (images.from_zip, "path"),
        (images.from_idx, "images"),
        (images.from_parquet, "path"),
    ):
        with pytest.raises(ValueError, match=rf"^{argument}: got .*thing.parquet, which is no regular file"):
            read(path)
    with pytest.raises(ValueError, match=r"^path: got .*thing.parquet"):
        images.from_parquet(tmp_path)
    assert images.from_files([path, GOOD], **QUIET).skipped == [(str(path), "ValueError: is no regular file")]
    output = ["-o", str(tmp_path / "map.html")]
    assert main(["embed", str(path), *output]) != 0
    assert "source: got" in capsys.readouterr().err
    np.save(tmp_path / "set.npy", noise(20, 8, 8))
    assert main(["embed", str(tmp_path / "set.npy"), "--metadata", str(path), *output]) != 0
    assert "metadata: got" in capsys.readouterr().err


def read_all(paths):
    """Prints what is wrong with each file, and how many MiB that took."""
    forget_peak()
    before = memory("VmRSS")
    for path in paths:
        try:
            images.from_idx(path)
        except ValueError as error:
            print(error)
    print((memory("VmHWM") - before) >> 20)


def test_gzipped_idx_in_bounded_memory(tmp_path):
    """What a few megabytes unpack to is not held, or is read only as far as the header says."""
    head = struct.pack(">4BIII", 0, 0, 8, 3, 2, 8, 8)
    (tmp_path / "long").write_bytes(gzip.compress(head) + 300 * gzip.compress(bytes(10 << 20), 1))
    (tmp_path / "cut").write_bytes(gzip.compress(idx(noise(5, 9, 8)))[:-20])
    (tmp_path / "lies").write_bytes(gzip.compress(struct.pack(">4BIII", 0, 0, 8, 3, 2**31 - 1, 1024, 1024)))
    reading = program(__file__, "read_all(sys.argv[1:])")
    paths = [str(tmp_path / name) for name in ("long", "cut", "lies")]
    found = subprocess.run(
        [sys.executable, "-c", reading, *paths], capture_output=True, text=True, check=True, timeout=60
    )
    long, cut, lies, megabytes = found.stdout.splitlines()
    assert "with more values, want (2, 8, 8)" in long
    assert "damaged" in cut or "want (5, 9, 8)" in cut
    assert "want (2147483647, 1024, 1024)" in lies
    assert int(megabytes) < 100


def test_a_table_larger_than_the_memory(tmp_path, monkeypatch):
    pyarrow.parquet.write_table(pyarrow.table({"image": [png(GOOD)] * 3}), tmp_path / "set.parquet")
    monkeypatch.setattr(images._row_groups, "available_memory", lambda: 10)
    with pytest.raises(ValueError, match=r"^image: got .* bytes of the column 'image' .* half of 10,"):
        images.from_parquet(tmp_path / "set.parquet")


def test_two_entries_of_one_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("a.png", png(noise(20, 24, 3, seed=1)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", png(noise(20, 24, 3, seed=2)))
    found = images.from_zip(tmp_path / "set.zip", **QUIET)
    assert found.names == ["a.png", "a.png"]
    for seed in (1, 2):
        np.testing.assert_array_equal(found.images[seed - 1], noise(20, 24, 3, seed=seed))


def test_a_tiff_file_without_pages(tmp_path, capfd):
    """Its reason is a sentence, and nothing is said beside it."""
    (tmp_path / "a.svs").write_bytes(b"II*\0" + b"x" * 200)
    assert reasons(tmp_path) == {"a.svs": "begins like a TIFF file, and has no picture that is known"}
    assert capfd.readouterr().err == ""
