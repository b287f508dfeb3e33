"""The core's model, with what is needed to make it again."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks.values import as_written, check_choice
from .._inputs.images import Images
from .._inputs.pieces import Which, count, pieces
from .._system.locks import ProcessLock
from .backbones import IDENTITY, LAYERED, NAMES, RESNETS, has_width, is_identity, named_layers
from .layers import Layers, check_layers, core_layers, outputs, wide_channels
from .state_dict import Arrays, from_arrays, state_dict, to_arrays

# Images that are mapped between two looks at signals.
CHUNK = 512
# Images on which the time of mapping is measured.
PROBE = 256
BACKBONES = (*NAMES, IDENTITY)
HEADS = ("linear", "mlp")
# Prefixes of the arrays' names.
PREFIXES = ("backbone.", "projection_head.")
# Prefix of the names of averages in a checkpoint.
AVERAGE = "average"
# Name of the temperature's logarithm, where it is trained.
TEMPERATURE = "loss.log_temperature"
NORMALIZATION = ("normalization.mean", "normalization.std")
ORIGIN = "normalization.origin"


class Normalization(NamedTuple):
    """What is subtracted from values, and what they are then divided by, per channel.

    Parameters
    ----------
    mean, std : ndarray, float32
        Means and standard deviations per channel, which the core uses.
    origin : ndarray, float64, or None
        Mean of feature vectors in float64 that float32 would not tell apart, subtracted before they become
        float32.
    """

    mean: npt.NDArray[np.float32]
    std: npt.NDArray[np.float32]
    origin: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Architecture:
    """What decides the names and shapes of a network's arrays, except for the output dimension."""

    backbone: str | Layers
    width: int
    projection_head: str
    hidden_dim: tuple[int, ...]
    channels: int

    @property
    def layers(self) -> Layers:
        """Layers of the backbone; the identity has none."""
        if not isinstance(self.backbone, str):
            return self.backbone
        return [] if self.reads_vectors else named_layers(self.backbone, self.width)

    @property
    def reads_vectors(self) -> bool:
        """Whether there is no backbone: X has feature vectors."""
        return is_identity(self.backbone)

    @property
    def features(self) -> int:
        """Number of values of the backbone's output."""
        return outputs(self.layers, self.channels)

    @property
    def parts(self) -> int:
        """Number of values that the means over parts of the backbone's wide plane are."""
        return _core.PLANE_PARTS * wide_channels(self.layers, self.channels)

    @property
    def levels(self) -> int:
        """Number of values of the parts and of the backbone's output together."""
        return self.parts + self.features

    @property
    def has_width(self) -> bool:
        """Whether the parameter ``width`` changes the backbone."""
        return isinstance(self.backbone, str) and has_width(self.backbone)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the head's hidden layers; a linear head has none."""
        return self.hidden_dim if self.projection_head == "mlp" else ()

    @property
    def output_layer(self) -> tuple[str, str]:
        """Names of the output layer's weight and bias."""
        # Between two layers there is a rectifier, which counts as one.
        at = f"projection_head.layers.{2 * len(self.hidden)}"
        return f"{at}.weight", f"{at}.bias"

    def written(self) -> dict[str, Any]:
        """Values by the names of the estimator's parameters, as a user writes them."""
        return asdict(self) | {"hidden_dim": as_written(self.hidden_dim)}


def check_backbone(name: str, value: Any) -> str | Layers:
    """The name of a backbone, or a list of layers."""
    if isinstance(value, list | tuple):
        return check_layers(name, value)
    return check_choice(name, value, BACKBONES)


