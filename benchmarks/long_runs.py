"""Does ``fit`` return in time, and what moves when a map is continued? Tables for docs/reproducibility.md.

    .venv/bin/python -m benchmarks.long_runs deadline
    .venv/bin/python -m benchmarks.long_runs drift

Fashion-MNIST's test images (Debian's package dataset-fashion-mnist), ResNet-10 of width 16.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from tsimcne_swift import TSimCNE

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
    """How far points move, in units of the map's root-mean-square radius, and who keeps its neighbours."""
    from sklearn.neighbors import NearestNeighbors

    X = images()[:5000]
    old = X[:4000]
    options = {"backbone": "resnet10", "random_state": 0}
    model = TSimCNE(**options, total_epochs=[16, 1, 5]).fit(old)
    Y = model.embedding_
    radius = np.sqrt(((Y - Y.mean(axis=0)) ** 2).sum(axis=1).mean())

    def neighbours(Z: np.ndarray) -> np.ndarray:
        return NearestNeighbors(n_neighbors=15).fit(Z).kneighbors(return_distance=False)

    before = neighbours(Y)
    print("| continued for | median move | 90 % move less than | 15 neighbours kept |")
    print("|---|---|---|---|")
    for epochs in (1, 2, 5):
        Z = TSimCNE(**options, init=model, total_epochs=[epochs]).fit(X).transform(old)
        moves = np.linalg.norm(Z - Y, axis=1) / radius
        kept = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(before, neighbours(Z), strict=True)])
        low, high = np.quantile(moves, [0.5, 0.9])
        print(f"| {epochs} epochs | {low:.1%} of the radius | {high:.1%} | {kept:.0%} |", flush=True)
    again = TSimCNE(**options | {"random_state": 1}, total_epochs=[16, 1, 5]).fit(old).embedding_
    kept = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(before, neighbours(again), strict=True)])
    print(f"| (a new map, other seed) | | | {kept:.0%} |")


if __name__ == "__main__":
    {"deadline": deadline, "drift": drift}[sys.argv[1]]()
