"""How many planted duplicates and wrong labels `tsimcne_swift.inspect` finds in Fashion-MNIST.

python -m benchmarks.planted [--max-time 4min]

Among the 10,000 test images: 20 exact copies, 20 near ones (a third each shifted by a pixel, with noise, or
through a JPEG of quality 50), 20 images with another label. Prints precision and recall; what the set
itself holds of such cases counts as found wrongly.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass

import numpy as np
from tsimcne_swift import TSimCNE, datasets, inspect

PLANTED = 20


@dataclass(frozen=True)
class Planted:
    """Images with the planted ones at the end: exact copies, then near ones."""

    images: np.ndarray
    labels: np.ndarray
    exact: set[frozenset[int]]
    near: set[frozenset[int]]
    swapped: set[int]


def jpeg(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def plant(seed: int) -> Planted:
    random = np.random.default_rng(seed)
    clothes = datasets.load_fashion_mnist("test")
    X, labels = clothes.images[..., 0], clothes.labels.copy()
    n = len(X)
    chosen = random.choice(n, 3 * PLANTED, replace=False)
    copied, altered, swapped = np.split(chosen, 3)
    changes = (
        lambda image: np.roll(image, 1, axis=int(random.integers(2))),
        lambda image: np.clip(image + random.normal(0, 8, image.shape), 0, 255).astype(np.uint8),
        jpeg,
    )
    near = [changes[i % len(changes)](X[source]) for i, source in enumerate(altered)]
    for i in swapped:
        labels[i] = (labels[i] + random.integers(1, 10)) % 10
    return Planted(
        np.concatenate([X, X[copied], near]),
        np.concatenate([labels, labels[copied], labels[altered]]),
        {frozenset((int(i), n + place)) for place, i in enumerate(copied)},
        {frozenset((int(i), n + PLANTED + place)) for place, i in enumerate(altered)},
        {int(i) for i in swapped},
    )


def pairs(groups: list[np.ndarray]) -> set[frozenset[int]]:
    return {frozenset((int(a), int(b))) for group in groups for a in group for b in group if a < b}


def row(name: str, found: set, planted: set) -> None:
    hits = len(found & planted)
    print(f"| {name} | {len(found)} | {hits / max(1, len(found)):.2f} | {hits / len(planted):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-time", default="4min")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    planted = plant(options.seed)
    model = TSimCNE(max_time=options.max_time, random_state=options.seed, verbose=1)
    Y = model.fit_transform(planted.images)
    features = model.features(planted.images)
    print("| what | found | precision | recall |\n|---|---|---|---|")
    for name, where in (("pixels", None), ("pixels and map", Y), ("pixels and features", features)):
        found = inspect.duplicates(planted.images, where)
        exact = [g for g, d in zip(found.groups, found.distances, strict=True) if d == 0]
        row(f"exact duplicates, {name}", pairs(exact), planted.exact)
        row(f"exact and near duplicates, {name}", pairs(found.groups), planted.exact | planted.near)
        first = found.groups[: 2 * PLANTED]
        row(f"the first {2 * PLANTED} groups, {name}", pairs(first), planted.exact | planted.near)
    for name, Z in (("map", Y), ("features", features)):
        order = inspect.mislabelled(Z, planted.labels)
        for count in (PLANTED, 10 * PLANTED, len(order)):
            row(f"wrong labels, the first {count}, {name}", {int(i) for i in order[:count]}, planted.swapped)


if __name__ == "__main__":
    main()
