"""Does ``fit`` return in time, and what moves when a map is continued? Tables for docs/reproducibility.md.

    .venv/bin/python -m benchmarks.long_runs deadline
    .venv/bin/python -m benchmarks.long_runs drift
    .venv/bin/python -m benchmarks.long_runs pretrained

Fashion-MNIST's test images (Debian's package dataset-fashion-mnist), ResNet-10 of width 16.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.neighbors import NearestNeighbors
from tsimcne_swift import Stage, TSimCNE
from tsimcne_swift._evaluation import leave_one_out

from .quality.data import fashion_mnist


def images() -> np.ndarray:
    X, _, train = fashion_mnist()
    return X[train:]


def deadline() -> None:
    """Seconds from the call of fit to its return."""
    X = images()
    print("| `max_time` | `fit` took | off by | epochs of the stages | stretches |")
    print("|---|---|---|---|---|")
    for seconds in (20, 60, 300):
        started = time.perf_counter()
        model = TSimCNE(backbone="resnet10", max_time=seconds, random_state=0).fit(X)
        took = time.perf_counter() - started
        epochs = ", ".join(f"{epochs:.2f}" for epochs in model.total_epochs_)
        stretches = sum(len(stage.stretches) for stage in model.stages_)
        print(
            f"| {seconds} s | {took:.2f} s | {took / seconds - 1:+.1%} | {epochs} | {stretches} |", flush=True
        )


def drift() -> None:
    """How far old points move when a collection grows, in units of the map's root-mean-square radius, who
    keeps its neighbours, and whether the map is good.
    """
    X, labels, train = fashion_mnist()
    X, labels = X[train:], labels[train:]
    grown = {
        "a fifth more images": np.arange(len(X)) < 0.8 * len(X),
        "a new class (bags)": labels != 8,
    }
    print("| new | map | median move | 90 % move less than | 15 neighbours kept | kNN, all images |")
    print("|---|---|---|---|---|---|")
    for name, old in grown.items():
        model = TSimCNE(total_epochs="fast", random_state=0).fit(X[old])
        ways = {
            "transform": model,
            "continued": TSimCNE(total_epochs="fast", random_state=0, init=model).fit(X),
            "new, aligned": TSimCNE(total_epochs="fast", random_state=1, align_to=model).fit(X),
        }
        for way, other in ways.items():
            row = moved(model.embedding_, other.transform(X[old]))
            accuracy = other.score(X, labels)
            print(f"| {name} | {way} | {' | '.join(row)} | {accuracy:.3f} |", flush=True)


def moved(before: np.ndarray, after: np.ndarray) -> list[str]:
    """Median and 90 % quantile of the moves, by the radius, and the share of neighbours that stayed."""
    radius = np.sqrt(((before - before.mean(axis=0)) ** 2).sum(axis=1).mean())
    low, high = np.quantile(np.linalg.norm(after - before, axis=1) / radius, [0.5, 0.9])
    pairs = zip(_neighbours(before), _neighbours(after), strict=True)
    kept = np.mean([len(set(a) & set(b)) / 15 for a, b in pairs])
    return [f"{low:.1%}", f"{high:.1%}", f"{kept:.0%}"]


def _neighbours(Y: np.ndarray) -> np.ndarray:
    return NearestNeighbors(n_neighbors=15).fit(Y).kneighbors(return_distance=False)


def pretrained() -> None:
    """Whether weights in torchvision's form, trained here on other images, are a better beginning.

    They are trained on images enlarged four times, since the stem divides the side by four: so the blocks see
    parts of an image as large as those of ``"resnet18"``, which reads images as they are.
    """
    X, labels, train = fashion_mnist()
    teacher = TSimCNE(
        backbone="resnet18_imagenet", width=16, max_time="4min", normalize="dataset", random_state=0
    ).fit(_enlarged(X[:10_000]))
    weights = {
        name.removeprefix("backbone."): value
        for name, value in teacher._network.tensors().items()
        if name.startswith("backbone.")
    }
    # Weights for ImageNet have three channels, of which a grey image gets the sum.
    weights["conv1.weight"] = np.repeat(weights["conv1.weight"] / 3, 3, axis=1)
    path = Path("out/pretrained.safetensors")
    path.parent.mkdir(exist_ok=True)
    save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, path)
    X, labels = X[train:], labels[train:]
    print("| backbone | begins with | loss of the first epoch | kNN of the features after it |")
    print("|---|---|---|---|")
    for backbone, images in (("resnet18_imagenet", _enlarged(X)), ("resnet18", X)):
        for init in (None, path):
            model = TSimCNE(
                n_components=128,
                backbone=backbone,
                width=16,
                init=init,
                total_epochs=[Stage(1, 128, metric="cosine")],
                random_state=1,
            ).fit(images)
            accuracy = leave_one_out(model.features(images), labels)
            name = "chance" if init is None else "the weights"
            print(f"| {backbone} | {name} | {model.history_[0]['loss']:.3f} | {accuracy:.3f} |", flush=True)


def _enlarged(X: np.ndarray) -> np.ndarray:
    return X.repeat(4, axis=1).repeat(4, axis=2)


if __name__ == "__main__":
    {"deadline": deadline, "drift": drift, "pretrained": pretrained}[sys.argv[1]]()