class Network:
    """A model of the core.

    Parameters
    ----------
    architecture : Architecture
    outputs : int
        Output dimension that the network begins with; training may change it.
    normalization : (mean, standard deviation) per channel, float32, or None
    seed : int
        Seed of the weights.
    """

    def __init__(
        self, architecture: Architecture, outputs: int, normalization: Normalization | None, seed: int = 0
    ) -> None:
        # One thread at a time uses the core's model.
        self._alone = ProcessLock()
        mean, deviation = normalization[:2] if normalization is not None else (None, None)
        self.architecture = architecture
        self.normalization = normalization
        backbone = architecture.backbone
        is_own = isinstance(backbone, str) and backbone not in LAYERED
        self.core = _core.Model(
            channels=architecture.channels,
            depth=RESNETS[str(backbone)][0] if is_own and not architecture.reads_vectors else 0,
            base_width=architecture.width,
            hidden_dims=architecture.hidden,
            output_dim=outputs,
            mean=mean,
            deviation=deviation,
            seed=seed,
            layers=None if is_own else core_layers(architecture.layers),
        )

    @property
    def outputs(self) -> int:
        """The output dimension that the network has now."""
        with self._alone():
            shape, _, _ = self.core.array(_core.ARRAY_PARAMETER, self.architecture.output_layer[1])
        return shape[0]

    def tensors(self) -> Arrays:
        """Copies of all arrays, under PyTorch's names and in its layouts, and the normalisation."""
        with self._alone():
            result: Arrays = dict(to_arrays(self.core))
        if self.normalization is not None:
            mean, std, origin = self.normalization
            result |= dict(zip(NORMALIZATION, (mean, std), strict=True))
            if origin is not None:
                result[ORIGIN] = origin
        return result

    def state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that PyTorch's ``load_state_dict`` wants."""
        with self._alone():
            return state_dict(self.core)

    def read(self, tensors: Arrays) -> None:
        """Take the arrays of ``tensors``; others in it are left alone."""
        own = {name: value for name, value in tensors.items() if name.startswith(PREFIXES)}
        with self._alone():
            from_arrays(self.core, own)

    def set(self, name: str, value: npt.NDArray[np.float32]) -> None:
        """Take one array in the core's own layout."""
        kind = _core.ARRAY_BUFFER if name.rsplit(".", 1)[-1].startswith("running_") else _core.ARRAY_PARAMETER
        with self._alone():
            shape, _, _ = self.core.array(kind, name)
        if value.shape != shape or value.dtype != np.float32:
            raise ValueError(f"{name}: got {value.dtype} of shape {value.shape}, want float32 of {shape}")
        if not np.isfinite(value).all() or (name.endswith("running_var") and (value < 0).any()):
            raise ValueError(f"{name}: got values that no network has")
        with self._alone():
            self.core.set_array(kind, name, np.ascontiguousarray(value))

    def copy_to(self, other: Network, head: bool = True) -> None:
        """Give all arrays, or those of the backbone alone, to another network."""
        tensors = self.tensors()
        if not head:
            backbone = {name: value for name, value in tensors.items() if name.startswith("backbone.")}
            tensors = other.tensors() | backbone
        other.read(tensors)

    def turn(self, matrix: npt.NDArray[np.float64], shift: npt.NDArray[np.float64]) -> None:
        """Change the output layer so that a map Y becomes Y @ matrix + shift."""
        names = self.architecture.output_layer
        tensors = self.tensors()
        weight, bias = (tensors[name].astype(np.float64) for name in names)
        changed = {names[0]: matrix.T @ weight, names[1]: bias @ matrix + shift}
        self.read(tensors | {name: value.astype(np.float32) for name, value in changed.items()})

    def map(
        self,
        images: Images,
        threads: int,
        kind: int = _core.OUTPUT_MAP,
        rows: Which = None,
    ) -> npt.NDArray[np.float32]:
        """The map of images, the backbone's features, or these after the means over parts of its wide plane.

        An image's bits do not depend on the others.
        """
        columns = {
            _core.OUTPUT_MAP: lambda: self.outputs,
            _core.OUTPUT_FEATURES: lambda: self.architecture.features,
            _core.OUTPUT_LEVELS: lambda: self.architecture.levels,
        }[kind]()
        result = np.empty((count(images.shape[0], rows), columns), dtype=np.float32)
        images = images.about(None if self.normalization is None else self.normalization.origin)
        whole = images.whole() if images.direct else None
        chunk = max(1, min(CHUNK, CHUNK * 3072 // math.prod(images.shape[1:])))
        for here, part in pieces(images.shape[0], rows, chunk):
            values = whole[part] if whole is not None else images.batch(part)
            with self._alone():
                self.core.transform(values, result[here], kind=kind, threads=threads)
            images.forget()
        return result


def image_seconds(network: Network, images: Images, threads: int, kind: int = _core.OUTPUT_MAP) -> float:
    """Seconds that an image takes to be mapped, measured on a few."""
    some = slice(0, min(images.shape[0], PROBE))
    # The first call takes memory from the system.
    for _ in range(2):
        before = time.perf_counter()
        network.map(images, threads, kind, some)
        took = time.perf_counter() - before
    return float(took / some.stop)


def read_normalization(tensors: Arrays) -> Normalization | None:
    """The normalisation among the tensors of a file; the core checks its values."""
    mean, deviation = (tensors.get(name) for name in NORMALIZATION)
    if mean is None and deviation is None:
        return None
    for name, value in zip(NORMALIZATION, (mean, deviation), strict=True):
        if value is None:
            raise ValueError(f"{name}: is missing")
        if value.dtype != np.float32 or value.ndim != 1:
            raise ValueError(f"{name}: got {value.dtype} of shape {value.shape}, want float32 per channel")
    assert mean is not None and deviation is not None
    origin = tensors.get(ORIGIN)
    if origin is not None and (
        origin.dtype != np.float64 or origin.shape != mean.shape or not np.isfinite(origin).all()
    ):
        raise ValueError(
            f"{ORIGIN}: got {origin.dtype} of shape {origin.shape}, want finite float64 per channel"
        )
    return Normalization(np.ascontiguousarray(mean), np.ascontiguousarray(deviation), origin)


# Values that are read, and that are summed, at a time; these take 8 bytes each, several times.
READ, SUMMED = 1 << 22, 1 << 18


def moments(images: Images, common_scale: bool = False) -> Normalization:
    """Mean and standard deviation per channel of values as the core reads them.

    With ``common_scale`` all channels get the root of their mean variance.
    """
    n, height, width, channels = images.shape
    total = np.zeros((2, channels))
    rows, pixels = max(1, READ // (height * width * channels)), max(1, SUMMED // channels)
    # About the first image: the squares of a large offset would cancel.
    origin = next(_values(images, slice(0, 1), height * width)).mean(axis=0)
    for first in range(0, n, rows):
        for values in _values(images, slice(first, first + rows), pixels):
            part = values - origin
            total += [part.sum(axis=0), (part**2).sum(axis=0)]
        images.forget()
    mean, square = total / (n * height * width)
    variance = np.maximum(square - mean**2, 0)
    if common_scale:
        variance = np.full(channels, variance.mean())
    deviation = np.sqrt(variance)
    # A constant channel carries nothing; it is only centred.
    deviation[deviation <= 1e-7 * np.abs(mean + origin) + 1e-30] = 1
    mean32, deviation32 = (mean + origin).astype(np.float32), deviation.astype(np.float32)
    return Normalization(mean32, deviation32, images.origin)


def _values(images: Images, rows: slice, pixels: int) -> Iterator[npt.NDArray[np.float64]]:
    """The values of some images, so many pixels at a time."""
    read = images.batch(rows).reshape(-1, images.shape[3])
    for first in range(0, len(read), pixels):
        part = read[first : first + pixels].astype(np.float64)
        yield part / 255 if images.format == "B" else part
