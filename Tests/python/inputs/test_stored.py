"""Images that are read from elsewhere, and memory that is bounded."""

import threading

import h5py
import numpy as np
import pytest
import zarr
from helpers import assert_same_bits, images, small
from tsimcne_swift._checks.memory_sizes import check_size
from tsimcne_swift._inputs.chunked import Readahead, StoredImages
from tsimcne_swift._inputs.images import Images

X = images(70, (9, 10, 3))


class Slices:
    """The least that a sequence has."""

    def __init__(self, array, chunks=None):
        self.array, self.reads = array, []
        if chunks:
            self.chunks, self.shape, self.dtype = chunks, array.shape, array.dtype

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        self.reads.append((rows.start, rows.stop))
        return self.array[rows]


def running():
    """How many threads there are, but for the one that watches progress bars from the first one on."""
    return sum(thread.name != "tqdm_monitor" for thread in threading.enumerate())


@pytest.mark.parametrize("chunks", [None, (16, 9, 10, 3), ((16, 16, 16, 16, 6), (9,), (10,), (3,))])
def test_maps_as_arrays_do(chunks):
    """Blocks change the order of training; the map that a network makes of the images stays the same."""
    source, threads = Slices(X, chunks), running()
    model = small().fit(source)
    assert model.embedding_.shape == (70, 2)
    assert_same_bits(model.transform(X), model.embedding_)
    assert_same_bits(model.transform(Slices(X)), model.embedding_)
    assert_same_bits(small(n_jobs=1).fit(Slices(X, chunks)).embedding_, model.embedding_)
    assert running() == threads


def test_floats_and_other_integers():
    for array in (X.astype(np.float32) / 255, X.astype(np.float64) / 255, X.astype(np.int16)):
        stored, own = StoredImages(Slices(array)), Images(array)
        assert stored.format == own.format == "f"
        assert_same_bits(stored.batch(np.array([3, 60, 4])), own.batch(np.array([3, 60, 4])))
        assert_same_bits(stored.batch(slice(5, 9)), own.batch(slice(5, 9)))


def test_a_window_at_a_time():
    """Blocks are read once an epoch, in the order in which they are wanted."""
    source = Slices(X, (5, 9, 10, 3))
    stored = StoredImages(source)
    assert stored.shuffle(None)[0] == 5
    assert stored.shuffle(4 * 2 * 5 * 270) == (5, 2)
    source.reads.clear()
    order = np.random.default_rng(0).permutation(70)
    ahead = Readahead(stored, [order[i : i + 8] for i in range(16, 70, 8)])
    batches = [ahead.next() for _ in range(7)]
    ahead.close()
    np.testing.assert_array_equal(np.concatenate([indices for indices, _ in batches]), order[16:])
    assert_same_bits(np.concatenate([values for _, values in batches]), X[order[16:]])
    assert len(source.reads) == len(set(source.reads)) <= 14


def test_resumes(tmp_path):
    whole = small(total_epochs=[3, 1, 1]).fit(Slices(X, (8, 9, 10, 3)))
    params = {"total_epochs": [3, 1, 1], "checkpoint": tmp_path / "run.ckpt", "checkpoint_every": 1e-6}
    small(**params, callbacks=lambda record: record.epoch == 2).fit(Slices(X, (8, 9, 10, 3)))
    resumed = small(**params).fit(Slices(X, (8, 9, 10, 3)), resume=True)
    assert_same_bits(resumed.embedding_, whole.embedding_)


def test_default_recipe():
    Y = small(total_epochs="fast", n_views=2).fit_transform(Slices(X))
    assert np.isfinite(Y).all()


class Broken(Slices):
    def __getitem__(self, rows):
        if rows.start > 20:
            raise OSError("the disk is gone")
        return super().__getitem__(rows)


def test_errors_of_reading_arrive():
    threads = running()
    with pytest.raises(OSError, match="the disk is gone"):
        small().fit(Broken(X, (8, 9, 10, 3)))
    assert running() == threads
    late = X.astype(np.float32) / 255
    late[60] = np.nan
    with pytest.raises(ValueError, match="X: got NaN"):
        small().fit(Slices(late, (8, 9, 10, 3)))


def test_wrong_sequences():
    with pytest.raises(ValueError, match="X: got no images"):
        small().fit(Slices(X[:0]))
    with pytest.raises(ValueError, match="pixels"):
        small().fit(Slices(X[:, :3]))
    model = small().fit(X)
    with pytest.raises(ValueError, match="X: got images of"):
        model.transform(Slices(X[:, :8]))


def test_less_memory_gives_another_grouping_and_a_map():
    model = small(batch_size=32, patch_words=0, max_memory="1MB").fit(X)
    assert np.isfinite(model.embedding_).all()
    assert not np.array_equal(model.embedding_, small(batch_size=32, patch_words=0).fit(X).embedding_)
    assert_same_bits(
        small(batch_size=32, patch_words=0, max_memory="1MB", n_jobs=1).fit(X).embedding_, model.embedding_
    )
    assert_same_bits(
        small(batch_size=32, patch_words=0, max_memory="4GB").fit(X).embedding_,
        small(batch_size=32, patch_words=0).fit(X).embedding_,
    )
    with pytest.raises(ValueError, match=r"max_memory: got 0.0*1 MB, but training wants at least"):
        small(max_memory=1000, plane="parametric").fit(X)


@pytest.mark.parametrize(
    ("value", "size"), [(5, 5), ("500MB", 500_000_000), ("4 GiB", 4 << 30), ("1.5kb", 1500), ("7", 7)]
)
def test_sizes(value, size):
    assert check_size("max_memory", value) == size


@pytest.mark.parametrize("value", ["", "4 apples", "-1GB", 0, -3, "1e99"])
def test_wrong_sizes(value):
    with pytest.raises(ValueError, match="max_memory"):
        check_size("max_memory", value)


@pytest.mark.parametrize("value", [1.5, True, [1]])
def test_sizes_of_another_type(value):
    with pytest.raises(TypeError, match="max_memory"):
        check_size("max_memory", value)


def test_zarr_and_hdf5(tmp_path):
    stored = zarr.create_array(tmp_path / "x.zarr", shape=X.shape, chunks=(16, 9, 10, 3), dtype="uint8")
    stored[:] = X
    model = small().fit(stored)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("x", data=X, chunks=(16, 9, 10, 3))
        assert_same_bits(small().fit(data).embedding_, model.embedding_)
    assert_same_bits(small().fit(Slices(X, (16, 9, 10, 3))).embedding_, model.embedding_)
