"""Map the 10,000 test images of Fashion-MNIST and judge the map.

Debian's package ``dataset-fashion-mnist`` has the images: ``python examples/fashion_mnist.py``.
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from tsimcne_swift import Augmentation, TSimCNE

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

CLASSES = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot".split()
# Okabe and Ito's colours, told apart with any colour vision, and two more.
COLORS = "#E69F00 #56B4E9 #009E73 #F0E442 #0072B2 #D55E00 #CC79A7 #000000 #999999 #8B5A2B".split()


def read_idx(path: Path) -> np.ndarray:
    """An array in the idx format of MNIST, gzipped."""
    data = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def knn_accuracy(Z: np.ndarray, labels: np.ndarray) -> float:
    """k = 15, every other image of a random order from the rest."""
    order = np.random.default_rng(0).permutation(len(Z))
    train, test = order[: len(Z) // 2], order[len(Z) // 2 :]
    model = KNeighborsClassifier(n_neighbors=15).fit(Z[train], labels[train])
    return float(model.score(Z[test], labels[test]))


def draw(Y: np.ndarray, X: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Points by class, and some of the images where they lie."""
    low, high = np.percentile(Y, 0.3, axis=0), np.percentile(Y, 99.7, axis=0)
    gap = 0.07 * (high - low).max()
    width, height = high - low + 2 * gap
    figure, axes = plt.subplots(figsize=(11, 11 * height / width))
    for k, name in enumerate(CLASSES):
        axes.scatter(*Y[labels == k].T, s=4, c=COLORS[k], label=name, linewidths=0, alpha=0.8)
    shown: list[int] = []
    for i in np.random.default_rng(1).permutation(len(Y)):
        inside = ((Y[i] >= low) & (Y[i] <= high)).all()
        if inside and all(np.abs(Y[i] - Y[j]).max() > gap for j in shown):
            shown.append(i)
    for i in shown:
        picture = OffsetImage(255 - X[i], cmap="gray", zoom=0.9)
        frame = {"edgecolor": COLORS[labels[i]], "linewidth": 1}
        axes.add_artist(AnnotationBbox(picture, Y[i], pad=0.05, bboxprops=frame))
    axes.set(xlim=(low[0] - gap, high[0] + gap), ylim=(low[1] - gap, high[1] + gap))
    axes.set(xticks=[], yticks=[], title="Fashion-MNIST, 10,000 images, learnt without labels")
    axes.set_aspect("equal")
    axes.legend(markerscale=4, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--output", type=Path, default=Path("out/fashion-mnist.png"))
    parser.add_argument("--time", default="4min")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    X = read_idx(options.data / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(options.data / "t10k-labels-idx1-ubyte.gz")
    model = TSimCNE(
        # Garments are centred: half of one is enough of a crop. How bright they are says little.
        augmentation=Augmentation(crop_area_min=0.5, brightness=0.8, contrast=0.8),
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
    draw(Y, X, labels, options.output)
    print(f"map: {options.output}")


if __name__ == "__main__":
    main()
