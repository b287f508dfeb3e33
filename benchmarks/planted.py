"""How many planted duplicates and wrong labels `tsimcne_swift.inspect` finds.

python -m benchmarks.planted [--sets fashion emoji …] [--seeds 0 1] [--also cropped mirrored]
python -m benchmarks.planted --labels [--max-time 4min]

Copies of a tenth of a set's images, 280 at most, are put beside it: exact ones; shifted by a pixel; with
noise of 4 and of 8 grey levels; through JPEG of quality 50 and 80; through three quarters of the size;
darker, also through JPEG. `--also` adds parts of 0.9 to 0.6 of the sides, enlarged, and mirrored ones. Of
images that are the same in the set itself one is kept; whatever else is found counts as found wrongly.
`--labels` trains on Fashion-MNIST's test images, of which 20 have another label.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image
from tsimcne_swift import TSimCNE, datasets, inspect

from .quality import made

PLANTED, MOST = 20, 280
Pair = frozenset[int]


def photographs() -> np.ndarray:
    """Pieces of scikit-learn's two photographs that overlap by a half at most, sideways; without those in
    which there is nothing but a clear sky or a blurred ground.
    """
    from sklearn.datasets import load_sample_images

    pieces = [
        photo[i : i + 48, j : j + 48]
        for photo in load_sample_images().images
        for i in range(0, 427 - 48, 48)
        for j in range(0, 640 - 48, 24)
    ]
    return np.array([piece for piece in pieces if np.diff(piece.astype(int), axis=1).std() > 2])


SETS: dict[str, Callable[[], np.ndarray]] = {
    "fashion": lambda: datasets.load_fashion_mnist("test").images,
    "fashion60000": lambda: datasets.load_fashion_mnist("train").images,
    "emoji": lambda: datasets.load_emoji().images,
    "textures": lambda: made.textures()[0],
    "cells": lambda: made.cells()[0],
    "dark": lambda: made.fluorescence(noise=4),
    "darker": lambda: made.fluorescence(noise=2),
    "noisy": lambda: made.fluorescence(noise=8),
    "plain": made.walls,
    "photographs": photographs,
}


def as_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def through_picture(image: np.ndarray, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    return np.asarray(change(Image.fromarray(image.squeeze()))).reshape(image.shape)


def jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def change(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return change


def resized(picture: Image.Image) -> Image.Image:
    small = [side * 3 // 4 for side in picture.size]
    return picture.resize(small, Image.Resampling.BICUBIC).resize(picture.size, Image.Resampling.BICUBIC)


def part(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    share = random.uniform(0.6, 0.9)
    height, width = (round(share * side) for side in image.shape[:2])
    top, left = random.integers(image.shape[0] - height + 1), random.integers(image.shape[1] - width + 1)
    cut = Image.fromarray(image[top : top + height, left : left + width].squeeze())
    return np.asarray(cut.resize(image.shape[1::-1], Image.Resampling.BICUBIC)).reshape(image.shape)


CHANGES = (
    lambda image, random: image,
    lambda image, random: np.roll(image, 1, axis=int(random.integers(2))),
    lambda image, random: as_bytes(image + random.normal(0, 4, image.shape)),
    lambda image, random: as_bytes(image + random.normal(0, 8, image.shape)),
    lambda image, random: through_picture(image, jpeg(50)),
    lambda image, random: through_picture(image, jpeg(80)),
    lambda image, random: through_picture(image, resized),
    lambda image, random: as_bytes(0.8 * image.astype(float)),
    lambda image, random: through_picture(as_bytes(0.9 * image.astype(float) + 8), jpeg(80)),
)
ALSO = {"cropped": part, "mirrored": lambda image, random: image[:, ::-1]}


def plant(images: np.ndarray, random: np.random.Generator, also: list[str]) -> tuple[np.ndarray, set[Pair]]:
    """Images, with the planted ones at the end; and the planted pairs."""
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    images = images[np.sort(first)]
    n = len(images)
    sources = random.permutation(n)[: min(MOST, n // 10)]
    changes = [*CHANGES, *(ALSO[name] for name in also)]
    copies = [changes[place % len(changes)](images[i], random) for place, i in enumerate(sources)]
    planted = {frozenset((int(i), n + place)) for place, i in enumerate(sources)}
    return np.concatenate([images, copies]), planted


def pairs(groups: list[np.ndarray]) -> set[Pair]:
    return {frozenset((int(a), int(b))) for group in groups for a in group for b in group if a != b}


def measures(found: set[Pair], planted: set[Pair]) -> str:
    hits = len(found & planted)
    return f"{hits / max(1, len(found)):.3f} | {hits / len(planted):.3f}"


def duplicates(names: list[str], seeds: list[int], also: list[str]) -> None:
    print("| set | images | size | planted | seconds | of CPU | precision | recall |")
    print("|---" * 8 + "|")
    for name in names:
        everything = SETS[name]()
        for seed in seeds:
            images, planted = plant(everything, np.random.default_rng(seed), also)
            before, spent = time.perf_counter(), time.process_time()
            found = pairs(inspect.duplicates(images, also=also).groups)
            seconds, spent = time.perf_counter() - before, time.process_time() - spent
            size = "×".join(map(str, images.shape[1:]))
            row = f"| {name} | {len(images)} | {size} | {len(planted)} | {seconds:.1f} | {spent:.1f} "
            print(row + f"| {measures(found, planted)} |", flush=True)


def labels(max_time: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    clothes = datasets.load_fashion_mnist("test")
    swapped = random.choice(len(clothes.images), PLANTED, replace=False)
    given = clothes.labels.copy()
    given[swapped] = (given[swapped] + random.integers(1, 10, PLANTED)) % 10
    model = TSimCNE(max_time=max_time, random_state=seed, verbose=1)
    Y = model.fit_transform(clothes.images)
    print("| wrong labels | looked at | precision | recall |\n|---|---|---|---|")
    for name, Z in (("map", Y), ("features", model.features(clothes.images))):
        order = inspect.mislabelled(Z, given)
        for count in (PLANTED, 10 * PLANTED, len(order)):
            hits = len(np.intersect1d(order[:count], swapped))
            print(f"| {name} | {count} | {hits / max(1, count):.2f} | {hits / PLANTED:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--also", nargs="*", default=[], choices=ALSO)
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--max-time", default="4min")
    options = parser.parse_args()
    if options.labels:
        labels(options.max_time, options.seeds[0])
    else:
        duplicates(options.sets, options.seeds, options.also)


if __name__ == "__main__":
    main()
