"""The scikit-learn estimator."""

from __future__ import annotations

import copy
import os
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from . import _core
from ._checks.labels import read_labels
from ._checks.values import check_bool, check_choice, check_jobs
from ._evaluation import leave_one_out
from ._eyes.onnx import Onnx
from ._inputs.chunked import StoredImages, is_stored
from ._inputs.images import Images, as_array
from ._inputs.vectors import Vectors
from ._lazy import is_lazy, map_lazily
from ._networks.backbones import is_identity
from ._storage import model_file as _saved
from ._storage.safetensors import check_path, encode, read
from ._system.writing import write
from ._training.looking import look
from ._training.loop import Training
from ._training.one_rank import OneRank
from ._training.plan import make_plan
from ._training.ranks import check_comm
from .images import ImageCollection
from .images._reading import layout_of


class TSimCNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Map images to 2-D by contrastive learning with a Cauchy kernel (t-SimCNE).

    A parameter that may differ by stage takes a list with a value for each.

    Parameters
    ----------
    n_components : int, default=2
        Dimension of the map.
    backbone : str or list of layers, default="resnet10"
        Convolutional network. For small images ``"resnet10"``, ``"resnet18"``, ``"resnet34"``, or with
        bottlenecks ``"resnet50"``, ``"resnet101"``; ``"resnet18_imagenet"``, ``"resnet34_imagenet"``,
        ``"resnet50_imagenet"`` with the stem for images of 224 pixels (7×7 with stride 2 and max-pooling);
        ``"mobilenetv3_small"``, ``"mobilenetv3_large"``, ``"efficientnet_v2_s"``, ``"efficientnet_v2_m"``,
        ``"efficientnet_v2_l"``, their first stride 1. ``"identity"``: X has feature vectors, (n, features)
        of any finite value, and the head alone is trained: a parametric neighbour embedding.

        A list has layers as pairs of a kind and its options, whose result is averaged over the plane:
        ``[("conv", {"channels": 32, "kernel": 3}), ("batchnorm", {}), ("relu", {})]``: ``"conv"`` (channels,
        kernel=3, stride=1, bias=False), ``"depthwise"`` (kernel=3, stride=1), ``"batchnorm"`` (eps=1e-5,
        momentum=0.1), ``"relu"``, ``"silu"``, ``"hardswish"``, ``"sigmoid"``, ``"hardsigmoid"``,
        ``"maxpool"`` (kernel=3, stride=2), ``"squeeze_excite"`` (channels, inner="relu", gate="sigmoid"),
        ``"residual"`` (layers, shortcut=None, drop=0: probability that its layers are left out of a view in
        training). Kernels are odd and padded by half. JSON holds such a list.
    width : int, default=32
        Channels of a ResNet's first stage; the paper has 64. Other backbones do not look at it.
    projection_head : {"mlp", "linear"}, default="mlp"
        Layers from the backbone's features to the embedding.
    hidden_dim : int or sequence of int, default=(512, 512)
        Width of the hidden layer of the ``"mlp"`` head, or of each of several, 1 to 16, from the features
        on; a rectifier follows each.
    pretrain_dim : int, default=128
        Output dimension of the first stage.
    metric : {"euclidean", "cosine", "gauss"} or list, default="euclidean"
        Cauchy similarity of Euclidean distances, 1 / (1 + (T d)²), exponentiated cosine (SimCLR),
        exp(cos / T), or exp(-(T d)²), of stages that do not say their own; those of a name begin with a
        cosine. A stage with distances after a cosine one begins with outputs of a set scale, as the cosine
        leaves it free.
    temperature : float or None, or list, default=None
        T, of stages that do not say their own; None is 1 for distances and 0.5 for the cosine.
    temperature_lr : float or None, default=None
        Peak rate with which the logarithm of the temperature (of T²/2 for distances) is trained too, as
        tsimcne's "infonce-temp" does. Each stage begins with its ``temperature``. None: T stays.
    dof : float, (first, last) or "dimension", default=1.0
        Degrees of freedom ν of the Euclidean metric, (1 + (T d)² / ν)^(-(ν + 1) / 2): Student's t, of which
        1 is the Cauchy similarity. A pair: from the first to the last over each stage, as half a cosine.
        ``"dimension"``: one less than the output dimension, at least 1.
    n_views : int, default=4
        Random views of an image in a batch, 2 to 16. Every other view of an image is a positive, and they
        are averaged; all views of the batch share the denominator. A step costs ``n_views * batch_size``.
    augmentation : {"natural", "text", "microscopy"}, Augmentation, FeatureAugmentation or callable
        Random views. ``"natural"``, the default, is ``FeatureAugmentation()`` for
        ``backbone="identity"``. A function ``f(images, rng)`` gives one random view of each image, an array
        of the same shape, uint8 or floats in [0, 1]; all its randomness is to come from ``rng``, a
        ``numpy.random.Generator``. Views are then as large as the images, and files do not keep it.
    normalize : None, "dataset" or (mean, std), default=None
        What is done to pixels in [0, 1]: nothing, the data set's own mean and standard deviation per
        channel, or given ones. Feature vectors are centred and divided by one common scale (None), or
        each feature by its own. Kept in the model.
    total_epochs : "auto", "fast", "best", list of float, or list of Stage, default="auto"
        A name: the stages of docs/recipes.md, as many epochs as the number and size of the images ask
        for. ``"fast"`` takes a sixth of the time, ``"best"`` six times as long. ``[a, b, c]``: epochs of
        the paper's three stages (all in ``pretrain_dim`` dimensions; a new output layer alone; all).
        ``[a]``: the first only, so that the result has ``pretrain_dim`` dimensions. Stages of any number
        and kind are ``Stage(epochs, n_components, ...)``; a fraction ends in the middle of an epoch.
    batch_size : int, default=64
        Images in a batch; at most n.
    max_time : float, str or None, default=None
        Seconds, or a time like "20min": the stages are stretched or shortened, in proportion, so that
        ``fit`` returns then, with its learning rate annealed. ``stages_`` has what became of them.
    optimizer : {"auto", "sgd", "nesterov", "adamw", "lars", "adam", "muon"}, default="auto"
        Optimiser, which begins afresh in each stage; ``"adam"`` is AMSGrad, as in tsimcne, ``"muon"`` that of
        Jordan et al. (2024) with weights that keep their length. ``"auto"``: Muon where a named length of
        ``total_epochs`` trains a network from the beginning and ``lr`` is ``"auto"`` too, else SGD.
    lr : "auto", "linear", "sqrt", float or list of float, default="auto"
        Peak learning rate; ``"auto"`` depends on optimiser, stage and batch size. ``"linear"`` is
        0.03 · batch / 256 and ``"sqrt"`` 0.075 · √batch, a thousandth of it in the last of three stages, as
        tsimcne has them.
    momentum : float, default=0.9
        Momentum of SGD, LARS and Muon; the first beta of Adam and AdamW, whose second is 0.999.
    weight_decay : float, default=5e-4
        Factor of the weights that is added to the gradient; with AdamW it shrinks the weights themselves,
        and with Muon it is of biases, BatchNorm and the output layer only.
    decay_biases : bool, default=True
        Whether biases and BatchNorm's parameters decay too, as in the paper.
    clip_value : float or None, default=4.0
        Gradients are clipped to ± this value.
    lr_scheduler : {"cosine", "linear", "constant", "onecycle"} or list, default="cosine"
        Course of the learning rate after warm-up; ``"onecycle"`` rises from 1/25 of the peak and falls
        to 1/250,000 of it, both as half a cosine.
    lr_step : {"batch", "epoch"}, default="batch"
        How often the rate changes; ``"epoch"`` is the reference's schedule.
    warmup : "auto", float or list of float, default="auto"
        Length of the rise at a stage's beginning: a fraction of its steps (``lr_step="batch"``), or a number
        of epochs (``"epoch"``).
    ema_decay : float or None, default=None
        The map is made of the exponential moving average of the weights (and of BatchNorm's running
        statistics) over the steps of the last stage, with this decay; early steps weigh more.
    precision : {"float32", "bfloat16-storage", "bfloat16"}, default="float32"
        What training rounds to 8 bits (bfloat16); all else is in single precision, maps and features among
        it. ``"bfloat16-storage"``: what most convolutions leave for the backward pass, which takes up to a
        third less memory, and less time where memory is slow. ``"bfloat16"``: the factors of their products
        as well, which makes more steps a second on AMD's processors since Zen 4 and is slower on Intel's; it
        is an error on processors without avx512_bf16 (``show_config()["precisions"]``).
    plane : {"auto", "points", "parametric"}, default="auto"
        What the map is made of once the network is trained. ``"points"``: points that move by themselves,
        under t-SNE's loss, to where the neighbours of their images are; a new image goes to the place of one
        of its neighbours. A named length then trains no head. ``"parametric"``: the places that the head
        gives, as in the paper. ``"auto"``: points, if the map has two dimensions and the last metric is no
        cosine. See docs/plane.md.
    patch_words : "auto" or int, default="auto"
        For maps of points: number of words for what patches of the images look like, found without training,
        which are compared beside what the network sees; they tell most where a network has had little time
        or few images. 0: the network alone. ``"auto"``: 1,024 for images of up to 128 channels;
        fewer where they would take more than a fifth of ``max_time``.
    output_init : {"principal", "normal"}, default="principal"
        How an output layer of another dimension begins: with principal components of the outputs
        before, or with weights from N(0, 1) as in the paper.
    init : TSimCNE, path or None, default=None
        A fitted estimator, or the file of one, whose weights training begins with. With a name or
        ``[a]`` as ``total_epochs`` there is one stage, which continues the map in its own dimension, so
        that its layout is kept; three stages make a new map from these weights.

        Or it is a safetensors file with the state dict of torchvision's ResNet-18, -34 or -50 (width 64),
        whose backbone training begins with, as trained on ImageNet: pixels are then normalised as there. A
        ``"resnet…_imagenet"`` takes it as it is; one for small images gets a stem of 3×3 in place of 7×7,
        with a warning.
    align_to : TSimCNE, path, array of shape (n, n_components) or None, default=None
        An older map: a fitted estimator, which maps the images of X itself, the file of one, or the places of
        the images, NaN for those without. The new map is turned, mirrored and shifted to lie like it;
        distances on it do not change.
    max_memory : int, str or None, default=None
        Bytes, or an amount like "4GB", that training and the plane may take beside the images, the network
        and what its threads work in, about a megabyte each. Where a batch wants more, its views go through
        the network in parts, each view twice: the loss is that of the whole batch, BatchNorm takes each
        part's statistics. Where the plane wants more, images are described fewer at a time, and neighbours
        sought by fewer numbers. Of images that are read from Zarr, HDF5 or a sequence, a quarter of it holds
        what an epoch's order mixes. What it cannot hold is an error before training.
    comm : mpi4py communicator or None, default=None
        Processes that train together, each on a part of every batch; all of them call ``fit`` with the same
        images and parameters, which they compare first, and get the same model. Rank 0 speaks, calls
        callbacks and writes checkpoints. An error in one ends all.
    sync_batchnorm : bool, default=True
        With ``comm``: BatchNorm takes the statistics of the whole batch, so that any number of ranks trains
        alike. False: each rank's of its own part, which saves two messages for each BatchNorm and step;
        running statistics are the ranks' mean.
    checkpoint : path or None, default=None
        File that keeps the state of training, for ``fit(X, resume=True)``.
    checkpoint_every : float, str or None, default=None
        Seconds, or a time like "10min", between two writes; None is one minute. The file is also
        written after each stage and when training is interrupted.
    callbacks : callable, list of them, or None, default=None
        Functions that are called after each epoch with a ``callbacks.Record``; True stops training, and the
        map is that of the stage it is in.
    image_shape : (height, width[, channels]) or None, default=None
        Shape of the images of an X with two dimensions; None takes square grey images.
    random_state : int, Generator, RandomState or None, default=None
        Seed. The same seed gives the same bits on any number of threads.
    n_jobs : int or None, default=None
        Threads; None and -1 are all cores that this process may use.
    verbose : int or bool, default=0
        1 or True says before training how long it will take here, and shows a progress bar: a line now and
        then where standard error is no terminal.

    Attributes
    ----------
    embedding_ : ndarray of shape (n, n_components), float32
        Map of the training images, bit-equal to ``transform(X)``.
    stages_ : list of Stage
        The stages with nothing left open: ``total_epochs=model.stages_`` repeats the run, also one that
        ``max_time`` has shaped, with ``patch_words=model.patch_words_`` (but not where a callback stopped
        it).
    history_ : list of dict
        Values of each epoch: ``stage``, ``epoch``, ``loss``, ``lr``, ``temperature``, ``seconds``,
        ``pairs_per_second``.
    n_features_in_ : int
        Number of values of an image.
    image_shape_ : tuple
        Height, width and channels of an image.
    image_layout_ : images.Layout or None
        How pictures were brought into that shape, where ``fit`` was given an ``ImageCollection``: new ones
        are prepared alike, by `transform` and by ``images.from_folder(path, like=model)``.
    batch_size_, total_epochs_, seed_, patch_words_ : int, list of float, int, int
        Values that were used; epochs have fractions where a stage ended in the middle of one.
        ``random_state=model.seed_`` repeats a run that was given no seed.

    References
    ----------
    Böhm, Berens, Kobak. Unsupervised visualization of image datasets using contrastive learning.
    ICLR 2023.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        backbone: Any = "resnet10",
        width: int = 32,
        projection_head: str = "mlp",
        hidden_dim: int | Sequence[int] = (512, 512),
        pretrain_dim: int = 128,
        metric: Any = "euclidean",
        temperature: Any = None,
        temperature_lr: float | None = None,
        dof: Any = 1.0,
        n_views: int = 4,
        augmentation: Any = "natural",
        normalize: Any = None,
        total_epochs: Any = "auto",
        batch_size: int = 64,
        max_time: float | str | None = None,
        optimizer: str = "auto",
        lr: Any = "auto",
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        decay_biases: bool = True,
        clip_value: float | None = 4.0,
        lr_scheduler: Any = "cosine",
        lr_step: str = "batch",
        warmup: Any = "auto",
        ema_decay: float | None = None,
        precision: str = "float32",
        plane: str = "auto",
        patch_words: int | str = "auto",
        output_init: str = "principal",
        init: Any = None,
        align_to: Any = None,
        max_memory: int | str | None = None,
        comm: Any = None,
        sync_batchnorm: bool = True,
        checkpoint: Any = None,
        checkpoint_every: float | str | None = None,
        callbacks: Any = None,
        image_shape: Any = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
    ) -> None:
        self.n_components = n_components
        self.backbone = backbone
        self.width = width
        self.projection_head = projection_head
        self.hidden_dim = hidden_dim
        self.pretrain_dim = pretrain_dim
        self.metric = metric
        self.temperature = temperature
        self.temperature_lr = temperature_lr
        self.dof = dof
        self.n_views = n_views
        self.augmentation = augmentation
        self.normalize = normalize
        self.total_epochs = total_epochs
        self.batch_size = batch_size
        self.max_time = max_time
        self.optimizer = optimizer
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.decay_biases = decay_biases
        self.clip_value = clip_value
        self.lr_scheduler = lr_scheduler
        self.lr_step = lr_step
        self.warmup = warmup
        self.ema_decay = ema_decay
        self.precision = precision
        self.plane = plane
        self.patch_words = patch_words
        self.output_init = output_init
        self.init = init
        self.align_to = align_to
        self.max_memory = max_memory
        self.comm = comm
        self.sync_batchnorm = sync_batchnorm
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.callbacks = callbacks
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None, *, resume: bool = False) -> TSimCNE:
        """Train on images.

        Parameters
        ----------
        X : ImageCollection, or array of shape (n, height, width[, channels]) or (n, features)
            uint8, or floats in [0, 1]; channels of PyTorch's tensors come first. C-contiguous uint8 and
            float32 are read in place, memory maps too. Arrays of Zarr and HDF5, and sequences whose slices
            are arrays, are read block by block, ahead of training.
        y : ignored
        resume : bool, default=False
            Go on from ``checkpoint``, whose run then ends with the bits of one that was never
            interrupted; begin where that file does not exist yet.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If an argument is wrong: the error names it, what it got and what it wants. After an error or an
            interrupt the estimator is as it was.
        FloatingPointError
            If training diverges; the estimator then holds the last finite state.
        """
        started = time.perf_counter()
        with check_comm(self.comm) as ranks:
            message = self._fit(X, resume, started, ranks)
        if message is not None:
            raise FloatingPointError(message)
        return self

    def _fit(self, X: Any, resume: bool, started: float, ranks: OneRank) -> str | None:
        """Train; return what is to be said of a training that diverged, else None."""
        # The twin's attributes reach this estimator only when training has ended.
        twin = type(self)(**self.get_params(deep=False))
        layout = None
        if isinstance(X, ImageCollection):
            X, layout = X.images, X.layout
        plan = ranks.together(lambda: make_plan(twin, X, resume, ranks))
        if plan.eyes is not None:
            plan = look(plan, plan.eyes, self.backbone.cache)
            # What eyes take is not to be shortened: time counts from here.
            started = time.perf_counter()
        training = Training(plan, self.get_params(deep=False), started)
        try:
            outcome = training.run()
            epochs, divergence = training.epochs(), training.divergence()
        finally:
            # Mapping has memory of its own, which need not lie beside training's.
            training.close()
        training.align()
        places = None
        if outcome != "diverged":
            try:
                places = training.free()
            except MemoryError as error:
                # The network, which may have taken hours, is not lost.
                warnings.warn(f"plane: {error}; the map is the head's", RuntimeWarning, stacklevel=4)
        embedding = training.map() if places is None else places.points
        # Finite weights may be so large that their products are not.
        diverged = outcome == "diverged" or not np.isfinite(embedding).all()
        self._adopt(
            _saved.Fitted(
                network=training.network,
                embedding=embedding,
                places=places,
                history=training.history,
                stages=training.stages,
                total_epochs=epochs,
                batch_size=plan.batch_size,
                image_shape=plan.given.shape[1:],
                seed=training.seed,
                feature_names=getattr(twin, "feature_names_in_", None),
                eyes=plan.eyes,
                layout=layout,
            )
        )
        return divergence if diverged else None

    def _adopt(self, fitted: _saved.Fitted) -> None:
        """Become what was trained or read."""
        self._network = fitted.network
        self._places = fitted.places
        self._eyes = fitted.eyes
        self.history_ = fitted.history
        self.stages_ = fitted.stages
        self.total_epochs_ = fitted.total_epochs
        self.batch_size_ = fitted.batch_size
        self.image_shape_ = fitted.image_shape
        self.image_layout_ = fitted.layout
        self.seed_ = fitted.seed
        self.patch_words_ = fitted.patch_words
        self.n_features_in_ = int(np.prod(fitted.image_shape))
        for name, value in (("embedding_", fitted.embedding), ("feature_names_in_", fitted.feature_names)):
            if value is not None:
                setattr(self, name, value)
            elif hasattr(self, name):
                delattr(self, name)

    def _fitted(self) -> _saved.Fitted:
        check_is_fitted(self)
        return _saved.Fitted(
            network=self._network,
            embedding=getattr(self, "embedding_", None),
            places=self._places,
            history=self.history_,
            stages=self.stages_,
            total_epochs=self.total_epochs_,
            batch_size=self.batch_size_,
            image_shape=self.image_shape_,
            seed=self.seed_,
            feature_names=getattr(self, "feature_names_in_", None),
            eyes=self._eyes,
            layout=self.image_layout_,
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = not is_identity(self.backbone)
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __sklearn_clone__(self) -> TSimCNE:
        # A trained estimator as a parameter is part of it: a clone of that would have forgotten all. Nor is a
        # communicator to be copied.
        params = {
            name: value if name in ("init", "align_to", "comm") else clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
        }
        twin = type(self)(**params)
        # What scikit-learn's own clone keeps: set_output, and requests for metadata.
        for name in ("_sklearn_output_config", "_metadata_request"):
            if hasattr(self, name):
                setattr(twin, name, copy.deepcopy(getattr(self, name)))
        return twin

    @property
    def _reads_vectors(self) -> bool:
        return self._network.architecture.reads_vectors and self._eyes is None

    @property
    def _n_features_out(self) -> int:
        return self._network.outputs

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> npt.NDArray[np.float32]:
        """Train on images and return their map.

        Parameters
        ----------
        X : array-like
            Images or vectors, as for `fit`.
        y : None
            Ignored.
        **params
            Options of `fit`.

        Returns
        -------
        ndarray of shape (n, n_components), float32
        """
        embedding: npt.NDArray[np.float32] = self.fit(X, y, **params).embedding_
        return embedding

    def transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Map images; the result for an image does not depend on the others.

        Parameters
        ----------
        X : array like that of ``fit``, with images of the same shape, or ImageCollection
            Images, their Dask array, or a Dask bag of pictures (paths, Pillow images, arrays of any size). A
            collection, and a bag's pictures, are brought into the form of those that the model was fitted on,
            where they are not in it.

        Returns
        -------
        ndarray of shape (n, n_components), float32
            A Dask array gives a Dask array, and a bag one of (name, row), computed when it is asked for.
        """
        return self._apply(X, _core.OUTPUT_MAP)

    def features(self, X: Any) -> npt.NDArray[np.float32]:
        """Features of images: what they are compared by.

        Parameters
        ----------
        X : array-like
            Images, as for `transform`.

        Returns
        -------
        ndarray of shape (n, features), float32
            With points: 256 numbers by what the network sees in 3×3 parts of the image, 128 by what it sees
            in the whole, and beside them 256 by the words of its patches, each of a length that all images
            share, so that Euclidean distances and cosines order images alike. With ``plane="parametric"``:
            what the backbone's last layer gives, averaged over the plane, 8 * width numbers, four times as
            many with bottlenecks. Of vectors: themselves, normalised.
        """
        return self._apply(X, _core.OUTPUT_FEATURES)

    def score(self, X: Any, y: Any) -> float:
        """Leave-one-out accuracy of the k = min(15, n - 1) nearest neighbours in the map of X.

        Parameters
        ----------
        X : array-like
            Images, as for `transform`.
        y : array-like of shape (n,)
            Labels: what ``GridSearchCV`` hands on, for instance. Images without one (None, NaN, blank, or a
            negative number) are left out.

        Returns
        -------
        float
            Share of the images whose neighbours have mostly their label.
        """
        Y = self._apply(X, _core.OUTPUT_MAP)
        labels = read_labels(y, len(Y), name="y").check_classes()
        known = labels.known
        if known.sum() < 2:
            raise ValueError(f"y: got {known.sum()} images with a label, want two at least to score")
        return leave_one_out(Y[known], labels.codes[known])

    def _apply(self, X: Any, kind: int) -> npt.NDArray[np.float32]:
        check_is_fitted(self)
        if is_lazy(X):
            columns = self._network.outputs if kind == _core.OUTPUT_MAP else self._fitted().columns
            return map_lazily(self, X, kind, columns)  # type: ignore[no-any-return]
        threads = check_jobs("n_jobs", self.n_jobs)
        images, fitted = self._images(self._in_form(X)), self._fitted()
        return fitted.map(images, threads) if kind == _core.OUTPUT_MAP else fitted.features(images, threads)

    def _in_form(self, X: Any) -> Any:
        """A collection's images, as those were that the network was trained on."""
        if not isinstance(X, ImageCollection) or self._reads_vectors:
            return X
        return X.like(layout_of(self)).images

    def _images(self, X: Any) -> Images:
        """X checked against what the network was trained on."""
        if self._reads_vectors:
            return Vectors(self, X, reset=False)
        if is_stored(X):
            stored = StoredImages(X, None)
            if stored.shape[1:] != self.image_shape_:
                raise ValueError(f"X: got images of {stored.shape[1:]}, want {self.image_shape_} as in fit")
            return stored
        array = as_array(X)
        if array.ndim == 2 and array.shape[1] != self.n_features_in_:
            raise ValueError(f"X: got {array.shape[1]} features, want {self.n_features_in_} as in fit")
        is_known = array.ndim == 2 or array.shape[1:] == self.image_shape_
        images = Images(array, self.image_shape_ if is_known else None)
        if images.shape[1:] != self.image_shape_:
            raise ValueError(
                f"X: got images of {images.shape[1:]}, want {self.image_shape_} as in fit; "
                "a collection is brought into form, as are files by images.from_folder(path, like=model)"
            )
        return images

    # ------------------------------------------------------------------ files

    def _bytes(self, params: dict[str, Any], embed_backbone: bool = False) -> bytes:
        tensors, document = _saved.to_file(self._fitted(), params, embed_backbone)
        return encode(tensors, document)

    def save(self, path: str | os.PathLike[str], *, embed_backbone: bool = False) -> None:
        """Write the fitted estimator to one safetensors file, which replaces an older one in one step.

        Arrays have the names and layouts of PyTorch's state dict; parameters, history and version are a
        JSON document. ``callbacks``, ``init``, ``align_to``, ``comm``, ``checkpoint`` and random generators
        are not kept.

        Parameters
        ----------
        path : path
        embed_backbone : bool, default=False
            Whether the file of an ``Onnx`` backbone is to be inside; else it is named, with its SHA-256.
        """
        embeds = check_bool("embed_backbone", embed_backbone)
        write(check_path("path", path), self._bytes(self.get_params(deep=False), embeds))

    def _says_its_head(self, function: str) -> None:
        """Warn where what is written maps otherwise than this estimator."""
        if self._places is not None:
            warnings.warn(
                f"{function}: the network alone is written, whose map is that of its head, where the points "
                "of this one began; plane='parametric' makes maps of the head",
                UserWarning,
                stacklevel=3,
            )

    def export_onnx(self, path: str | os.PathLike[str], *, dtype: str = "uint8") -> None:
        """Write the fitted network as an ONNX model, for programs that know nothing of this package.

        Its input is ``images``, (n, height, width, channels) as ``transform`` takes them, of any height and
        width, or (n, features); its outputs are ``map``, (n, n_components), and ``features``. With an
        ``Onnx`` backbone that and all that is done to images is part of it, and they are of one size. Wants
        the package onnx.

        Parameters
        ----------
        path : path
        dtype : {"uint8", "float32"}, default="uint8"
            Type of images; feature vectors are float32, or float64 where float32 would not tell them apart.

        Raises
        ------
        ImportError
            If onnx is not installed.
        """
        check_is_fitted(self)
        self._says_its_head("export_onnx")
        element = check_choice("dtype", dtype, ("uint8", "float32"))
        write(check_path("path", path), self._fitted().onnx(element))

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, image_shape: Any = None, backbone_file: Any = None
    ) -> TSimCNE:
        """Read a file of ``save``, a checkpoint, or a PyTorch state dict in safetensors.

        A loaded model maps bit-identically. A checkpoint gives the network as it was then. No file says where
        a later ``fit`` writes or what it reads: ``checkpoint``, ``init`` and ``align_to`` are None.

        Parameters
        ----------
        path : path
        image_shape : (height, width[, channels]) or None, default=None
            Shape of the images of a state dict, which does not know it.
        backbone_file : path or None, default=None
            The file of an ``Onnx`` backbone. None: inside, beside ``path``, or where it was, in this order.
        """
        model = cls._read(path, image_shape)
        model._find_eyes(backbone_file)
        return model

    @classmethod
    def _read(cls, path: Any, image_shape: Any = None) -> TSimCNE:
        """What `load` gives, whether eyes are there or not."""
        name = check_path("path", path)
        tensors, document = read(name)
        if document is None:
            try:
                return cls.from_state_dict(tensors, image_shape=image_shape)
            except ValueError as error:
                if str(error).startswith("image_shape: "):
                    raise
                raise ValueError(f"{name}: {error}") from error
        if image_shape is not None:
            raise ValueError(f"image_shape: got {image_shape!r}, but {name} has its own; want None")
        return cls._from_file(tensors, document, name)

    @classmethod
    def _from_file(cls, tensors: Any, document: dict[str, Any], name: str) -> TSimCNE:
        params, fitted = _saved.from_file(tensors, document, name, os.path.dirname(name))
        try:
            model = cls(**params)
        except TypeError as error:
            raise ValueError(f"{name}: its parameters are not those of this version ({error})") from error
        if isinstance(model.backbone, Onnx) != (fitted.eyes is not None):
            raise ValueError(f"{name}: is damaged: it has eyes, or names them, but not both")
        model._adopt(fitted)
        return model

    def _find_eyes(self, backbone_file: Any) -> None:
        """Find the file of an ``Onnx`` backbone, which is what a later fit reads."""
        if self._eyes is not None:
            if backbone_file is not None:
                self._eyes.sources = (check_path("backbone_file", backbone_file),)
            self.backbone = self._eyes.said(self.backbone)
        elif backbone_file is not None:
            raise ValueError(f"backbone_file: got {backbone_file!r}, but the backbone is no Onnx; want None")

    @classmethod
    def from_state_dict(cls, state_dict: Any, *, image_shape: Any = None) -> TSimCNE:
        """A fitted estimator from the state dict of a PyTorch model of tsimcne (docs/pytorch.md).

        Parameters
        ----------
        state_dict : mapping of str to array
            Arrays of numpy or PyTorch, by name.
        image_shape : (height, width[, channels])
            Shape of the images that the network was trained on; not wanted for feature vectors.
        """
        params, fitted = _saved.from_state_dict(state_dict, image_shape)
        model = cls(**params)
        model._adopt(fitted)
        return model

    def to_state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Parameters and running statistics under the names of tsimcne's PyTorch model, in its layouts.

        A ``normalize`` that was used is not part of it: PyTorch's model then wants normalised images.

        Returns
        -------
        dict of str to ndarray
        """
        check_is_fitted(self)
        self._says_its_head("to_state_dict")
        if self._network.normalization is not None:
            warnings.warn(
                "to_state_dict: this model normalises its input, which a state dict does not; "
                "normalise what the other model gets",
                UserWarning,
                stacklevel=2,
            )
        return self._network.state_dict()

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if not hasattr(self, "_network"):
            return state
        # All but what fitting made, which is in the file.
        made = ("_network", "_places", "_eyes")
        kept = {name: value for name, value in state.items() if name not in made and not name.endswith("_")}
        return kept | {"file": self._bytes({})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        data = state.pop("file", None)
        super().__setstate__(state)
        if data is not None:
            self._adopt(_saved.from_bytes(data))
