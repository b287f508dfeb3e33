"""Images that lie elsewhere and are read piece by piece, ahead of the training that wants them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._system.guard import as_own
from .._system.locks import ProcessLock
from .images import Images, check_shape, check_values

# Images in a block where the source names no blocks.
BLOCK = 256
# Bytes of blocks that are held at a time, where ``max_memory`` does not say.
HELD = 512 << 20
# Batches that wait to be trained on.
AHEAD = 3


def is_stored(X: Any) -> bool:
    """Whether X is to be read by slices: a chunked array (Zarr, HDF5), or a sequence of array slices."""
    if isinstance(X, np.ndarray | list | tuple | str):
        return False
    if hasattr(X, "chunks") and hasattr(X, "shape") and hasattr(X, "dtype"):
        return True
    if hasattr(X, "__array__") or hasattr(X, "__array_interface__") or not hasattr(X, "__len__"):
        return False
    try:
        part = X[0:1]
    except Exception:
        return False
    return isinstance(part, np.ndarray) and part.ndim > 1


class StoredImages(Images):
    """Images of anything with a length that gives arrays for slices.

    Parameters
    ----------
    X : sequence
        ``X[a:b]`` is (b - a, height, width[, channels]). Its ``chunks``, if it has any, say how many images
        lie together.
    image_shape : (height, width[, channels]) or None
    """

    def __init__(self, X: Any, image_shape: Any = None) -> None:
        self.source = X
        # A callback may map while the thread reads ahead, and not everything can be read by two at a time.
        self._alone = ProcessLock()
        count = int(X.shape[0]) if hasattr(X, "shape") else len(X)
        if count < 1:
            raise ValueError("X: got no images, want at least one")
        first = self._slice(0, 1)
        self.shape = (count, *check_shape(first, image_shape))
        self.n_features = int(np.prod(first.shape[1:]))
        self.dtype = first.dtype
        self.direct = False
        chunks = getattr(X, "chunks", None)
        length = chunks[0] if isinstance(chunks, tuple) and chunks else None
        length = length[0] if isinstance(length, tuple) else length
        self.block = int(length) if isinstance(length, int | np.integer) and length > 1 else BLOCK

    def _slice(self, first: int, last: int) -> npt.NDArray[Any]:
        with self._alone():
            part = as_own(np.asarray(self.source[first:last]))
        if part.shape[:1] != (last - first,):
            raise ValueError(f"X: got {part.shape[:1]} images for X[{first}:{last}], want {last - first}")
        return part

    def check(self) -> None:
        """Nothing is left to check: each block was checked when it was read."""

    def forget(self) -> None:
        """Nothing is kept that could be let go of."""

    @property
    def format(self) -> str:
        return "B" if self.dtype == np.uint8 else "f"

    def read(self, first: int, last: int) -> npt.NDArray[Any]:
        """Images first…last - 1, checked, as the core wants them."""
        part = self._slice(first, last)
        if part.dtype != self.dtype or int(np.prod(part.shape[1:])) != self.n_features:
            raise ValueError(
                f"X: got {part.dtype} of shape {part.shape[1:]} for image {first}, "
                f"want {self.dtype} as the first"
            )
        check_values(part)
        return self.convert(part)

    def batch(self, selection: Any) -> npt.NDArray[Any]:
        if isinstance(selection, slice):
            first, last, step = selection.indices(self.shape[0])
            if step == 1:
                return self.read(first, max(first, last))
            selection = np.arange(first, last, step)
        indices = np.asarray(selection)
        if len(indices) > 0 and (np.diff(indices) == 1).all():
            return self.read(int(indices[0]), int(indices[-1]) + 1)
        return Blocks(self, [indices]).gather(indices)

    def shuffle(self, max_memory: int | None) -> tuple[int, int]:
        """Images in a block, and blocks among which images are mixed: a quarter of the memory holds them."""
        held = HELD if max_memory is None else max_memory // 4
        bytes_of_block = self.block * self.n_features * (1 if self.format == "B" else 4)
        return self.block, min(1 << 20, max(1, held // bytes_of_block))


class Blocks:
    """Blocks that were read and whose images are not all used yet."""

    def __init__(self, images: StoredImages, batches: Sequence[npt.NDArray[np.int64]]) -> None:
        self.images = images
        self._blocks: dict[int, npt.NDArray[Any]] = {}
        wanted = np.concatenate(batches) if len(batches) > 0 else np.empty(0, np.int64)
        numbers, counts = np.unique(wanted // images.block, return_counts=True)
        self._left = dict(zip(numbers.tolist(), counts.tolist(), strict=True))

    def gather(self, indices: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The images of one of the batches; a block is let go of when its last one was taken."""
        images = self.images
        dtype = np.uint8 if images.format == "B" else np.float32
        result = np.empty((len(indices), *images.shape[1:]), dtype)
        numbers = indices // images.block
        for number in np.unique(numbers).tolist():
            chosen = numbers == number
            first = number * images.block
            if number not in self._blocks:
                last = min(images.shape[0], first + images.block)
                self._blocks[number] = images.read(first, last)
            result[chosen] = self._blocks[number][indices[chosen] - first]
            self._left[number] -= int(chosen.sum())
            if self._left[number] <= 0:
                del self._blocks[number]
        return result


class Readahead:
    """The batches of an epoch, read by a thread while earlier ones are trained on.

    Parameters
    ----------
    images : StoredImages
    batches : sequence of arrays of int64
        Indices of the images of each batch.
    """

    def __init__(self, images: StoredImages, batches: Sequence[npt.NDArray[np.int64]]) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(AHEAD)
        self._stops = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(images, batches), name="tsimcne readahead", daemon=True
        )
        self._thread.start()

    def _run(self, images: StoredImages, batches: Sequence[npt.NDArray[np.int64]]) -> None:
        blocks = Blocks(images, batches)
        try:
            for indices in batches:
                if not self._put((indices, blocks.gather(indices))):
                    return
        except BaseException as error:
            self._put(error)

    def _put(self, item: Any) -> bool:
        """Hand on a result; return whether it is still wanted."""
        while not self._stops.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def next(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
        """Indices and images of the next batch; an error of the thread is raised here."""
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        result: tuple[npt.NDArray[np.int64], npt.NDArray[Any]] = item
        return result

    def close(self) -> None:
        """Wait until the thread has ended, which is when what it reads now was read."""
        self._stops.set()
        self._thread.join()
