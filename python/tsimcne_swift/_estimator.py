"""The scikit-learn estimator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from . import _core, _training, recipes
from ._augmentation import PRESETS, Augmentation
from ._images import Images
from ._validation import (
    check_choice,
    check_integer,
    check_jobs,
    check_number,
    check_per_stage,
    check_seed,
)

# Images that are mapped between two looks at signals.
CHUNK = 512
BACKBONES = {"resnet10": 10, "resnet18": 18}
HEADS = {"linear": 0, "mlp": 1}
METRICS = {"euclidean": 0, "cosine": 1}
OUTPUT_KEEP, OUTPUT_NORMAL, OUTPUT_PRINCIPAL = 0, 1, 2


class TSimCNE(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Map images to 2-D by contrastive learning with a Cauchy kernel (t-SimCNE).

    Parameters
    ----------
    n_components : int, default=2
        Dimension of the map.
    backbone : {"resnet18", "resnet10"}, default="resnet18"
        Convolutional network.
    width : int, default=16
        Channels of the network's first stage; the paper has 64.
    projection_head : {"mlp", "linear"}, default="mlp"
        From the backbone's features to the embedding.
    hidden_dim : int, default=1024
        Hidden units of the ``"mlp"`` head.
    pretrain_dim : int, default=128
        Output dimension of the first stage.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Cauchy similarity of Euclidean distances, or exponentiated cosine (SimCLR).
    temperature : float or None, default=None
        Multiplies distances or divides cosines; None is 1 and 0.5.
    augmentation : {"natural", "text", "microscopy"} or Augmentation, default="natural"
        Random views.
    normalize : None, "dataset" or (mean, std), default=None
        What is done to pixels in [0, 1]: nothing, the data set's own mean and standard deviation per
        channel, or given ones. Kept in the model.
    total_epochs : "auto" or list of int, default="auto"
        ``[a, b, c]``: epochs of the three stages (all in ``pretrain_dim`` dimensions; a new output
        layer alone; all). ``[a]``: the first only, so that the result has ``pretrain_dim``
        dimensions. ``"auto"`` depends on the number and size of the images.
    batch_size : int, default=128
        Images in a batch; at most n.
    lr : "auto", float or list of float, default="auto"
        Peak learning rate; a list has one for each stage.
    momentum, weight_decay : float, default=0.9, 5e-4
        Of SGD; decay is part of the gradient.
    clip_value : float or None, default=4.0
        Gradients are clipped to ± this value.
    lr_scheduler : {"cosine"}, default="cosine"
        Course of the learning rate after warm-up.
    lr_step : {"batch", "epoch"}, default="batch"
        How often the rate changes; ``"epoch"`` is the reference's schedule.
    warmup : "auto", float or list of float, default="auto"
        Fraction of a stage's steps (``lr_step="batch"``) or epochs (``"epoch"``).
    output_init : {"principal", "normal"}, default="principal"
        How the map's layer begins in stage 2: with principal components of the first stage's output,
        or with weights from N(0, 1) as in the paper.
    image_shape : (height, width[, channels]) or None, default=None
        Of X with two dimensions; None takes square grey images.
    random_state : int, Generator, RandomState or None, default=None
        Seed. The same seed gives the same bits on any number of threads.
    n_jobs : int or None, default=None
        Threads; None and -1 are all cores that this process may use.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    embedding_ : ndarray of shape (n, n_components), float32
        Map of the training images, bit-equal to ``transform(X)``.
    history_ : list of dict
        Per epoch: ``stage``, ``epoch``, ``loss``, ``lr``, ``seconds``, ``pairs_per_second``.
    n_features_in_ : int
        Values of an image.
    image_shape_ : tuple
        Height, width, channels.
    batch_size_, total_epochs_ : int, list of int
        As used.

    References
    ----------
    Böhm, Berens, Kobak. Unsupervised visualization of image datasets using contrastive learning.
    ICLR 2023.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        backbone: str = "resnet18",
        width: int = 16,
        projection_head: str = "mlp",
        hidden_dim: int = 1024,
        pretrain_dim: int = 128,
        metric: str = "euclidean",
        temperature: float | None = None,
        augmentation: str | Augmentation = "natural",
        normalize: Any = None,
        total_epochs: Any = "auto",
        batch_size: int = 128,
        lr: Any = "auto",
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        clip_value: float | None = 4.0,
        lr_scheduler: str = "cosine",
        lr_step: str = "batch",
        warmup: Any = "auto",
        output_init: str = "principal",
        image_shape: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.backbone = backbone
        self.width = width
        self.projection_head = projection_head
        self.hidden_dim = hidden_dim
        self.pretrain_dim = pretrain_dim
        self.metric = metric
        self.temperature = temperature
        self.augmentation = augmentation
        self.normalize = normalize
        self.total_epochs = total_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.clip_value = clip_value
        self.lr_scheduler = lr_scheduler
        self.lr_step = lr_step
        self.warmup = warmup
        self.output_init = output_init
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> TSimCNE:
        """Train on images.

        Parameters
        ----------
        X : array of shape (n, height, width[, channels]) or (n, features)
            uint8, or floats in [0, 1]. C-contiguous uint8 and float32 are read in place.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            Naming the argument, what it got and what it wants. After an error or an interrupt the
            estimator is as it was.
        """
        threads = check_jobs(self.n_jobs)
        seed = check_seed(self.random_state)
        verbose = check_integer("verbose", self.verbose, 0, 100)
        augmentation = self._check_augmentation()
        config = self._check_network()
        batch_size = check_integer("batch_size", self.batch_size, 2, 1 << 20)
        images = Images(X, self.image_shape)
        n, height, width, channels = images.shape
        if n < 2:
            raise ValueError("X: got 1 image, want at least 2")
        batch_size = min(batch_size, n)
        epochs = self._check_epochs(n, height, width)
        stages = self._stages(epochs, batch_size)
        mean, deviation = self._check_normalize(images)
        model = _core.Model(
            channels=channels,
            output_dim=int(stages[0]["output_dim"]),
            mean=mean,
            deviation=deviation,
            seed=seed,
            **config,
        )
        trainer = _core.Trainer(
            model,
            images.whole() if images.direct else None,
            shape=images.shape,
            format=images.format,
            seed=seed,
            batch_size=batch_size,
            source=_core.SOURCE_IMAGES if images.direct else _core.SOURCE_SUPPLIED,
            threads=threads,
            stages=stages,
            augmentation=augmentation,
        )
        try:
            history = _training.run(trainer, images, stages, verbose)
        finally:
            trainer.close()
        outputs = int(stages[-1]["output_dim"])
        embedding = _map(model, images, outputs, _core.OUTPUT_MAP, threads)
        self._model = model
        self._outputs = outputs
        self._features_out = 8 * config["base_width"]
        self.embedding_ = embedding
        self.history_ = history
        self.n_features_in_ = images.n_features
        self.image_shape_ = images.shape[1:]
        self.batch_size_ = batch_size
        self.total_epochs_ = epochs
        return self

    def fit_transform(self, X: Any, y: Any = None) -> npt.NDArray[np.float32]:
        """Train on images and return their map, of shape (n, n_components)."""
        return self.fit(X, y).embedding_

    def transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Map images; the result for an image does not depend on the others.

        Parameters
        ----------
        X : array like that of ``fit``, with images of the same shape

        Returns
        -------
        ndarray of shape (n, n_components), float32
        """
        return self._apply(X, _core.OUTPUT_MAP)

    def features(self, X: Any) -> npt.NDArray[np.float32]:
        """The backbone's features of images, of shape (n, 8 * width)."""
        return self._apply(X, _core.OUTPUT_FEATURES)

    def score(self, X: Any, y: Any) -> float:
        """Leave-one-out accuracy of the k = min(15, n - 1) nearest neighbours in the map of X."""
        Y = self.transform(X)
        labels = np.asarray(y)
        if labels.shape != (len(Y),):
            raise ValueError(f"y: got shape {labels.shape}, want one label for each of {len(Y)} images")
        if len(Y) < 2:
            raise ValueError("X: got 1 image, want at least 2 to score")
        k = min(15, len(Y) - 1)
        neighbours = NearestNeighbors(n_neighbors=k).fit(Y).kneighbors(return_distance=False)
        classes, codes = np.unique(labels, return_inverse=True)
        counts = np.zeros((len(Y), len(classes)), dtype=np.int64)
        for column in neighbours.T:
            counts[np.arange(len(Y)), codes[column]] += 1
        return float(np.mean(counts.argmax(axis=1) == codes))

    def _apply(self, X: Any, kind: int) -> npt.NDArray[np.float32]:
        check_is_fitted(self, "embedding_")
        threads = check_jobs(self.n_jobs)
        array = np.asanyarray(X) if not isinstance(X, list) else X
        shape = self.image_shape_ if getattr(array, "ndim", 0) == 2 else None
        images = Images(array, shape)
        if images.shape[1:] != self.image_shape_:
            raise ValueError(f"X: got images of {images.shape[1:]}, want {self.image_shape_} as in fit")
        columns = self._outputs if kind == _core.OUTPUT_MAP else self._features_out
        return _map(self._model, images, columns, kind, threads)

    def _check_network(self) -> dict[str, int]:
        return {
            "depth": BACKBONES[check_choice("backbone", self.backbone, BACKBONES)],
            "base_width": check_integer("width", self.width, 1, 1024),
            "head": HEADS[check_choice("projection_head", self.projection_head, HEADS)],
            "hidden_dim": check_integer("hidden_dim", self.hidden_dim, 1, 65536),
        }

    def _check_augmentation(self) -> dict[str, float]:
        if isinstance(self.augmentation, Augmentation):
            return self.augmentation._fields()
        return PRESETS[check_choice("augmentation", self.augmentation, PRESETS)]._fields()

    def _check_epochs(self, n: int, height: int, width: int) -> list[int]:
        if isinstance(self.total_epochs, str):
            check_choice("total_epochs", self.total_epochs, ["auto"])
            return recipes.automatic_epochs(n, height, width)
        if not isinstance(self.total_epochs, list | tuple) or len(self.total_epochs) not in (1, 3):
            raise ValueError(f"total_epochs: got {self.total_epochs!r}, want 'auto', [a] or [a, b, c]")
        return [
            check_integer(f"total_epochs[{i}]", value, 1, 10**9) for i, value in enumerate(self.total_epochs)
        ]

    def _check_normalize(self, images: Images) -> tuple[Any, Any]:
        channels = images.shape[3]
        if self.normalize is None:
            return None, None
        if isinstance(self.normalize, str):
            check_choice("normalize", self.normalize, ["dataset"])
            return _moments(images)
        if not isinstance(self.normalize, list | tuple) or len(self.normalize) != 2:
            raise TypeError(f"normalize: got {self.normalize!r}, want None, 'dataset' or (mean, std)")
        values = []
        for name, value in zip(("mean", "std"), self.normalize, strict=True):
            try:
                row = np.broadcast_to(np.asarray(value, dtype=np.float32), (channels,)).copy()
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"normalize: got {name} {value!r}, want a number or {channels} of them"
                ) from error
            if not np.isfinite(row).all() or (name == "std" and (row <= 0).any()):
                raise ValueError(f"normalize: got {name} {value!r}, want finite numbers, std positive")
            values.append(row)
        return values[0], values[1]

    def _stages(self, epochs: list[int], batch_size: int) -> list[dict[str, float]]:
        """Fields of tsimcne_stage for each stage."""
        count = len(epochs)
        components = check_integer("n_components", self.n_components, 1, 4096)
        pretrain = check_integer("pretrain_dim", self.pretrain_dim, 1, 4096)
        metric = METRICS[check_choice("metric", self.metric, METRICS)]
        check_choice("lr_scheduler", self.lr_scheduler, ["cosine"])
        step = check_choice("lr_step", self.lr_step, ["batch", "epoch"])
        output = check_choice("output_init", self.output_init, ["principal", "normal"])
        if output == "principal" and count == 3 and components > pretrain:
            raise ValueError(
                f"n_components: got {components}, more than pretrain_dim={pretrain}; "
                "take output_init='normal' or a larger pretrain_dim"
            )
        if self.temperature is None:
            temperature = (1.0, 0.5)[metric]
        else:
            temperature = check_number("temperature", self.temperature, 1e-6, 1e6)
        clip = 0.0 if self.clip_value is None else check_number("clip_value", self.clip_value, 1e-30, 1e30)
        common = {
            "metric": metric,
            "temperature": temperature,
            "schedule": ("batch", "epoch").index(step),
            "momentum": check_number("momentum", self.momentum, 0, 1),
            "weight_decay": check_number("weight_decay", self.weight_decay, 0, 1e9),
            "clip_value": clip,
        }
        rates = self._rates(count, batch_size)
        warmups = self._warmups(count, step)
        scale = 1.0 if output == "normal" else recipes.PRINCIPAL_RADIUS
        return [
            {
                **common,
                "epochs": epochs[i],
                "output_dim": pretrain if i == 0 else components,
                "output_start": (
                    OUTPUT_KEEP if i != 1 else OUTPUT_NORMAL if output == "normal" else OUTPUT_PRINCIPAL
                ),
                "output_scale": scale,
                "trains": int(i == 1),
                "learning_rate": rates[i],
                "warmup": warmups[i],
            }
            for i in range(count)
        ]

    def _rates(self, count: int, batch_size: int) -> list[float]:
        if isinstance(self.lr, str):
            check_choice("lr", self.lr, ["auto"])
            return [rate * batch_size / 256 for rate in recipes.LEARNING_RATES[:count]]
        return [check_number("lr", rate, 0, 1e9) for rate in check_per_stage("lr", self.lr, count)]

    def _warmups(self, count: int, step: str) -> list[float]:
        if isinstance(self.warmup, str):
            check_choice("warmup", self.warmup, ["auto"])
            return [recipes.WARMUP] * count if step == "batch" else [10.0, 0.0, 10.0][:count]
        values = check_per_stage("warmup", self.warmup, count)
        if step == "batch":
            return [check_number("warmup", value, 0, 1) for value in values]
        return [float(check_integer("warmup", value, 0, 10**6)) for value in values]


def _map(
    model: _core.Model, images: Images, columns: int, kind: int, threads: int
) -> npt.NDArray[np.float32]:
    n = images.shape[0]
    result = np.empty((n, columns), dtype=np.float32)
    whole = images.whole() if images.direct else None
    chunk = max(1, min(CHUNK, CHUNK * 3072 // math.prod(images.shape[1:])))
    for first in range(0, n, chunk):
        rows = slice(first, min(n, first + chunk))
        part = whole[rows] if whole is not None else images.batch(rows)
        model.transform(part, result[rows], kind=kind, threads=threads)
        images.forget()
    return result


def _moments(images: Images) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation per channel of pixels in [0, 1]."""
    n, height, width, channels = images.shape
    total = np.zeros((2, channels))
    for first in range(0, n, CHUNK):
        part = images.batch(slice(first, first + CHUNK)).reshape(-1, channels).astype(np.float64)
        if images.format == "B":
            part /= 255
        total += [part.sum(axis=0), (part**2).sum(axis=0)]
    mean, square = total / (n * height * width)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    # A constant channel carries nothing; it is only centred.
    deviation[deviation < 1e-6] = 1
    return mean.astype(np.float32), deviation.astype(np.float32)
