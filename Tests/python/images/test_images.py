"""Pictures from folders, zip files, tables and lists: each compared with what was written."""

import io
import json
import os
import zipfile

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tifffile
from PIL import Image
from tsimcne_swift import images

QUIET = {"progress": False}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(height, width, channels=3):
    """A picture that compression and resizing hardly change."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 / width, y * 255 / height, (x + y) * 255 / (height + width)]
    return np.stack(planes[:channels], axis=2).astype(np.uint8)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    for label, channel in (("cat", 0), ("dog", 1)):
        (tmp_path / label).mkdir()
        for i in range(4):
            Image.fromarray(noise(20, 24, 3, seed=10 * channel + i)).save(tmp_path / label / f"{i}.png")
    return tmp_path


def test_folder_in_order_with_labels(folder):
    found = images.from_folder(folder, **QUIET)
    assert found.images.shape == (8, 20, 24, 3) and found.images.dtype == np.uint8
    assert found.names[:2] == ["cat/0.png", "cat/1.png"] and found.label_names == ["cat", "dog"]
    assert found.labels.tolist() == [0] * 4 + [1] * 4 and found.skipped == []
    np.testing.assert_array_equal(found.images[5], noise(20, 24, 3, seed=11))
    assert "8 images of 20×24×3, 2 labels" in repr(found)


def test_zip_is_as_its_folder(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png"), reverse=True):
            archive.write(file, file.relative_to(folder))
        archive.writestr("__MACOSX/cat/._0.png", b"x")
    a, b = images.from_zip(path, **QUIET), images.from_folder(folder, **QUIET)
    np.testing.assert_array_equal(a.images, b.images)
    assert (a.names, a.label_names) == (b.names, b.label_names)


def test_broken_files_are_listed_and_others_kept(folder):
    (folder / "cat" / "broken.jpg").write_bytes(b"no picture")
    (folder / "cat" / "empty.png").write_bytes(b"")
    (folder / "dog" / "cut.png").write_bytes(png(noise(30, 30, 3))[:200])
    (folder / "dog" / "notes.txt").write_text("passed over")
    (folder / ".hidden.png").write_bytes(b"passed over")
    found = images.from_folder(folder, **QUIET)
    assert len(found) == 8 and found.labels.tolist() == [0] * 4 + [1] * 4
    assert [name for name, _ in found.skipped] == ["cat/broken.jpg", "cat/empty.png", "dog/cut.png"]
    np.testing.assert_array_equal(found.images[4], noise(20, 24, 3, seed=10))


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: got .*missing"):
        images.from_folder(tmp_path / "missing")
    with pytest.raises(ValueError, match=r"path: got .* with 0 files, want pictures"):
        images.from_folder(tmp_path)
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"no picture that can be read; a.png"):
        images.from_folder(tmp_path, **QUIET)
    with pytest.raises(ValueError, match=r"path: got .*want a zip file"):
        images.from_zip(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 4}, "size: got 4"),
        ({"size": (8, 8, 3)}, "size: got"),
        ({"fit": "squeeze"}, "fit: got 'squeeze'"),
        ({"channels": 0}, "channels: got 0"),
        ({"background": "pink"}, "background: got 'pink'"),
        ({"background": (1, 2)}, "background: got"),
        ({"n_jobs": 0}, "n_jobs: got 0"),
    ],
)
def test_bad_options(folder, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        images.from_folder(folder, **QUIET, **options)


def test_an_unknown_option_is_refused(folder):
    with pytest.raises(TypeError, match="sise"):
        images.from_folder(folder, sise=32)


def test_own_size_or_the_usual_one():
    def size(*shapes):
        return images.from_files([noise(*shape, 3) for shape in shapes], **QUIET).images.shape[1:3]

    assert size((40, 30), (40, 30)) == (40, 30)
    assert size((40, 30), (30, 40)) == (64, 64)
    assert size((200, 200), (200, 200)) == (64, 64)


def test_fit():
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 200

    def shown(fit):
        return images.from_files([wide], size=16, fit=fit, background="white", **QUIET).images[0, :, :, 0]

    assert (shown("crop") >= 190).all()
    assert (shown("pad")[0] == 255).all() and shown("pad")[8, 0] == 0
    assert shown("stretch")[8, 8] >= 190 and shown("stretch")[0, 0] <= 10


def test_modes():
    picture = smooth(24, 24)
    colour = Image.fromarray(picture)
    modes = [colour.convert(mode) for mode in ("CMYK", "YCbCr", "HSV", "RGBA")]
    found = images.from_files([colour, colour.quantize(128), *modes], **QUIET).images.astype(int)
    for other in found[1:]:
        assert np.abs(other - picture).mean() < 12
    grey = images.from_files([colour.convert("L"), colour.convert("1"), colour.convert("LA")], **QUIET)
    assert grey.images.shape == (3, 24, 24, 1)
    mixed = images.from_files([colour, colour.convert("L")], **QUIET)
    assert mixed.images.shape[3] == 3
    assert images.from_files([colour], channels=1, **QUIET).images.shape[3] == 1


def test_transparency_shows_the_background():
    clear = np.zeros((10, 10, 4), np.uint8)
    for background, value in (("white", 255), ("black", 0), ((1, 2, 3), 1)):
        found = images.from_files([clear], background=background, **QUIET)
        assert (found.images[..., 0] == value).all()


def test_exif_sets_upright(tmp_path):
    picture = Image.fromarray(smooth(20, 40))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    found = images.from_folder(tmp_path, **QUIET).images[0]
    np.testing.assert_array_equal(found, np.rot90(smooth(20, 40), -1))


def test_more_than_eight_bits(tmp_path):
    values = np.linspace(500, 4000, 30 * 30).reshape(30, 30).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values[::-1]).save(tmp_path / "b.png")
    found = images.from_folder(tmp_path, **QUIET).images
    assert found.shape == (2, 30, 30, 1)
    expected = np.clip((values - 500.0) / 3500 * 255, 0, 255)
    assert np.abs(found[0, :, :, 0] - expected).max() <= 3
    np.testing.assert_array_equal(found[1], found[0, ::-1])


def test_channels_of_tiff(tmp_path):
    stack = np.stack([(i + 1) * 1000.0 * smooth(20, 20)[:, :, 0] for i in range(5)]).astype(np.uint32)
    for i in range(3):
        tifffile.imwrite(tmp_path / f"{i}.tif", stack, photometric="minisblack")
    found = images.from_folder(tmp_path, **QUIET).images
    assert found.shape == (3, 20, 20, 5)
    # Each channel is scaled for itself.
    np.testing.assert_allclose(found[0, :, :, 0], found[0, :, :, 4], atol=1)


def test_other_channels_are_skipped(tmp_path):
    for i in range(3):
        tifffile.imwrite(tmp_path / f"{i}.tif", np.zeros((5, 20, 20), np.uint16), photometric="minisblack")
    tifffile.imwrite(tmp_path / "odd.tif", np.zeros((4, 20, 20), np.uint16), photometric="minisblack")
    found = images.from_folder(tmp_path, **QUIET)
    assert len(found) == 3 and found.skipped == [("odd.tif", "ValueError: got 4 channels, others have 5")]


def test_cache_holds_the_images(folder, tmp_path_factory):
    (folder / "cat" / "broken.png").write_bytes(b"x")
    path = tmp_path_factory.mktemp("cache") / "set.npy"
    found = images.from_folder(folder, cache=path, **QUIET)
    assert isinstance(found.images, np.memmap)
    np.testing.assert_array_equal(np.load(path), images.from_folder(folder, **QUIET).images)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_entries_of_a_zip_are_read_each_by_itself(tmp_path):
    """Entries of one name, or of names that are written differently, are told apart."""
    path = tmp_path / "set.zip"
    names = ["cat/a.png", "dog/b.png", "./dog/c.png", "dog//d.png", "cat/a.png"]
    with zipfile.ZipFile(path, "w") as archive:
        for seed, name in enumerate(names):
            archive.writestr(name, png(noise(20, 24, 3, seed=seed)))
    found = images.from_zip(path, **QUIET)
    assert found.names == ["cat/a.png", "cat/a.png", "dog/b.png", "dog/c.png", "dog/d.png"]
    for image, seed in zip(found.images, (0, 4, 1, 2, 3), strict=True):
        np.testing.assert_array_equal(image, noise(20, 24, 3, seed=seed))


def test_large_sets_leave_memory(folder, monkeypatch):
    monkeypatch.setattr(images._storage, "MEMORY_SHARE", 0.0)
    found = images.from_folder(folder, **QUIET)
    assert isinstance(found.images, np.memmap)
    np.testing.assert_array_equal(found.images[5], noise(20, 24, 3, seed=11))


def test_files_with_labels(folder):
    pictures = [folder / "cat" / "0.png", str(folder / "cat" / "1.png"), noise(9, 9), Image.new("L", (9, 9))]
    found = images.from_files(pictures, labels=["b", "a", None, "b"], **QUIET)
    assert found.labels.tolist() == [1, 0, -1, 1] and found.label_names == ["a", "b"]
    assert found.names[2:] == ["2", "3"]
    with pytest.raises(ValueError, match="labels: got 1, want one for each of 4"):
        images.from_files(pictures, labels=["a"])
    with pytest.raises(ValueError, match="pictures: got an empty list"):
        images.from_files([])


class Torchvision:
    """What torchvision's data sets look like."""

    classes = ("cat", "dog")

    def __init__(self):
        self.rows = [(Image.fromarray(noise(12, 12, 3, seed=i)), i % 2) for i in range(4)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def test_dataset_of_pairs():
    found = images.from_dataset(Torchvision(), **QUIET)
    assert found.labels.tolist() == [0, 1, 0, 1] and found.label_names == ["cat", "dog"]
    np.testing.assert_array_equal(found.images[3], noise(12, 12, 3, seed=3))


@pytest.fixture
def parquet(tmp_path):
    pictures = [{"bytes": png(noise(12, 12, 3, seed=i)), "path": None} for i in range(4)]
    table = pyarrow.table({"image": pictures, "label": [0, 1, -1, 1], "other": [1, 2, 3, 4]})
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "set.parquet")
    return tmp_path / "set.parquet"


