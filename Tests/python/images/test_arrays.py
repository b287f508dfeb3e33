"""Arrays and tensors of other libraries, as pictures and as what a network is trained on."""

import io
import re

import numpy as np
import pytest
from helpers import assert_same_bits, small
from PIL import Image
from test_images import QUIET, noise, png
from tsimcne_swift import explore, images, inspect, plot, to_frame


class Tensor:
    """What PyTorch's tensors show of themselves."""

    __module__ = "torch"

    def __init__(self, array, grad=True):
        self._array = np.asarray(array)
        self._grad = grad

    @property
    def dtype(self):
        return f"torch.{self._array.dtype}"

    def __len__(self):
        return len(self._array)

    def __getitem__(self, key):
        return Tensor(self._array[key])

    def detach(self):
        return Tensor(self._array, grad=False)

    def cpu(self):
        return self

    def numpy(self):
        if self._grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self._array

    def __array__(self, dtype=None, copy=None):
        return self.numpy()


class Pairs:
    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, i):
        return self.pictures[i], i % 2


def first(picture):
    return np.moveaxis(picture, -1, 0)


COLOUR = noise(20, 24, 3)
KINDS = {
    "bytes": lambda p: first(p),
    "ToTensor": lambda p: first(p).astype(np.float32) / 255,
    "floats to 255": lambda p: first(p).astype(np.float32),
    "whole numbers": lambda p: first(p).astype(np.int64),
    "channels last": lambda p: p,
    "in [-1, 1]": lambda p: first(p).astype(np.float32) / 127.5 - 1,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [Tensor, np.asarray])
def test_pictures_of_data_sets(kind, make):
    pictures = [make(KINDS[kind](COLOUR)) for _ in range(3)]
    for found in (images.from_dataset(Pairs(pictures), **QUIET), images.from_files(pictures, **QUIET)):
        np.testing.assert_array_equal(found.images[2], COLOUR)


def test_normalised_tensors_keep_their_order_and_are_told():
    values = (first(COLOUR) / 255 - 0.5) / 0.2
    found = images.from_files([Tensor(values)] * 2, **QUIET)
    np.testing.assert_allclose(found.images[0].astype(int), COLOUR, atol=2)
    assert found.notes[0].startswith("values that are not 8 bits (float, colour): -2.5 to 2.5")


def test_grey_tensors():
    grey = noise(20, 24)
    for shape in ((20, 24), (1, 20, 24)):
        np.testing.assert_array_equal(
            images.from_files([Tensor(grey.reshape(shape))], **QUIET).images[0, :, :, 0], grey
        )


@pytest.mark.parametrize("shape", [(12, 64, 64), (2, 64, 80)])
def test_what_may_be_either_is_refused(shape):
    with pytest.raises(ValueError, match=r"looks like channels first; want .*numpy.moveaxis\(x, 0, -1\)"):
        images.from_files([np.zeros(shape, np.uint8)], **QUIET)
    with pytest.raises(ValueError, match=r"X: got shape .*looks like channels first; want X.transpose\(0, 2"):
        small().fit(np.zeros((20, *shape), np.uint8))


def test_opacity_of_arrays():
    clear = np.dstack([COLOUR, np.zeros((20, 24), np.uint8)])
    # Where nothing is opaque, opacity is a mistake.
    assert (images.from_files([clear], **QUIET).images[0] == COLOUR).all()
    clear[0, 0, 3] = 255
    found = images.from_files([clear], **QUIET).images[0]
    assert (found[0, 0] == COLOUR[0, 0]).all() and (found.reshape(-1, 3)[1:] == 255).all()
    # Matplotlib reads floats.
    half = np.dstack([COLOUR / 255, np.eye(20, 24)])
    found = images.from_files([half], **QUIET).images[0]
    np.testing.assert_array_equal(found[0, 0], COLOUR[0, 0])
    assert (found[0, 1] == 255).all()
    # Four bands of anything else are channels.
    assert images.from_files([np.ones((20, 24, 4), np.uint16)], **QUIET).images.shape[3] == 4


def test_tensors_are_trained_on_with_channels_last():
    X = noise(40, 9, 10, 3)
    model = small().fit(Tensor(np.moveaxis(X, -1, 1)))
    assert model.image_shape_ == (9, 10, 3)
    assert_same_bits(model.embedding_, small().fit(X).embedding_)
    assert_same_bits(
        model.transform(Tensor(np.moveaxis(X, -1, 1) / np.float32(255))), model.transform(X / np.float32(255))
    )
    with pytest.raises(
        ValueError, match=r"X: got floats from 0 to 255, want \[0, 1\]; scale them, e.g. X / 255"
    ):
        model.transform(Tensor(np.moveaxis(X, -1, 1).astype(np.float32)))


