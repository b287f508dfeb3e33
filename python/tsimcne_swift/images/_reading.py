"""Many pictures, read side by side into one array."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from .._checks.values import check_choice, check_integer, check_jobs
from .._config import available_memory, show_config
from ._collection import ImageCollection, encode_labels
from ._pixels import FITS, Layout, channels_of, deep_values, limits_of, pixels, size_of, some_values

# Pictures that are looked at to choose size, channels and limits.
SAMPLE = 200
# Where their sizes differ, or are large.
USUAL_SIZE = 64
LARGEST_OWN_SIZE = 96
# Of the memory that is available; larger sets go to a file.
MEMORY_SHARE = 0.25
COLORS = {"white": (255, 255, 255), "black": (0, 0, 0)}


class Options(TypedDict, total=False):
    """How pictures are read; `from_folder` says what each is."""

    size: int | tuple[int, int] | None
    channels: int | None
    fit: str
    background: str | tuple[int, int, int]
    cache: str | os.PathLike[str] | None
    n_jobs: int | None
    progress: bool


@dataclass(frozen=True)
class Item:
    """A picture to be read."""

    name: str
    label: Any
    # The picture as Pillow opens it, or (height, width, channels) of what Pillow cannot hold.
    open: Callable[[], Any]


def read(
    items: Sequence[Item],
    source: str,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "crop",
    background: str | tuple[int, int, int] = "white",
    cache: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> ImageCollection:
    """The collection of all items that can be read; ``source`` is what the progress bar calls them.

    Raises
    ------
    ValueError
        If none can.
    """
    from tqdm import tqdm

    wanted = _check_size(size)
    if channels is not None:
        check_integer("channels", channels, 1, 1024)
    layout = Layout((1, 1), 1, check_choice("fit", fit, FITS), _check_background(background))
    threads = check_jobs("n_jobs", n_jobs) or int(show_config()["threads"])
    with ThreadPoolExecutor(threads) as pool:
        layout = _with_sample(layout, wanted, channels, items, pool)
        images = _allocate((len(items), *layout.size, layout.channels), cache)
        skipped: dict[int, str] = {}
        done = _ahead(pool, lambda item: _pixels_or_reason(item, layout), items, 4 * threads)
        with tqdm(total=len(items), desc=f"reading {source}", unit="image", disable=not progress) as bar:
            for place, result in enumerate(done):
                if isinstance(result, str):
                    skipped[place] = result
                else:
                    images[place - len(skipped)] = result
                bar.update()
    kept = [item for place, item in enumerate(items) if place not in skipped]
    reasons = [(items[place].name, reason) for place, reason in skipped.items()]
    if not kept:
        examples = "; ".join(f"{name}: {reason}" for name, reason in reasons[:3])
        raise ValueError(f"{source}: got no picture that can be read; {examples}")
    if skipped:
        images = _shortened(images, len(kept))
    labels, label_names = encode_labels([item.label for item in kept])
    return ImageCollection(images, [item.name for item in kept], labels, label_names, reasons)


def _ahead(
    pool: ThreadPoolExecutor, function: Callable[[Item], Any], items: Sequence[Item], count: int
) -> Iterator[Any]:
    """Results in order, with no more than ``count`` of them waiting in memory."""
    left = iter(items)
    waiting: list[Future[Any]] = [pool.submit(function, item) for item in islice(left, count)]
    try:
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(function, item) for item in islice(left, 1)]
    finally:
        for future in waiting:
            future.cancel()


def _pixels_or_reason(item: Item, layout: Layout) -> npt.NDArray[np.uint8] | str:
    """A broken file must not end the reading of a folder, whatever its decoder raises."""
    try:
        return pixels(item.open(), layout)
    except Exception as error:
        kind = type(error).__name__
        return "is no picture that is known" if kind == "UnidentifiedImageError" else f"{kind}: {error}"


def _with_sample(
    layout: Layout,
    size: tuple[int, int] | None,
    channels: int | None,
    items: Sequence[Item],
    pool: ThreadPoolExecutor,
) -> Layout:
    """Size, channels and limits from pictures that lie evenly in the collection."""
    step = max(1, len(items) // SAMPLE)
    seen = [facts for facts in pool.map(_facts, items[::step]) if facts is not None]
    sizes = {facts[0] for facts in seen}
    if size is None:
        own = next(iter(sizes)) if len(sizes) == 1 else None
        size = own if own is not None and max(own) <= LARGEST_OWN_SIZE else (USUAL_SIZE, USUAL_SIZE)
    if channels is None:
        channels = max((facts[1] for facts in seen), default=3)
    deep = [facts[2] for facts in seen if facts[2] is not None and facts[2].shape[1] in (1, channels)]
    same = [values for values in deep if values.shape[1] == channels] or deep
    limits = limits_of(np.concatenate(same)) if same else None
    return Layout(size, channels, layout.fit, layout.background, limits)


def _facts(item: Item) -> tuple[tuple[int, int], int, npt.NDArray[np.float32] | None] | None:
    """Size, channels and, with more than 8 bits, some values of a picture that can be read."""
    try:
        picture = item.open()
        deep = deep_values(picture)
        return size_of(picture), channels_of(picture), None if deep is None else some_values(deep)
    except Exception:
        return None


def _allocate(shape: tuple[int, ...], cache: str | os.PathLike[str] | None) -> npt.NDArray[np.uint8]:
    if cache is None and np.prod(shape, dtype=np.int64) <= MEMORY_SHARE * available_memory():
        return np.empty(shape, np.uint8)
    if cache is None:
        # Nameless once it is mapped: it goes when the array does.
        with tempfile.NamedTemporaryFile(suffix=".npy") as file:
            return np.lib.format.open_memmap(file.name, "w+", np.uint8, shape)
    return np.lib.format.open_memmap(Path(cache), "w+", np.uint8, shape)


def _shortened(images: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    """The first ``count`` images; a cache file ends there too."""
    if isinstance(images, np.memmap) and images.filename is not None and os.path.exists(images.filename):
        path, shape = images.filename, (count, *images.shape[1:])
        images.flush()
        with open(path, "r+b") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "|u1", "fortran_order": False, "shape": shape}
            )
            file.truncate(file.tell() + int(np.prod(shape, dtype=np.int64)))
        return np.lib.format.open_memmap(path, "r+")
    return images[:count]


def _check_size(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = size if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"size: got {size!r}, want pixels, or (height, width)")
    return check_integer("size", pair[0], 8, 1024), check_integer("size", pair[1], 8, 1024)


def _check_background(color: Any) -> tuple[int, int, int]:
    if isinstance(color, str):
        return COLORS[check_choice("background", color, COLORS)]
    if not isinstance(color, list | tuple) or len(color) != 3:
        raise ValueError(f"background: got {color!r}, want 'white', 'black' or (red, green, blue)")
    return tuple(check_integer("background", value, 0, 255) for value in color)  # type: ignore[return-value]
