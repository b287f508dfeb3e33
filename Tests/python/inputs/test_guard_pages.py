"""The caller's memory lies between pages that may not be touched: what reads or writes beside it ends."""

import ctypes
import mmap
from random import Random

import numpy as np
import pytest
from helpers import cases, images, mapper, small, vectors
from tsimcne_swift import _core
from tsimcne_swift._stages.augmentation import Augmentation

PAGE = mmap.PAGESIZE
# PROT_NONE, which mmap has no name for.
NOTHING = 0
mprotect = ctypes.CDLL(None, use_errno=True).mprotect
mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def guarded(array, at_end=True):
    """A copy that ends where such a page begins, or begins where one ends."""
    size = -(-array.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, size + 2 * PAGE)
    first = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for address in (first, first + PAGE + size):
        assert mprotect(address, PAGE, NOTHING) == 0
    offset = PAGE + (size - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy


def some_images(random):
    shape = [random.randrange(1, 6), random.randrange(8, 14), random.randrange(8, 14), random.randrange(1, 6)]
    X = np.random.default_rng(random.randrange(1000)).integers(0, 256, shape, dtype=np.uint8)
    return X if random.random() < 0.5 else (X / 255).astype(np.float32)


@pytest.mark.parametrize("at_end", [True, False])
def test_views(at_end):
    random = Random(0)
    everything = Augmentation(
        vertical_flip=0.5, quarter_turns=0.5, rotation=30, blur=0.5, solarize=0.5, erasing=0.5
    )
    for _ in range(cases(100, 3000)):
        X = guarded(some_images(random), at_end)
        out = guarded(np.empty(X.shape, np.float32), at_end)
        _core.augment(
            X, out, augmentation=everything._fields(), seed=1, epoch=random.randrange(9), first_index=0,
            view=0, threads=random.randrange(1, 3),
        )  # fmt: skip
        assert np.isfinite(out).all()


@pytest.mark.parametrize("at_end", [True, False])
def test_loss(at_end):
    random = Random(1)
    for _ in range(cases(100, 3000)):
        n, views, metric = random.randrange(2, 40), random.randrange(2, 4), random.randrange(4)
        z = vectors(n * views, random.choice([1, 2, 5, 8, 9, 17, 130]))
        z, gradient = guarded(z, at_end), guarded(np.empty_like(z), at_end)
        similarity = {"views": views, "metric": metric, "temperature": 0.5, "threads": 2, "degrees": 3.0}
        assert np.isfinite(_core.infonce(z, gradient, **similarity))
        first = random.randrange(n)
        part = similarity | {"first": first, "count": random.randrange(1, n - first + 1)}
        own = part["count"] * views
        scales = guarded(np.empty(own, np.float32), at_end)
        _core.infonce_sums(z, scales, **part)
        whole = guarded(np.ones(n * views, np.float32), at_end)
        rows = guarded(np.empty((own, z.shape[1]), np.float32), at_end)
        _core.infonce_gradient(z, whole, rows, **part)
        assert np.isfinite(rows).all()


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 11, 3), (13, 8, 5)])
def test_images(shape, dtype, at_end):
    X = guarded(images(20, shape, dtype), at_end)
    model = small().fit(X)
    for backbone in ("resnet18", "mobilenetv3_small"):
        other = small(backbone=backbone, total_epochs=[1]).fit(X)
        out = guarded(np.empty((20, 8), np.float32), at_end)
        other._network.core.transform(X, out, kind=_core.OUTPUT_MAP, threads=2)
        np.testing.assert_array_equal(out, other.embedding_)
    np.testing.assert_array_equal(model.transform(X), model.embedding_)


@pytest.mark.parametrize("at_end", [True, False])
def test_vectors(at_end):
    X = guarded(vectors(30, 7), at_end)
    model = mapper().fit(X)
    np.testing.assert_array_equal(model.transform(X), model.embedding_)