def test_parquet(parquet):
    found = images.from_parquet(parquet, **QUIET)
    assert found.labels.tolist() == [0, 1, -1, 1] and found.label_names == ["cat", "dog"]
    np.testing.assert_array_equal(found.images[2], noise(12, 12, 3, seed=2))
    assert images.from_parquet(parquet, label=None, **QUIET).labels is None
    with pytest.raises(ValueError, match="image: got 'picture', want one of the columns image, label, other"):
        images.from_parquet(parquet, image="picture")


def idx(array):
    shape = np.array(array.shape, ">i4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()


def test_idx(tmp_path):
    (tmp_path / "x").write_bytes(idx(noise(5, 9, 8)))
    (tmp_path / "y").write_bytes(idx(np.array([0, 2, 1, 2, 0], np.uint8)))
    found = images.from_idx(tmp_path / "x", tmp_path / "y")
    np.testing.assert_array_equal(found.images[..., 0], noise(5, 9, 8))
    assert found.labels.tolist() == [0, 2, 1, 2, 0] and found.label_names == ["0", "1", "2"]
    with pytest.raises(ValueError, match="labels: got shape"):
        images.from_idx(tmp_path / "x", tmp_path / "x")
    with pytest.raises(ValueError, match="label_names: got 2"):
        images.from_idx(tmp_path / "x", tmp_path / "y", label_names=["a", "b"])


@pytest.mark.parametrize(
    "data", [b"", b"abc", b"\0\0\x08", idx(noise(5, 9, 8))[:-1], idx(noise(5, 9, 8)) + b"x"]
)
def test_damaged_idx(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ValueError, match=r"images: got .*x"):
        images.from_idx(tmp_path / "x")


def bomb(side):
    """A PNG of some kilobytes that asks for side × side pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_would_fill_the_memory_is_skipped(folder, tmp_path_factory):
    (folder / "cat" / "bomb.png").write_bytes(bomb(12_000))
    os.mkfifo(folder / "dog" / "pipe.png")
    (folder / "dog" / "outside.png").symlink_to("/nowhere/picture.png")
    found = images.from_folder(folder, **QUIET)
    assert len(found) == 8
    assert [(name, reason.split(":")[0]) for name, reason in found.skipped] == [
        ("cat/bomb.png", "ValueError"),
        ("dog/outside.png", "ValueError"),
        ("dog/pipe.png", "ValueError"),
    ]
    path = tmp_path_factory.mktemp("zip") / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escape.png", png(noise(20, 24, 3)))
        archive.writestr("good.png", png(noise(20, 24, 3)))
        with archive.open("large.png", "w", force_zip64=True) as file:
            for _ in range(600):
                file.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    found = images.from_zip(path, **QUIET)
    assert found.names == ["good.png"]
    assert "want at most" in found.skipped[0][1]
    assert not (path.parent.parent / "escape.png").exists()