def test_channels_first_where_a_caller_says_that_they_are_last():
    X = noise(20, 8, 32, 32)
    with pytest.raises(ValueError, match=r"or image_shape=\(8, 32, 32\) in fit where they are last"):
        small().fit(X)
    model = small(image_shape=(8, 32, 32), total_epochs=[1]).fit(X)
    assert model.transform(X[:3]).shape == (3, 8)


@pytest.mark.parametrize("make", [np.asarray, lambda X: X.astype(np.int64), lambda X: X / 255, Tensor])
def test_one_rule_for_what_looks_at_images(make):
    """A page, its export and duplicates take what a network is trained on, and show the same."""
    X = noise(20, 9, 10, 3)
    X[7] = X[3]
    given = make(np.moveaxis(X, -1, 1) if make is Tensor else X)
    Y = np.random.default_rng(0).random((20, 2))
    assert [group.tolist() for group in inspect.duplicates(given).groups] == [[3, 7]]
    for image in (0, 7):
        data = to_frame(Y, given)["image"][image]["bytes"]
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), X[image])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((20, 9, 10), 256), "X: got integers from 256 to 256, want 0 to 255"),
        (np.full((20, 9, 10), 2.0), r"X: got floats from 2 to 2, want \[0, 1\]"),
        (np.zeros((20, 9, 10), bool), "X: got booleans"),
        (np.zeros((20, 3, 16, 16), np.uint8), r"looks like channels first; want X.transpose\(0, 2, 3, 1\)"),
    ],
)
def test_what_a_network_refuses_is_refused_by_all(X, message):
    Y = np.random.default_rng(0).random((20, 2))
    for use in (small().fit, inspect.duplicates, lambda X: explore(Y, X), lambda X: plot.gallery(Y, X)):
        with pytest.raises(ValueError, match=message):
            use(X)


def test_a_collection_goes_everywhere_as_it_is():
    found = images.from_files([noise(9, 10, 3, seed=i % 19) for i in range(20)], **QUIET)
    Y = np.random.default_rng(0).random((20, 2))
    assert [group.tolist() for group in inspect.duplicates(found).groups] == [[0, 19]]
    assert len(to_frame(Y, found)) == 20 and len(plot.gallery(Y, found).images) > 0
    assert np.asarray(found).shape == (20, 9, 10, 3)


@pytest.mark.parametrize(
    ("pictures", "labels", "message"),
    [
        ("photos", None, "pictures: got str, want a list of paths"),
        ({"a": COLOUR}, None, "pictures: got dict, want a list of paths"),
        (COLOUR, None, "pictures: got shape (20, 24, 3), which looks like one picture"),
        ([COLOUR] * 2, "ab", "labels: got str, want a list of labels"),
        ([COLOUR] * 2, {"a": 1, "b": 2}, "labels: got dict, want a list of labels"),
        ([COLOUR] * 2, np.eye(2), "labels: got shape (2, 2), want (2,)"),
        ([np.zeros((0, 20, 3), np.uint8)], None, "got an array of shape (0, 20, 3), want"),
    ],
)
def test_what_is_no_list_of_pictures(pictures, labels, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        images.from_files(pictures, labels=labels, **QUIET)


def test_bytes_of_files():
    np.testing.assert_array_equal(images.from_files([png(COLOUR), COLOUR], **QUIET).images, [COLOUR] * 2)


def columns():
    pandas = pytest.importorskip("pandas")
    arrow = pytest.importorskip("pyarrow")
    return {
        "other rows": (pandas.Series(["b", "a", None], index=[7, 3, 9]), ["a", "b"], [1, 0, -1]),
        "categories": (
            pandas.Categorical(["low", "high", None], ["low", "mid", "high"]),
            ["low", "high"],
            [0, 1, -1],
        ),
        "nullable": (pandas.array([10, 9, None], dtype="Int64"), ["9", "10"], [1, 0, -1]),
        "Arrow": (arrow.array(["b", "a", None]), ["a", "b"], [1, 0, -1]),
        "days": (
            pandas.to_datetime(["2024-03-01", "2023-12-31", None]),
            ["2023-12-31", "2024-03-01"],
            [1, 0, -1],
        ),
        "tensors": ([Tensor(10), Tensor(9), Tensor(-1)], ["9", "10"], [1, 0, -1]),
    }


@pytest.mark.parametrize("kind", ["other rows", "categories", "nullable", "Arrow", "days", "tensors"])
def test_labels_of_files_in_columns_of_any_library(kind):
    labels, names, codes = columns()[kind]
    found = images.from_files([COLOUR] * 3, labels=labels, **QUIET)
    assert found.label_names == names and found.labels.tolist() == codes
