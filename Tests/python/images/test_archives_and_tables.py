"""Archives as programs write them, and tables as data sets have them."""

import bz2
import gzip
import io
import json
import lzma
import os
import re
import tarfile
import zipfile

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from tsimcne_swift import images
from tsimcne_swift.images import _row_groups, _tables

QUIET = {"progress": False, "n_jobs": 1}


def png(seed):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)).save(file, "png")
    return file.getvalue()


def same(found):
    """Cats and dogs, two of each."""
    assert found.label_names == ["cat", "dog"] and found.labels.tolist() == [0, 0, 1, 1]
    expected = np.stack([np.asarray(Image.open(io.BytesIO(png(i)))) for i in range(4)])
    np.testing.assert_array_equal(found.images, expected)


WAYS = {
    "plain": "{}/{}.png",
    "here": "./{}/{}.png",
    "double": "set//{}/{}.png",
    "Windows": "set\\{}\\{}.png",
    "from the root": "/{}/{}.png",
    "in images": "set/{}/images/{}.png",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_names_in_zip_files(way, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for i, label in enumerate(["cat", "cat", "dog", "dog"]):
            archive.writestr(way.format(label, i), png(i))
    same(images.from_zip(tmp_path / "set.zip", **QUIET))


def test_names_that_lead_out_of_an_archive_are_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("../a.png", png(0))
        archive.writestr("b.png", png(1))
    found = images.from_zip(tmp_path / "set.zip", **QUIET)
    assert found.names == ["b.png"]
    assert found.skipped == [("../a.png", "has a name that leads out of the archive")]


PACKERS = {
    ".tar": lambda data: data,
    ".tar.gz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
}


def tar(way="{}/{}.png"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for i, label in enumerate(["cat", "cat", "dog", "dog"]):
            member = tarfile.TarInfo(way.format(label, i))
            member.size = len(png(i))
            archive.addfile(member, io.BytesIO(png(i)))
        for name, kind in (("link.png", tarfile.SYMTYPE), ("device.png", tarfile.CHRTYPE), ("._x.png", None)):
            member = tarfile.TarInfo(f"dog/{name}")
            if kind is not None:
                member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    return file.getvalue()


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_tar(ending, way, tmp_path):
    path = tmp_path / f"set{ending}"
    path.write_bytes(PACKERS[ending](tar(way)))
    same(images.from_tar(path, **QUIET))


@pytest.mark.parametrize("ending", list(PACKERS)[1:])
def test_a_damaged_tar_is_named(ending, tmp_path):
    path = tmp_path / f"set{ending}"
    path.write_bytes(PACKERS[ending](tar() + os.urandom(100_000))[:-50_000])
    with pytest.raises(ValueError, match=r"path: got '.*set\.tar\..*', (which is damaged|want a tar)"):
        images.from_tar(path, **QUIET)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="want a tar archive"):
        images.from_tar(path, **QUIET)


def shard(path, samples):
    """As WebDataset has them: the files of a sample have its name, up to the first dot."""
    with tarfile.open(path, "w") as archive:
        for name, data in samples.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def shards(folder):
    for number, label in enumerate(["cat", "dog"]):
        samples = {}
        for i in (2 * number, 2 * number + 1):
            samples |= {
                f"{i:03}.rgb.png": png(i),
                f"{i:03}.cls": f"{label}\n".encode(),
                f"{i:03}.json": b"{}",
            }
        shard(folder / f"train-{number}.tar", samples)
    return [folder / f"train-{number}.tar" for number in range(2)]


@pytest.mark.parametrize("as_folder", [True, False])
def test_shards(as_folder, tmp_path):
    paths = shards(tmp_path)
    found = images.from_tar(tmp_path if as_folder else paths, **QUIET)
    same(found)
    assert found.names[0] == "train-0.tar/000.rgb.png" and found.names[3] == "train-1.tar/003.rgb.png"
    assert [name for name, _ in found.others] == [f"train-{i // 2}.tar/{i:03}.json" for i in range(4)]
    # They are read again from where they lie.
    assert found.like(images.Layout((8, 8), 1)).images.shape == (4, 8, 8, 1)


def test_shards_of_one_name(tmp_path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        shard(tmp_path / place / "x.tar", {"0.png": png(0)})
    paths = [tmp_path / place / "x.tar" for place in ("a", "b")]
    assert images.from_tar(paths, **QUIET).names == [f"{path}/0.png" for path in paths]
    with pytest.raises(ValueError, match="path: got an archive twice"):
        images.from_tar([paths[0], paths[0]], **QUIET)
    (tmp_path / "c").mkdir()
    with pytest.raises(ValueError, match="want a tar archive at least"):
        images.from_tar(tmp_path / "c", **QUIET)


def table(image, label, values=(0, 0, 1, 1), as_struct=True, names=None, count=4):
    pictures = [{"bytes": png(i), "path": f"{i}.png"} if as_struct else png(i) for i in range(count)]
    found = pyarrow.table({image: pictures, label: list(values), "size": [1.5] * count})
    if names is not None:
        features = {label: {"names": names, "_type": "ClassLabel"}}
        found = found.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    return found


@pytest.mark.parametrize("image", ["image", "img", "picture"])
@pytest.mark.parametrize("label", ["label", "labels", "fine_label", "kind"])
@pytest.mark.parametrize("as_struct", [True, False])
def test_columns_of_parquet_files_are_found(image, label, as_struct, tmp_path):
    path = tmp_path / "set.parquet"
    pyarrow.parquet.write_table(table(image, label, as_struct=as_struct, names=["cat", "dog"]), path)
    found = images.from_parquet(path, **QUIET)
    same(found)
    assert found.names == ([f"{i}.png" for i in range(4)] if as_struct else list("0123"))
    assert images.from_parquet(path, label=None, **QUIET).labels is None
    same(images.from_parquet(path, image=image, label=label, **QUIET))


def test_columns_that_are_not_clear(tmp_path):
    path = tmp_path / "set.parquet"
    both = table("left", "kind").append_column("right", table("right", "kind")["right"])
    pyarrow.parquet.write_table(both, path)
    with pytest.raises(ValueError, match=r"image: got columns several with pictures \(left, right\)"):
        images.from_parquet(path, **QUIET)
    assert images.from_parquet(path, image="left", **QUIET).labels is None
    with pytest.raises(ValueError, match="label: got 'species', want one of the columns left, kind"):
        images.from_parquet(path, image="left", label="species", **QUIET)


def test_shards_in_a_folder(tmp_path):
    whole = table("image", "label", names=["cat", "dog"])
    (tmp_path / "data").mkdir()
    for shard in (1, 0):
        part = whole[2 * shard : 2 * shard + 2]
        pyarrow.parquet.write_table(part, tmp_path / "data" / f"train-{shard}.parquet")
    (tmp_path / "README.md").write_text("A set.")
    same(images.from_parquet(tmp_path, **QUIET))
    with pytest.raises(ValueError, match="want Parquet files in it"):
        (tmp_path / "empty").mkdir()
        images.from_parquet(tmp_path / "empty", **QUIET)


def test_parquet_is_read_by_groups_of_rows_of_which_few_stay(tmp_path, monkeypatch):
    most = []

    class Counted(_row_groups.RowGroups):
        def __getitem__(self, row):
            value = super().__getitem__(row)
            most.append(sum(self._groups[place][2] for place in self._kept))
            return value

    rows = [(f"{i}.png", png(i), i % 2) for i in range(60)]
    for shard in range(3):
        part = rows[20 * shard : 20 * shard + 20]
        column = [{"bytes": value, "path": name} for name, value, _ in part]
        made = pyarrow.table({"image": column, "label": [label for *_, label in part]})
        pyarrow.parquet.write_table(made, tmp_path / f"{shard}.parquet", row_group_size=7)
    whole = images.from_parquet(tmp_path, **QUIET)
    monkeypatch.setattr(_tables, "RowGroups", Counted)
    monkeypatch.setattr(_row_groups, "KEPT_BYTES", 20_000)
    found = images.from_parquet(tmp_path, n_jobs=2, progress=False)
    # Seven pictures have about eight thousand bytes, all sixty seventy thousand.
    assert 12_000 < max(most) < 20_000
    np.testing.assert_array_equal(found.images, whole.images)
    np.testing.assert_array_equal(found.images[13], np.asarray(Image.open(io.BytesIO(png(13)))))
    assert found.names == [f"{i}.png" for i in range(60)] and found.labels.tolist() == [0, 1] * 30
    monkeypatch.setattr(_row_groups, "available_memory", lambda: 8000)
    with pytest.raises(ValueError, match="one group of rows, want at most half of 8,000"):
        images.from_parquet(tmp_path, **QUIET)


def test_names_of_classes_keep_their_order(tmp_path):
    """The numbers are those of the table, also where the alphabet has another order."""
    path = tmp_path / "set.parquet"
    names = ["zebra", "bird", "cat"]
    pyarrow.parquet.write_table(table("image", "label", (0, 2, 1, -1), names=names), path)
    found = images.from_parquet(path, **QUIET)
    assert found.label_names == names and found.labels.tolist() == [0, 2, 1, -1]
    pyarrow.parquet.write_table(table("image", "label", (0.0, 2.0, None, np.nan), names=names), path)
    assert images.from_parquet(path, **QUIET).labels.tolist() == [0, 2, -1, -1]
    pyarrow.parquet.write_table(table("image", "label", (10, 9, 2, 10)), path)
    found = images.from_parquet(path, **QUIET)
    assert found.label_names == ["2", "9", "10"] and found.labels.tolist() == [2, 1, 0, 2]


def test_npz(tmp_path):
    random = np.random.default_rng(0)
    X, y = random.integers(0, 256, (6, 28, 28), np.uint8), np.array([[10], [9], [9], [10], [2], [2]])
    path = tmp_path / "set.npz"
    np.savez(path, train_images=X[:4], train_labels=y[:4], test_images=X[4:], test_labels=y[4:])
    found = images.from_npz(path)
    np.testing.assert_array_equal(found.images[..., 0], X)
    assert found.label_names == ["2", "9", "10"] and found.labels.tolist() == [2, 1, 1, 2, 0, 0]
    assert found.names == ["train/0", "train/1", "train/2", "train/3", "test/0", "test/1"]
    found = images.from_npz(path, image="test_images", label="test_labels")
    assert found.names == ["0", "1"] and found.label_names == ["2"]
    np.savez(path, X[..., None])
    assert images.from_npz(path).labels is None and images.from_npz(path).images.shape == (6, 28, 28, 1)
    np.savez(path, images=X / 255, labels=["b", "a", "b", "", "a", "b"])
    found = images.from_npz(path, **QUIET)
    assert found.images.dtype == np.uint8 and found.label_names == ["a", "b"]
    np.testing.assert_array_equal(found.images[..., 0], X)
    assert found.names == list("012345") and found.labels.tolist() == [1, 0, 1, -1, 0, 1]
    colour = random.integers(0, 256, (5, 20, 24, 3), np.uint8)
    np.savez(path, x=np.moveaxis(colour, -1, 1), x_labels=np.arange(5))
    np.testing.assert_array_equal(images.from_npz(path, **QUIET).images, colour)
    assert images.from_npz(path, **QUIET).labels.tolist() == [0, 1, 2, 3, 4]
    np.savez(path, images=colour)
    assert images.from_npz(path, size=12, channels=1, **QUIET).images.shape == (5, 12, 12, 1)
    for arrays, options, message in (
        ({"image": colour[0]}, {}, "image: got shape (20, 24, 3) in image, which looks like one picture"),
        ({"a": X}, {}, "image: got arrays a, want the name of one of images"),
        ({"images": X}, {"image": "a"}, "image: got 'a', want one of the arrays images"),
        ({"images": X}, {"label": "a"}, "label: got 'a', want one of the arrays images"),
        ({"images": X, "labels": y[:3]}, {}, "label: got shape (3, 1) in labels, want (6,)"),
        ({"images": y}, {}, "image: got shape (6, 1) in images"),
        ({"train_images": X, "test_images": X[:, 1:]}, {}, "image: got shapes"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=re.escape(message)):
            images.from_npz(path, **options)
