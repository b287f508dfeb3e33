"""Small images for patches."""

import numpy as np
import pytest
from helpers import assert_same_bits
from tsimcne_swift._patches.shrinking import shrink, shrunk_size


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((28, 28), (28, 28)),
        ((32, 8), (32, 8)),
        ((64, 64), (32, 32)),
        ((100, 50), (32, 16)),
        ((33, 32), (32, 31)),
        ((1024, 9), (32, 8)),
        ((8, 1000), (8, 32)),
    ],
)
def test_sizes(size, wanted):
    assert shrunk_size(*size) == wanted


@pytest.mark.parametrize("size", [(64, 96), (50, 41), (9, 300)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_pixel_is_the_mean_of_those_that_fall_into_it(size, dtype):
    X = np.random.default_rng(0).integers(0, 256, (3, *size, 2)).astype(dtype)
    if dtype == np.float32:
        X /= 255
    small = shrink(X)
    height, width = shrunk_size(*size)
    assert small.shape == (3, height, width, 2) and small.dtype == np.float32
    for y in range(height):
        for x in range(width):
            rows = slice(y * size[0] // height, (y + 1) * size[0] // height)
            columns = slice(x * size[1] // width, (x + 1) * size[1] // width)
            wanted = X[:, rows, columns].mean(axis=(1, 2), dtype=np.float64)
            np.testing.assert_allclose(small[:, y, x], wanted / (255 if dtype == np.uint8 else 1), atol=1e-6)
    # An image does not depend on the others.
    assert_same_bits(shrink(X[1:2]), small[1:2])


def test_small_images_are_not_copied():
    X = np.zeros((2, 32, 20, 3), np.uint8)
    assert shrink(X) is X
