"""Many pictures, read side by side into one array."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from .._checks.values import check_choice, check_integer, check_jobs, check_number
from .._system.bars import make_bar
from .._system.config import show_config
from ._choosing import Choice, Wishes, choose
from ._collection import ImageCollection, encode_labels, with_source
from ._decoding._camera import camera_of
from ._decoding._layout import FITS, LARGEST, MOST_CHANNELS, SCALES, SMALLEST, Layout
from ._decoding._pixels import Facts, UnforeseenError, facts_of, pixels
from ._decoding._serve import reason_of
from ._metadata import columns_of
from ._storage import Storage
from ._workers import Encoded, Picture, Workers

# Pictures that are looked at to choose a layout; all others are looked at as they are read.
SAMPLE = 200
# How often a layout is chosen again for what was not in the sample.
CHOICES = 8
# Pictures that a reading process is asked for at once, and bytes of what becomes of them.
TOGETHER, BYTES_TOGETHER = 16, 1 << 20
COLORS = {"white": (255, 255, 255), "black": (0, 0, 0)}


class Options(TypedDict, total=False):
    """How pictures are read; `from_folder` says what each is."""

    size: int | tuple[int, int] | None
    channels: int | None
    fit: str | None
    background: str | tuple[int, int, int] | None
    scale: str | tuple[float, float] | None
    like: Any
    cache: str | os.PathLike[str] | None
    n_jobs: int | None
    progress: bool


@dataclass(frozen=True, eq=False)
class Item:
    """A picture to be read."""

    name: str
    label: Any
    # The function gives a picture to be decoded, one of Pillow's, or values that Pillow cannot hold.
    open: Callable[[], Any]
    # What is known without looking, and what is said of the picture beside what it says itself.
    facts: Facts | None = None
    said: Mapping[str, Any] = field(default_factory=dict)


def read(
    items: Sequence[Item],
    source: str,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str | None = None,
    background: str | tuple[int, int, int] | None = None,
    scale: str | tuple[float, float] | None = None,
    like: Any = None,
    cache: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
    others: Sequence[tuple[str, str]] = (),
    skipped: Sequence[tuple[str, str]] = (),
) -> ImageCollection:
    """The collection of all items that can be read; ``source`` is what the progress bar calls them.

    ``others`` and ``skipped`` are what the caller has found not to be read.

    Raises
    ------
    ValueError
        If no item can be read.
    """
    given = {"size": size, "channels": channels, "fit": fit, "background": background, "scale": scale}
    wishes = _check_wishes(**given)
    choice = None if like is None else Choice(_check_like(like, given))
    threads = check_jobs("n_jobs", n_jobs) or int(show_config()["threads"])
    # A thread waits for the process that decodes for it.
    workers = Workers()
    with ThreadPoolExecutor(threads) as pool, ExitStack() as stack:
        stack.callback(workers.close)
        reader = _Reader(items, source, pool, threads, workers, cache, progress)
        found, reasons, choice = (
            reader.as_chosen(wishes) if choice is None else (*reader.read(choice), choice)
        )
    places = [place for place in range(len(items)) if place not in reasons]
    kept = [items[place] for place in places]
    metadata = columns_of([{**items[place].said, **reader.said.get(place, {})} for place in places])
    labels, label_names = encode_labels([item.label for item in kept])

    def again(other: Layout) -> ImageCollection:
        return read(
            items, source, like=other, n_jobs=n_jobs, progress=progress, others=others, skipped=skipped
        )

    named = [(items[place].name, reason) for place, reason in reasons.items()]
    collection = ImageCollection(
        found, [item.name for item in kept], labels, label_names, [*named, *skipped], list(others),
        choice.layout, list(choice.notes), metadata,
    )  # fmt: skip
    return with_source(collection, again)


class _Reader:
    """Reads items once in a layout that is given, or until none is unforeseen in one that is chosen."""

    def __init__(
        self,
        items: Sequence[Item],
        source: str,
        pool: ThreadPoolExecutor,
        threads: int,
        workers: Workers,
        cache: str | os.PathLike[str] | None,
        progress: bool,
    ) -> None:
        self._items = items
        self._source = source
        self._pool = pool
        self._threads = threads
        self._workers = workers
        self._cache = cache
        self._progress = progress
        self._facts: dict[int, Facts | str] = {}
        #: What pictures say of themselves, by their places.
        self.said: dict[int, dict[str, Any]] = {}

    def as_chosen(self, wishes: Wishes) -> tuple[npt.NDArray[np.uint8], dict[int, str], Choice]:
        """Images, reasons for what was skipped, and the layout that most pictures ask for.

        A sample proposes the layout. What is a rare colour picture among grey ones, or has a kind of values
        that no other had, is found when it is read: it joins the sample, and all are read again.
        """
        count = len(self._items)
        sample = set(range(0, count, max(1, count // SAMPLE)))
        for last in range(CHOICES, -1, -1):
            choice = self._choose(wishes, sorted(sample))
            if last == 0:  # enough was chosen
                choice = Choice(choice.layout, (), choice.notes)
            try:
                return *self.read(choice), choice
            except _UnforeseenItemError as error:
                sample.add(error.place)
                # There may be more of its kind.
                sample.update(range(0, count, max(1, count // (2 * len(sample)))))
        raise AssertionError("without alarms nothing is unforeseen")

    def _choose(self, wishes: Wishes, sample: Sequence[int]) -> Choice:
        new = [place for place in sample if place not in self._facts]
        asked = self._pool.map(lambda place: _facts(self._items[place], self._workers), new)
        self._facts.update(zip(new, asked, strict=True))
        known = [(place, fact) for place in sample if isinstance(fact := self._facts[place], Facts)]
        whole: dict[int, bool] = {}

        def is_whole(number: int) -> bool:
            place, fact = known[number]
            if place not in whole:
                layout = Layout((8, 8), fact.channels)
                # Those with values were decoded for them.
                whole[place] = fact.own is not None or not isinstance(
                    _results([self._items[place]], Choice(layout), self._workers)[0], str
                )
            return whole[place]

        return choose(wishes, [fact for _, fact in known], is_whole)

    def read(self, choice: Choice) -> tuple[npt.NDArray[np.uint8], dict[int, str]]:
        """Images, and reasons for what was skipped.

        Raises
        ------
        _UnforeseenItemError
            For the first picture that is one of the choice's alarms.
        """
        items, layout = self._items, choice.layout
        parts = list(_parts(len(items), layout, self._threads))
        by_sample = Choice(layout)

        def answers(part: range) -> list[Any]:
            # What the layout was chosen with, and what cannot be read, is unforeseen no more.
            found = {p: fact for p in part if isinstance(fact := self._facts.get(p), str)}
            new = [p for p in part if p not in self._facts]
            old = [p for p in part if p in self._facts and p not in found]
            for places, how in ((new, choice), (old, by_sample)):
                results = _results([items[p] for p in places], how, self._workers)
                found.update(zip(places, results, strict=True))
            return [found[place] for place in part]

        skipped: dict[int, str] = {}
        self.said = {}
        with (
            Storage((len(items), *layout.size, layout.channels), self._cache) as images,
            make_bar(
                total=len(items), desc=f"reading {self._source}", unit="image", disable=not self._progress
            ) as bar,
        ):
            done = _ahead(self._pool, answers, parts, 4 * self._threads)
            for place, result in enumerate(chain.from_iterable(done)):
                if isinstance(result, UnforeseenError):
                    done.close()
                    raise _UnforeseenItemError(place)
                if isinstance(result, str):
                    skipped[place] = result
                else:
                    images.append(result.pixels)
                    if result.said:
                        self.said[place] = result.said
                bar.update()
            if len(skipped) == len(items):
                examples = "; ".join(f"{items[p].name}: {reason}" for p, reason in islice(skipped.items(), 3))
                raise ValueError(f"{self._source}: got no picture that can be read; {examples}")
            return images.finish(), skipped


class _UnforeseenItemError(Exception):
    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def _ahead(
    pool: ThreadPoolExecutor, function: Callable[[Any], Any], items: Sequence[Any], count: int
) -> Generator[Any]:
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


def _parts(count: int, layout: Layout, threads: int) -> Iterator[range]:
    """The items in parts that are read together: large enough to ask seldom, small enough to be shared."""
    size = layout.size[0] * layout.size[1] * layout.channels
    step = max(1, min(TOGETHER, BYTES_TOGETHER // size, count // (8 * threads)))
    return (range(first, min(count, first + step)) for first in range(0, count, step))


def _results(items: Sequence[Item], choice: Choice, workers: Workers) -> list[Any]:
    """Pictures, reasons or what is unforeseen: a broken file must not end the reading of a folder, whatever
    its decoder raises.
    """
    results: list[Any] = []
    for item in items:
        try:
            picture = item.open()
            is_encoded = isinstance(picture, Encoded)
            if is_encoded:
                results.append(picture)
            else:
                values = pixels(picture, choice.layout, choice.alarms)
                results.append(Picture(values, camera_of(picture)))
        except UnforeseenError as error:
            results.append(error)
        except Exception as error:
            results.append(reason_of(error))
    encoded = [place for place, found in enumerate(results) if isinstance(found, Encoded)]
    if encoded:
        answers = workers.pictures([results[place] for place in encoded], choice.layout, choice.alarms)
        for place, answer in zip(encoded, answers, strict=True):
            results[place] = answer
    return results


def _facts(item: Item, workers: Workers) -> Facts | str:
    """What is known of a picture, or the reason why it cannot be read."""
    if item.facts is not None:
        return item.facts
    try:
        picture = item.open()
        if not isinstance(picture, Encoded):
            return facts_of(picture)
    except Exception as error:
        return reason_of(error)
    return workers.facts(picture)


def _check_like(like: Any, given: Mapping[str, Any]) -> Layout:
    """The layout of ``like``, which excludes whatever else says how pictures are brought into form."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name}: got {value!r} beside like=, which says it already; want one of them")
    layout = like if isinstance(like, Layout) else layout_of(like)
    if layout is None:
        raise TypeError(f"like: got {like!r}, want a fitted TSimCNE, an ImageCollection or a Layout")
    return layout


