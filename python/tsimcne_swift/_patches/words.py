"""Features of images by the words of their patches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._algebra.directions import directions, directions_seconds
from .._algebra.evened import Evened, read_evened
from .._checks.arrays import check_arrays
from .._inputs.images import Images
from .._inputs.pieces import Which, count, pieces
from .shrinking import shrink, shrunk_size
from .vocabulary import Rows, geometry, vocabulary

# Images that words and their vectors are learnt from, at most, and components.
LEARNT_FROM, COMPONENTS_FROM = 8192, 4096
# A patch has a word if their product is at least this.
THRESHOLD = 0.3
# Values of a word's vector, parts of an image along both sides, and numbers of an image.
DIMENSION, CELLS, FEATURES = 128, 4, 256
# Deviations are divided by this power of themselves: 1 would make all directions alike.
WHITENED = 0.5
# Images whose description is timed; and how much longer it takes with its components, and what is read.
PROBE, MORE = 256, 1.15
# Images that are described at a time.
CHUNK = 512

# Words and their vectors are as exact as half precision has them, so that a model stays small.
ARRAYS = {"whitening": np.float32, "words": np.float16, "vectors": np.float16}
PREFIX = "patches"
Halves = npt.NDArray[np.float16]


class PatchWords:
    """What the words of an image's patches tell of it: a sparse manifold transform (Chen et al. 2022).

    A patch has the words that it is like. Words that the same images have are alike: the vector of a word is
    its place along the directions in which the words' shares in images, divided by the roots of their means,
    vary most. (The transform proper divides by all second moments of words in patches; without those beside
    the diagonal it is as good, and takes a tenth of the time.) An image has the sums of its words' vectors in
    each part of it, in principal components, and of unit length.

    Parameters
    ----------
    whitening : ndarray of shape (components, depth), float32
        For patches of ``depth`` values.
    words : ndarray of shape (words, components), float16
    vectors : ndarray of shape (words, dimension), float16
    evened : Evened
        Of the cells² · dimension numbers that an image has of them.
    """

    def __init__(self, whitening: Rows, words: Halves, vectors: Halves, evened: Evened) -> None:
        self.whitening, self.words, self.vectors, self.evened = whitening, words, vectors, evened

    @property
    def features(self) -> int:
        """Numbers of an image."""
        return self.evened.features

    @classmethod
    def of(cls, images: Images, count: int, threads: int) -> PatchWords:
        """So many words of these images, and what they tell."""
        n, height, width, channels = images.shape
        kind = geometry(*shrunk_size(height, width), channels)
        assert kind is not None
        rows = np.linspace(0, n - 1, min(n, LEARNT_FROM)).astype(np.intp)
        sample = np.concatenate([part for _, part in _parts(images, rows)])
        whitening, exact = vocabulary(sample, kind, count, threads)
        words = exact.astype(np.float16)
        shares = _describe(sample, whitening, words, None, threads)
        mean = shares.mean(axis=0, dtype=np.float64)
        # A word that no image has says nothing.
        factors = np.divide(1, np.sqrt(mean), out=np.zeros(count), where=mean > 0).astype(np.float32)
        shares *= factors
        _, basis, _ = directions(shares, min(DIMENSION, len(rows), count), threads)
        vectors = np.ascontiguousarray((basis * factors).T, np.float16)
        some = sample[:: -(-len(sample) // COMPONENTS_FROM)]
        described = _describe(some, whitening, words, vectors, threads)
        return cls(whitening, words, vectors, Evened.of(described, FEATURES, WHITENED, threads))

    def describe(self, images: Images, threads: int, rows: Which = None) -> Rows:
        """Features (n, features) of images, or of some; those of an image do not depend on the others."""
        result = np.empty((count(images.shape[0], rows), self.features), np.float32)
        for here, part in _parts(images, rows):
            described = _describe(part, self.whitening, self.words, self.vectors, threads)
            result[here] = self.evened(described, threads)
        return result

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that a file keeps."""
        own = {f"{PREFIX}.{name}": getattr(self, name) for name in ARRAYS}
        return own | self.evened.tensors(PREFIX)


