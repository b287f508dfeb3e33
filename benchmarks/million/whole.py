"""From a folder of very many pictures to a page: what each step takes, and what the map is worth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .data import fashion

THREADS = 2
SIDE, CHUNK = 32, 10_000
# Images of the smaller map beside it, and how many are asked what their neighbours are.
SMALLER, ASKED, K = 60_000, 10_000, 15


def make(folder: Path, count: int) -> None:
    """Pictures of clothes in colours of their own before others, at some place; a folder for each kind."""
    for label in range(10):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
    starts = range(0, count, CHUNK)
    with ProcessPoolExecutor(THREADS) as pool:
        list(pool.map(_make, [folder] * len(starts), starts, [min(CHUNK, count - start) for start in starts]))


def _make(folder: Path, start: int, count: int) -> None:
    from PIL import Image

    pictures, labels = fashion()
    for number in range(start, start + count):
        random = np.random.Generator(np.random.Philox(key=number))
        name = folder / str(labels[number % len(labels)]) / f"{number:07}.png"
        if not name.exists():
            Image.fromarray(_crop(pictures[number % len(pictures)], random)).save(name, compress_level=1)


def _crop(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One picture of SIDE × SIDE pixels in colour."""
    side = int(random.integers(20, SIDE + 1))
    at = (np.arange(side) * len(picture)) // side
    top, left = random.integers(0, SIDE - side + 1, 2)
    cover = np.zeros((SIDE, SIDE, 1), np.float32)
    cover[top : top + side, left : left + side, 0] = picture[np.ix_(at, at)] / np.float32(255)
    corners = random.integers(0, 96, (2, 3)).astype(np.float32)
    across = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None, None]
    behind = np.broadcast_to(corners[0] * across + corners[1] * (1 - across), (SIDE, SIDE, 3))
    colour = random.integers(160, 256, 3).astype(np.float32)
    return (cover * colour + (1 - cover) * behind).astype(np.uint8)


def run(source: Path, target: Path, max_time: str, steps: Any, say: Callable[[dict[str, Any]], None]) -> None:
    """Read, learn, lay out, draw; then a smaller map by the same network, and how much each tells."""
    from tsimcne_swift import TSimCNE, explore, images, recipes
    from tsimcne_swift._inputs.images import Images

    from .planes import ours

    target.mkdir(parents=True, exist_ok=True)
    read = images.from_folder(source, size=SIDE, cache=target / "images.npy")
    steps.done("reading")
    model = TSimCNE(
        **recipes.FAST,
        max_time=max_time,
        n_jobs=THREADS,
        random_state=0,
        verbose=1,
        callbacks=[lambda record: steps.done("learning")],
    )
    Y = model.fit_transform(read.images)
    steps.done("plane")
    model.save(target / "model.safetensors")
    np.save(target / "map.npy", Y)
    steps.done("saving")
    labels = read.labels
    names = [str(label) for label in read.label_names]
    explore(Y, read.images, labels, label_names=names, names=read.names, path=f"{target}/page/")
    steps.done("page")
    some = np.random.Generator(np.random.Philox(1)).choice(len(Y), min(ASKED, len(Y)), replace=False)
    say({"images": len(Y), "knn_map": agreement(Y, labels, some)})
    if len(Y) > SMALLER:
        part = np.sort(np.random.Generator(np.random.Philox(2)).choice(len(Y), SMALLER, replace=False))
        smaller = np.ascontiguousarray(read.images[part])
        rows = model._places.comparison.rows(model._network, Images(smaller), THREADS)
        small = ours(rows, lambda step: None)
        some = np.arange(0, SMALLER, SMALLER // ASKED)
        say({"images": SMALLER, "knn_map": agreement(small, labels[part], some)})


def agreement(points: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> float:
    """Leave-one-out kNN accuracy of some points by all others."""
    from tsimcne_swift._evaluation import neighbors

    _, numbers = np.unique(labels, return_inverse=True)
    votes = np.array([np.bincount(row, minlength=10) for row in numbers[neighbors(points, K, asked)]])
    return round(float((votes.argmax(axis=1) == numbers[asked]).mean()), 4)