def layout_of(like: Any) -> Any:
    """The layout of a fitted estimator or a collection, as far as it is known; None for anything else."""
    layout = getattr(like, "layout", None) or getattr(like, "image_layout_", None)
    if isinstance(layout, Layout):
        return layout
    shape = (
        like.images.shape[1:] if isinstance(like, ImageCollection) else getattr(like, "image_shape_", None)
    )
    return None if shape is None else Layout((shape[0], shape[1]), shape[2])


def _check_wishes(size: Any, channels: Any, fit: Any, background: Any, scale: Any) -> Wishes:
    if channels is not None:
        check_integer("channels", channels, 1, MOST_CHANNELS)
    return Wishes(
        _check_size(size),
        channels,
        check_choice("fit", "crop" if fit is None else fit, FITS),
        _check_background("white" if background is None else background),
        _check_scale("auto" if scale is None else scale),
    )


def _check_size(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = size if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"size: got {size!r}, want pixels, or (height, width)")
    return check_integer("size", pair[0], SMALLEST, LARGEST), check_integer(
        "size", pair[1], SMALLEST, LARGEST
    )


def _check_background(color: Any) -> tuple[int, int, int]:
    if isinstance(color, str):
        return COLORS[check_choice("background", color, COLORS)]
    if not isinstance(color, list | tuple) or len(color) != 3:
        raise ValueError(f"background: got {color!r}, want 'white', 'black' or (red, green, blue)")
    return tuple(check_integer("background", value, 0, 255) for value in color)  # type: ignore[return-value]


def _check_scale(scale: Any) -> str | tuple[float, float]:
    if isinstance(scale, str):
        return check_choice("scale", scale, SCALES)
    if not isinstance(scale, list | tuple) or len(scale) != 2:
        raise TypeError(f"scale: got {scale!r}, want 'auto', 'depth', 'percentile' or (low, high)")
    low, high = (check_number("scale", value, -1e300, 1e300) for value in scale)
    if low >= high:
        raise ValueError(f"scale: got {scale!r}, want (low, high) with low < high")
    return low, high