def _parts(images: Images, rows: Which) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
    """Some images at a time, small and as the core reads them, and where they stand among the rows."""
    whole = images.whole() if images.direct else None
    for here, part in pieces(images.shape[0], rows, CHUNK):
        yield here, shrink(whole[part] if whole is not None else images.batch(part))
        images.forget()


def _describe(
    images: npt.NDArray[Any], whitening: Rows, words: Halves, vectors: Halves | None, threads: int
) -> Rows:
    """What the core says of images."""
    _, height, width, channels = images.shape
    kind = geometry(height, width, channels)
    assert kind is not None
    numbers: dict[str, float] = {"side": kind.side, "stride": kind.stride}
    numbers |= {"components": len(whitening), "words": len(words)}
    columns = len(words)
    if vectors is not None:
        cells, dimension = kind.parts(height, width, CELLS), vectors.shape[1]
        numbers |= {"cells": cells, "dimension": dimension}
        columns = cells * cells * dimension
    result = np.empty((len(images), columns), np.float32)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        _core.describe_patches(
            np.ascontiguousarray(images[part]),
            result[part],
            whitening=whitening,
            word_values=words.astype(np.float32),
            vectors=None if vectors is None else vectors.astype(np.float32),
            threshold=THRESHOLD,
            threads=threads,
            **numbers,
        )
    return result


def seconds(images: Images, count: int, threads: int) -> float:
    """Seconds to find so many words of images, and to describe all, by what some of them take."""
    n, height, width, channels = images.shape
    size = shrunk_size(height, width)
    kind = geometry(*size, channels)
    assert kind is not None
    (some,) = (part for _, part in _parts(images, slice(0, min(n, PROBE))))
    whitening, words = vocabulary(some, kind, count, threads)
    vectors = np.zeros((count, min(DIMENSION, count)), np.float16)
    before = time.perf_counter()
    _describe(some, whitening, words.astype(np.float16), vectors, threads)
    image = MORE * (time.perf_counter() - before) / len(some)
    # Those that words are learnt from are described twice, in part, and have directions found among them.
    columns = kind.parts(*size, CELLS) ** 2 * vectors.shape[1]
    found = directions_seconds(min(n, LEARNT_FROM), count, DIMENSION, threads)
    found += directions_seconds(min(n, COMPONENTS_FROM), columns, FEATURES, threads)
    return float(image * (n + min(n, LEARNT_FROM) + min(n, COMPONENTS_FROM)) + found)


def read_words(tensors: dict[str, npt.NDArray[Any]], image_shape: tuple[int, ...]) -> PatchWords | None:
    """The words among the tensors of a file, for images of a shape."""
    found = {name: tensors.get(f"{PREFIX}.{name}") for name in ARRAYS}
    if all(value is None for value in found.values()):
        return None
    height, width = shrunk_size(*image_shape[:2])
    kind = geometry(height, width, image_shape[2])
    if kind is None:
        raise ValueError(f"{PREFIX}: images of {image_shape[2]} channels have none")
    depth, cells = kind.side**2 * image_shape[2], kind.parts(height, width, CELLS)
    # An array without an axis has no length, which is then wrong.
    count, components, dimension = (
        0 if value is None or value.ndim <= axis else value.shape[axis]
        for value, axis in ((found["words"], 0), (found["whitening"], 0), (found["vectors"], 1))
    )
    shapes = {
        "whitening": (components, depth),
        "words": (count, components),
        "vectors": (count, dimension),
    }
    arrays = check_arrays(PREFIX, found, ARRAYS, shapes)
    evened = read_evened(PREFIX, tensors, cells * cells * dimension)
    if evened is None:
        raise ValueError(f"{PREFIX}.components: is missing")
    return PatchWords(**arrays, evened=evened)
