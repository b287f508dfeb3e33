"""Image sets with labels, which training never sees."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tsimcne_swift import datasets

from . import made

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ImageSet:
    """Images and labels; which of them the scorer asks for, and from which it answers."""

    images: np.ndarray
    labels: np.ndarray
    references: np.ndarray
    queries: np.ndarray


def cifar10(archive: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """A zip of ``train|test/<class>/<name>.jpg``, shuffled within the halves; kept in out/."""
    cache = ROOT / "out" / "cifar10.npz"
    if not cache.exists():
        from PIL import Image

        halves = []
        with zipfile.ZipFile(archive) as file:
            names = [name for name in file.namelist() if name.endswith(".jpg")]
            classes = sorted({name.split("/")[-2] for name in names})
            for half in ("train", "test"):
                chosen = sorted(name for name in names if f"{half}/" in f"/{name}")
                order = np.random.default_rng(0).permutation(len(chosen))
                chosen = [chosen[i] for i in order]
                images = [
                    np.asarray(Image.open(io.BytesIO(file.read(name))).convert("RGB")) for name in chosen
                ]
                halves.append((np.stack(images), [classes.index(name.split("/")[-2]) for name in chosen]))
        cache.parent.mkdir(exist_ok=True)
        X = np.concatenate([images for images, _ in halves])
        y = np.concatenate([labels for _, labels in halves])
        np.savez(cache, X=X, y=y, train=len(halves[0][0]))
    with np.load(cache) as file:
        return file["X"], file["y"], int(file["train"])


def fashion_mnist() -> tuple[np.ndarray, np.ndarray, int]:
    """The 70,000 images of Debian's package dataset-fashion-mnist."""
    found = datasets.load_fashion_mnist()
    return found.images[..., 0], found.labels, 60000


def digits() -> tuple[np.ndarray, np.ndarray, int]:
    """The 1,797 images of scikit-learn, the last fifth as test images."""
    found = datasets.load_digits()
    return _shuffled(found.images[..., 0], found.labels)


def emoji() -> tuple[np.ndarray, np.ndarray, int]:
    """Debian's emoji of 32×32 pixels, by Unicode's groups; the last fifth as test images."""
    found = datasets.load_emoji()
    return _shuffled(found.images, np.unique(found.labels, return_inverse=True)[1])


def _shuffled(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    order = np.random.default_rng(0).permutation(len(X))
    return X[order], y[order], len(X) * 4 // 5


#: All but CIFAR-10, which wants an archive.
SETS = {
    "fashion": fashion_mnist,
    "digits": digits,
    "emoji": emoji,
    "textures": lambda: _shuffled(*made.textures()),
    "cells": lambda: _shuffled(*made.cells()),
}


def load(name: str, archive: Path | None, labels: str) -> ImageSet:
    """Queries are the test images, or, for tuning, a fifth of the training images (``labels="heldout"``)."""
    if name == "cifar10":
        assert archive is not None, "cifar10 wants --archive"
        X, y, train = cifar10(archive)
    else:
        X, y, train = SETS[name]()
    indices = np.arange(len(y))
    if labels == "test":
        return ImageSet(X, y, indices[:train], indices[train:])
    held = train // 5
    return ImageSet(X, y, indices[: train - held], indices[train - held : train])
