"""Many pictures, read side by side into one array."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from .._checks.values import check_choice, check_integer, check_jobs
from .._system.bars import make_bar
from .._system.config import show_config
from ._collection import ImageCollection, encode_labels
from ._decoding._pixels import FITS, Layout, channels_of, deep_values, limits_of, pixels, size_of, some_values
from ._decoding._serve import reason_of
from ._storage import Storage
from ._workers import Encoded, Facts, Workers

# Pictures that are looked at to choose size, channels and limits.
SAMPLE = 200
# Pictures that a reading process is asked for at once, and bytes of what becomes of them.
TOGETHER, BYTES_TOGETHER = 16, 1 << 20
# Pixels a side where the pictures' sizes differ, or are larger than the second number.
USUAL_SIZE = 64
LARGEST_OWN_SIZE = 96
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


@dataclass(frozen=True, eq=False)
class Item:
    """A picture to be read."""

    name: str
    label: Any
    # The function gives a picture to be decoded, one of Pillow's, or an array that Pillow cannot hold.
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
        If no item can be read.
    """
    wanted = _check_size(size)
    if channels is not None:
        check_integer("channels", channels, 1, 1024)
    layout = Layout((1, 1), 1, check_choice("fit", fit, FITS), _check_background(background))
    threads = check_jobs("n_jobs", n_jobs) or int(show_config()["threads"])
    # A thread waits for the process that decodes for it.
    workers = Workers()
    with ThreadPoolExecutor(threads) as pool, ExitStack() as stack:
        stack.callback(workers.close)
        layout, unknown = _with_sample(layout, wanted, channels, items, pool, workers)
        images = stack.enter_context(Storage((len(items), *layout.size, layout.channels), cache))
        skipped: dict[int, str] = {}
        parts = _parts(items, layout, threads)
        done = _ahead(
            pool, lambda part: _pixels_or_reasons(part, layout, workers, unknown), parts, 4 * threads
        )
        with make_bar(total=len(items), desc=f"reading {source}", unit="image", disable=not progress) as bar:
            for place, result in enumerate(chain.from_iterable(done)):
                if isinstance(result, str):
                    skipped[place] = result
                else:
                    images.append(result)
                bar.update()
        kept = [item for place, item in enumerate(items) if place not in skipped]
        reasons = [(items[place].name, reason) for place, reason in skipped.items()]
        if not kept:
            examples = "; ".join(f"{name}: {reason}" for name, reason in reasons[:3])
            raise ValueError(f"{source}: got no picture that can be read; {examples}")
        found = images.finish()
    labels, label_names = encode_labels([item.label for item in kept])
    return ImageCollection(found, [item.name for item in kept], labels, label_names, reasons)


def _ahead(
    pool: ThreadPoolExecutor, function: Callable[[Any], Any], items: Sequence[Any], count: int
) -> Iterator[Any]:
    """The results in order, with no more than ``count`` of them waiting in memory."""
    left = iter(items)
    waiting: list[Future[Any]] = [pool.submit(function, item) for item in islice(left, count)]
    try:
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(function, item) for item in islice(left, 1)]
    finally:
        for future in waiting:
            future.cancel()


