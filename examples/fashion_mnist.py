"""Map the 10,000 test images of Fashion-MNIST and judge the map.

Debian's package ``dataset-fashion-mnist`` has the images: ``python examples/fashion_mnist.py``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from tsimcne_swift import Augmentation, TSimCNE, datasets, images, plot, recipes

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def knn_accuracy(Z: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy of the 15 nearest neighbours, for every other image of a random order from the rest."""
    order = np.random.default_rng(0).permutation(len(Z))
    train, test = order[: len(Z) // 2], order[len(Z) // 2 :]
    model = KNeighborsClassifier(n_neighbors=15).fit(Z[train], labels[train])
    return float(model.score(Z[test], labels[test]))


def draw(Y: np.ndarray, clothes: images.ImageCollection, path: Path) -> None:
    """Points by class, and some of the images where they lie."""
    title = "Fashion-MNIST, 10,000 images, learnt without labels"
    _, ax = plt.subplots(figsize=(12, 11), layout="constrained")
    plot.scatter(Y, clothes.labels, label_names=clothes.label_names, ax=ax, title=title)
    plot.gallery(Y, 255 - clothes.images, clothes.labels, columns=22, zoom=0.6, background=False, ax=ax)
    path.parent.mkdir(parents=True, exist_ok=True)
    ax.figure.savefig(path, dpi=110, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(datasets.FASHION_MNIST))
    parser.add_argument("--output", type=Path, default=Path("out/fashion-mnist.png"))
    parser.add_argument("--time", default="2min")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    clothes = datasets.load_fashion_mnist("test", path=options.data)
    X, labels = clothes.images, clothes.labels
    model = TSimCNE(
        # Garments are centred: half of one is enough of a crop. How bright they are says little.
        augmentation=Augmentation(crop_area_min=0.5, brightness=0.8, contrast=0.8),
        **recipes.FAST,
        max_time=options.time,
        random_state=options.seed,
        verbose=1,
    )
    started = time.perf_counter()
    Y = model.fit_transform(X)
    seconds = time.perf_counter() - started

    print(f"seconds: {seconds:.0f}")
    for number, epochs in enumerate(model.total_epochs_, 1):
        losses = [row["loss"] for row in model.history_ if row["stage"] == number]
        print(f"stage {number}: loss {losses[0]:.3f} -> {losses[-1]:.3f} in {epochs:.1f} epochs")
    radius = np.linalg.norm(Y - np.median(Y, axis=0), axis=1)
    pixels = X.reshape(len(X), -1) / 255
    plane = PCA(2, random_state=0).fit_transform(pixels)
    print(f"2-D kNN accuracy (k = 15): {knn_accuracy(Y, labels):.3f}")
    print(f"  PCA to 2-D: {knn_accuracy(plane, labels):.3f}")
    print(f"  raw pixels (784-D): {knn_accuracy(pixels, labels):.3f}")
    print(f"points beyond 3 median radii: {np.mean(radius > 3 * np.median(radius)):.1%}")
    draw(Y, clothes, options.output)
    print(f"map: {options.output}")


if __name__ == "__main__":
    main()
