"""A fitted estimator as tensors and a document, and back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from .. import _core
from .._checks.core_limits import check_hidden
from .._eyes.export import eyes_to_onnx
from .._eyes.eyes import INSIDE, Eyes
from .._inputs.images import Images, as_shape
from .._networks.backbones import is_identity
from .._networks.network import AVERAGE, Architecture, Network
from .._networks.onnx import to_onnx
from .._networks.pretrained import is_pretrained, pretrained
from .._networks.state_dict import architecture, from_arrays
from .._plane.places import Places, read_places
from .._stages.stage import Stage
from .._system.config import show_config
from ..images import Layout
from ..images._decoding._layout import write_layout
from .document import Reader, describe
from .json_params import params_to_json
from .safetensors import Tensors, check_path, decode, read

EMBEDDING = "embedding"


@dataclass(frozen=True)
class Init:
    """What the parameter ``init`` stands for."""

    network: Network
    # The metric that the network was last trained with.
    metric: str | None
    # Where its map has images, if that is not where the network's head would have them.
    places: Places | None = None
    # Whether the head is none in particular, so that a new one is trained.
    is_backbone: bool = False
    # What looks at the images, where the network reads features of it.
    eyes: Eyes | None = None


@dataclass(frozen=True)
class Fitted:
    """What fitting gives."""

    network: Network
    embedding: npt.NDArray[np.float32] | None
    # Where images are, if points are not where the network's head would have them.
    places: Places | None
    history: list[dict[str, Any]]
    stages: list[Stage]
    total_epochs: list[float]
    batch_size: int | None
    image_shape: tuple[int, ...]
    seed: int | None
    feature_names: Any
    # What looks at the images, where the network reads features of it.
    eyes: Eyes | None = None
    # How pictures were brought into the images' shape, where they were read as a collection.
    layout: Layout | None = None

    def map(
        self, images: Images, threads: int, rows: npt.NDArray[np.intp] | None = None
    ) -> npt.NDArray[np.float32]:
        """The map of images."""
        if self.eyes is not None:
            images, rows = self.eyes.vectors(images, threads, rows), None
        if self.places is None:
            return self.network.map(images, threads, rows=rows)
        return self.places.map(self.network, images, threads, rows)

    def features(self, images: Images, threads: int) -> npt.NDArray[np.float32]:
        """What images are compared by."""
        if self.eyes is not None:
            return self.eyes.see(images, threads)
        if self.places is None:
            return self.network.map(images, threads, _core.OUTPUT_FEATURES)
        return self.places.comparison.rows(self.network, images, threads)

    def onnx(self, element: str) -> bytes:
        """The network, or eyes and network, as a file of ONNX for images of a type."""
        version = show_config()["version"]
        if self.eyes is not None:
            model = eyes_to_onnx(self.eyes, self.network, element, version)
        elif self.network.architecture.reads_vectors:
            normalization = self.network.normalization
            has_origin = normalization is not None and normalization.origin is not None
            model = to_onnx(self.network, "float64" if has_origin else "float32", version)
        else:
            model = to_onnx(self.network, element, version)
        data: bytes = model.SerializeToString()
        return data

    @property
    def patch_words(self) -> int:
        """Number of words of patches."""
        words = None if self.places is None else self.places.comparison.words
        return 0 if words is None else len(words.words)

    @property
    def columns(self) -> int:
        """Numbers of an image's features."""
        if self.eyes is not None:
            return self.eyes.columns
        if self.places is None:
            return self.network.architecture.features
        return self.places.comparison.columns(self.network)


def to_file(
    fitted: Fitted, params: dict[str, Any], embed_backbone: bool = False
) -> tuple[Tensors, dict[str, Any]]:
    """The contents of a model's file, with the file of the eyes in it if ``embed_backbone``."""
    document = describe(
        "model",
        params=params_to_json(params),
        network=fitted.network,
        image_shape=fitted.image_shape,
        batch_size=fitted.batch_size,
        stages=fitted.stages,
        history=fitted.history,
        eyes=fitted.eyes,
    )
    document["total_epochs"] = fitted.total_epochs
    document["seed"] = fitted.seed
    if fitted.feature_names is not None:
        document["feature_names"] = [str(name) for name in fitted.feature_names]
    if fitted.layout is not None:
        document["image_layout"] = write_layout(fitted.layout)
    tensors = fitted.network.tensors()
    if fitted.embedding is not None:
        tensors[EMBEDDING] = fitted.embedding
    if fitted.places is not None:
        tensors |= fitted.places.tensors()
    if fitted.eyes is not None:
        tensors |= fitted.eyes.tensors(embed_backbone)
    elif embed_backbone:
        raise ValueError("embed_backbone: got True, but the backbone is no Onnx(...); want False")
    return tensors, document