def _parts(items: Sequence[Item], layout: Layout, threads: int) -> list[Sequence[Item]]:
    """The items in parts that are read together: large enough to ask seldom, small enough to be shared."""
    size = layout.size[0] * layout.size[1] * layout.channels
    count = max(1, min(TOGETHER, BYTES_TOGETHER // size, len(items) // (8 * threads)))
    return [items[first : first + count] for first in range(0, len(items), count)]


def _pixels_or_reasons(
    items: Sequence[Item], layout: Layout, workers: Workers, unknown: Mapping[Item, str]
) -> list[npt.NDArray[np.uint8] | str]:
    """Pixels or reasons: a broken file must not end the reading of a folder, whatever its decoder raises.

    The reason for an item in ``unknown`` was found before.
    """
    results: list[Any] = []
    for item in items:
        if item in unknown:
            results.append(unknown[item])
            continue
        try:
            picture = item.open()
            results.append(picture if isinstance(picture, Encoded) else pixels(picture, layout))
        except Exception as error:
            results.append(reason_of(error))
    encoded = [place for place, found in enumerate(results) if isinstance(found, Encoded)]
    if encoded:
        answers = workers.pixels([results[place] for place in encoded], layout)
        for place, answer in zip(encoded, answers, strict=True):
            results[place] = answer
    return results


def _with_sample(
    layout: Layout,
    size: tuple[int, int] | None,
    channels: int | None,
    items: Sequence[Item],
    pool: ThreadPoolExecutor,
    workers: Workers,
) -> tuple[Layout, dict[Item, str]]:
    """Size, channels and limits from pictures that lie evenly in the collection; and which of them cannot be
    read, with the reason.
    """
    sample = items[:: max(1, len(items) // SAMPLE)]
    kinds = _Kinds(sample, pool.map(lambda item: _facts(item, workers), sample), workers)
    if size is None:
        sizes = kinds.sizes()
        own = sizes[0] if len(sizes) == 1 else None
        size = own if own is not None and max(own) <= LARGEST_OWN_SIZE else (USUAL_SIZE, USUAL_SIZE)
    if channels is None:
        channels = kinds.channels()
    deep = [values for values in kinds.values if values.shape[1] in (1, channels)]
    same = [values for values in deep if values.shape[1] == channels] or deep
    limits = limits_of(np.concatenate(same)) if same else None
    return Layout(size, channels, layout.fit, layout.background, limits), kinds.unknown


class _Kinds:
    """Pictures of a sample by size and channels, as their headers say.

    A picture that is broken behind its headers decides nothing: of a kind that would, one is decoded.
    """

    def __init__(self, sample: Sequence[Item], facts: Iterable[Facts | str], workers: Workers) -> None:
        self.unknown: dict[Item, str] = {}
        self.values: list[npt.NDArray[np.float32]] = []
        self._workers = workers
        self._items: dict[tuple[tuple[int, int], int], list[Item]] = {}
        self._known: dict[tuple[tuple[int, int], int], bool] = {}
        for item, fact in zip(sample, facts, strict=True):
            if isinstance(fact, str):
                self.unknown[item] = fact
                continue
            kind = fact.size, fact.channels
            self._items.setdefault(kind, []).append(item)
            if fact.values is not None:
                self.values.append(fact.values)
                self._known[kind] = True

    def _is_whole(self, kind: tuple[tuple[int, int], int]) -> bool:
        if len(self._items) == 1:
            return True  # there is nothing else that could decide
        if kind not in self._known:
            layout = Layout((8, 8), kind[1])
            decoded = (_pixels_or_reasons([item], layout, self._workers, {}) for item in self._items[kind])
            self._known[kind] = any(not isinstance(found, str) for (found,) in decoded)
        return self._known[kind]

    def sizes(self) -> list[tuple[int, int]]:
        """The size of the pictures, or two sizes where they have several."""
        found: list[tuple[int, int]] = []
        for kind in sorted(self._items, key=lambda kind: -len(self._items[kind])):
            if len(found) < 2 and kind[0] not in found and self._is_whole(kind):
                found.append(kind[0])
        return found

    def channels(self) -> int:
        """The most channels that pictures have."""
        kinds = sorted(self._items, key=lambda kind: -kind[1])
        return next((kind[1] for kind in kinds if self._is_whole(kind)), 3)


def _facts(item: Item, workers: Workers) -> Facts | str:
    """What is known of a picture, or the reason why it cannot be read."""
    try:
        picture = item.open()
        if not isinstance(picture, Encoded):
            deep = deep_values(picture)
            return Facts(size_of(picture), channels_of(picture), None if deep is None else some_values(deep))
    except Exception as error:
        return reason_of(error)
    return workers.facts(picture)


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
