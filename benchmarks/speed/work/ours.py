"""tsimcne-swift itself. Settings that are left out are those of a user who names only the sizes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from tsimcne_swift import Augmentation, Stage, TSimCNE, _core, recipes, show_config

from .timing import milliseconds

SEED = 0


def random_images(count: int, size: int, channels: int = 3) -> npt.NDArray[np.uint8]:
    """Images of shape (count, size, size, channels)."""
    shape = (count, size, size, channels)
    return np.random.default_rng(SEED).integers(0, 256, shape, dtype=np.uint8)


def estimator(
    width: int,
    batch: int,
    epochs: int,
    threads: int,
    backbone: str = "resnet18",
    precision: str = "float32",
) -> Any:
    """The first stage of the paper, which trains everything."""
    return TSimCNE(
        backbone=backbone,
        width=width,
        hidden_dim=1024,
        n_views=2,
        total_epochs=[epochs],
        batch_size=batch,
        precision=precision,
        n_jobs=threads,
        random_state=SEED,
    )


def epoch_seconds(
    width: int,
    images: int,
    batch: int,
    size: int,
    threads: int,
    backbone: str = "resnet18",
    precision: str = "float32",
) -> Callable[[], float]:
    """Seconds of an epoch of ``fit``, augmentation included.

    It is the second one, because the first one takes the memory of a step from the system.
    """
    X = random_images(images, size)
    model = estimator(width, batch, 2, threads, backbone, precision)
    return lambda: float(model.fit(X).history_[-1]["seconds"])


def check_level(level: str | None) -> None:
    """An error where a level is wanted and the core that was loaded is of another one."""
    if level not in (None, show_config()["level"]):
        raise RuntimeError(f"the core is of {show_config()['level']}, not of {level}")


def training(
    width: int,
    views: int,
    steps: int,
    size: int,
    threads: int,
    level: str | None = None,
    precision: str = "float32",
) -> Callable[[], float]:
    """Views per second of training steps of ``views`` views, augmentation included."""
    check_level(level)
    images = steps * views // 2
    seconds = epoch_seconds(width, images, views // 2, size, threads, precision=precision)
    return lambda: steps * views / seconds()


def recipe(
    width: int,
    size: int,
    channels: int,
    image: int,
    images: int,
    steps: int,
    threads: int,
    level: str | None = None,
    precision: str = "float32",
) -> Callable[[], float]:
    """Views per second of the stage with which ``TSimCNE()`` begins; a step has a batch of ``images``.

    Views of ``size`` pixels a side are made from images of ``image``. It is the second epoch that counts.
    """
    check_level(level)
    X = random_images(steps * images, image, channels)
    view = None if size == image else size
    stage = Stage(2, 128, metric="cosine", temperature=recipes.TEMPERATURE, image_size=view)
    model = TSimCNE(
        width=width,
        total_epochs=[stage],
        batch_size=images,
        precision=precision,
        n_jobs=threads,
        random_state=SEED,
    )
    views = model.n_views * len(X)
    return lambda: views / float(model.fit(X).history_[-1]["seconds"])


def backbone(network: str, views: int, steps: int, size: int, threads: int) -> Callable[[], float]:
    """Views per second of training steps of another network, ResNets of width 64."""
    seconds = epoch_seconds(64, steps * views // 2, views // 2, size, threads, backbone=network)
    return lambda: steps * views / seconds()


def inference(width: int, images: int, size: int, threads: int) -> Callable[[], float]:
    """Images per second of ``transform``."""
    X = random_images(images, size)
    model = estimator(width, 8, 1, threads).fit(X[:8])
    model.transform(X)

    def sample() -> float:
        started = time.perf_counter()
        model.transform(X)
        return images / (time.perf_counter() - started)

    return sample


def loss(rows: int, dimension: int, threads: int) -> Callable[[], float]:
    """Milliseconds of loss and gradient."""
    z = np.random.default_rng(SEED).normal(size=(rows, dimension)).astype(np.float32)
    gradient = np.empty_like(z)

    def work() -> None:
        _core.infonce(z, gradient, views=2, metric=0, temperature=1.0, threads=threads)

    work()
    return lambda: milliseconds(work)


def augmentation(images: int, size: int, threads: int) -> Callable[[], float]:
    """Views per second."""
    X = random_images(images, size)
    views = np.empty(X.shape, np.float32)
    fields = Augmentation()._fields()

    def sample() -> float:
        started = time.perf_counter()
        _core.augment(
            X, views, augmentation=fields, seed=SEED, epoch=0, first_index=0, view=0, threads=threads
        )
        return images / (time.perf_counter() - started)

    sample()
    return sample