def from_file(
    tensors: Tensors, document: dict[str, Any], name: str, folder: str | None = None
) -> tuple[dict[str, Any], Fitted]:
    """Parameters and fitted attributes from a model's file or a checkpoint, which lies in a folder."""
    reader = Reader(document, name)
    network = reader.network(tensors)
    try:
        # A checkpoint's averages are what its map would be made of.
        for key, value in tensors.items():
            if key.startswith(f"{AVERAGE}/"):
                network.set(key.removeprefix(f"{AVERAGE}/"), value)
        embedding = _check_embedding(tensors.get(EMBEDDING), network)
        shape = reader.image_shape(network)
        places = read_places(tensors, embedding, network, shape)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name}: is damaged: {error}") from error
    names = reader.feature_names(int(np.prod(shape)))
    stages = reader.stages(None if network.architecture.reads_vectors else (shape[0], shape[1]))
    fitted = Fitted(
        network=network,
        embedding=embedding,
        places=places,
        history=reader.history(),
        stages=stages,
        total_epochs=reader.total_epochs(stages),
        batch_size=reader.batch_size(),
        image_shape=shape,
        seed=reader.seed(),
        feature_names=None if names is None else np.array(names, dtype=object),
        eyes=reader.eyes(network, shape, folder, tensors.get(INSIDE)),
        layout=reader.layout(shape),
    )
    return reader.params(), fitted


def _check_embedding(embedding: npt.NDArray[Any] | None, network: Network) -> npt.NDArray[np.float32] | None:
    """The map, if it has the right shape; its values may be any, as after a run that diverged."""
    if embedding is None:
        return None
    if embedding.dtype != np.float32 or embedding.ndim != 2 or embedding.shape[1] != network.outputs:
        raise ValueError(
            f"{EMBEDDING}: got {embedding.dtype} of shape {embedding.shape}, "
            f"want float32 with {network.outputs} columns"
        )
    return embedding


def from_bytes(data: bytes) -> Fitted:
    """Fitted attributes from a model's file in memory."""
    tensors, document = decode(data, "state")
    if document is None:
        raise ValueError("state: not a model's file")
    return from_file(tensors, document, "state")[1]


def from_state_dict(values: Any, image_shape: Any) -> tuple[dict[str, Any], Fitted]:
    """Parameters and fitted attributes from a PyTorch state dict."""
    found = architecture(values)
    backbone, channels = found["backbone"], found["channels"]
    if is_identity(backbone):
        if image_shape is not None:
            raise ValueError(
                f"image_shape: got {image_shape!r}, but this network maps feature vectors; want None"
            )
        shape = (1, 1, channels)
    elif image_shape is None:
        raise ValueError("image_shape: got None, want (height, width[, channels]), which a state dict lacks")
    else:
        shape = as_shape(image_shape)
        if shape[2] != channels:
            raise ValueError(f"image_shape: got {shape[2]} channels, but the state dict has {channels}")
    kind = Architecture(
        backbone=backbone,
        width=found["width"] or 16,
        projection_head=found["projection_head"],
        hidden_dim=check_hidden("hidden_dim", found["hidden_dim"] or 1024),
        channels=channels,
    )
    params = {name: value for name, value in kind.written().items() if name != "channels"}
    params["n_components"] = found["output_dim"]
    network = Network(kind, found["output_dim"], None)
    from_arrays(network.core, values)
    return params, Fitted(network, None, None, [], [], [], None, shape, None, None)


def read_fitted(parameter: str, path: str | os.PathLike[str]) -> Fitted:
    """Fitted attributes from a file that a parameter names."""
    name, tensors, document = _read(parameter, path)
    if document is None:
        raise ValueError(f"{parameter}: {name} is a state dict; want a file of save()")
    return from_file(tensors, document, f"{parameter}: {name}", os.path.dirname(name))[1]


def _read(parameter: str, path: Any) -> tuple[str, Tensors, dict[str, Any] | None]:
    """The path, and what is in the file; errors name the parameter."""
    name = check_path(parameter, path)
    if not os.path.isfile(name):
        raise FileNotFoundError(f"{parameter}: got {name!r}, but there is no such file")
    try:
        return name, *read(name)
    except ValueError as error:
        raise ValueError(f"{parameter}: {error}") from error


def load_init(init: Any, architecture: Architecture) -> Init:
    """What the parameter ``init`` stands for, for a network of ``architecture``."""
    if isinstance(init, str | os.PathLike):
        name, tensors, document = _read("init", init)
        if document is None and is_pretrained(tensors):
            return Init(pretrained(tensors, architecture), None, is_backbone=True)
        if document is None:
            raise ValueError(
                f"init: {name} is a state dict; want a file of save(), or "
                "TSimCNE.load(path, image_shape=...) itself"
            )
        return _last(from_file(tensors, document, name, os.path.dirname(name))[1])
    if isinstance(init, type) or not hasattr(init, "_fitted"):
        raise TypeError(f"init: got {init!r}, want a fitted TSimCNE, or the path of one")
    check_is_fitted(init, msg="init: this %(name)s is not fitted")
    return _last(init._fitted())


def _last(fitted: Fitted) -> Init:
    metric = fitted.stages[-1].metric if fitted.stages else None
    return Init(fitted.network, metric, fitted.places, eyes=fitted.eyes)
