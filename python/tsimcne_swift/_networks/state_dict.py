"""A model's arrays under the names and in the layouts of PyTorch's state dict.

The names are those of the method's reference, tsimcne 0.3.12. The core's are the same; only its
convolutions have another layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, pairwise, takewhile
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks.values import as_written
from .backbones import IDENTITY, LAYERED, NAMES, has_width, named_layers
from .layers import Layers
from .layers import outputs as layer_outputs
from .layers import shapes as layer_shapes

FloatArray = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]

HEAD = "projection_head.layers."
STEMS = ("backbone.conv1.weight", "backbone.model.features.0.0.weight")
COUNTER = "num_batches_tracked"
STATISTICS = ("running_mean", "running_var")
# Prefix of the classifiers of torchvision's networks, which tsimcne 0.4 keeps unused.
CLASSIFIERS = ("backbone.model.classifier.",)
KNOWN = (
    "known are the backbones resnet18 (tsimcne's 'resnet18_simclr'), resnet10, 34, 50, 101 with the same "
    f"stem, {', '.join(LAYERED)}, and none at all, and the projection heads 'mlp' and 'linear'"
)


class Inferred(TypedDict):
    """What the shapes of a state dict say about its network; None is what the network does not have."""

    backbone: str
    width: int | None
    projection_head: str
    hidden_dim: int | tuple[int, ...] | None
    output_dim: int
    channels: int


def to_arrays(model: _core.Model) -> dict[str, FloatArray]:
    """Copy all parameters and running statistics, bit by bit.

    Parameters
    ----------
    model : _core.Model

    Returns
    -------
    dict of str to ndarray
        Arrays in the order of PyTorch's state dict, C-contiguous; convolutions are (out, in, height, width).
    """
    kinds = {name: kind for kind, name in model.arrays()}
    result = {}
    for name, kind in kinds.items():
        if kind != _core.ARRAY_PARAMETER:
            continue
        result[name] = _get(model, kind, name)
        if name.endswith(".bias"):
            layer = name.removesuffix("bias")
            for statistic in (layer + part for part in STATISTICS if layer + part in kinds):
                result[statistic] = _get(model, kinds[statistic], statistic)
    return result


def from_arrays(model: _core.Model, arrays: Mapping[str, Any]) -> None:
    """Write all parameters and running statistics; after an error nothing is written.

    Parameters
    ----------
    model : _core.Model
    arrays : mapping of str to array
        Arrays of `to_arrays` or `state_dict`, numpy's or PyTorch's, float32 or converted to it. All
        names may begin with the same prefix, as in the checkpoints of Lightning (``"model."``).

    Raises
    ------
    ValueError
        If an array is unexpected, missing, not of the model's shape, of another type than float, or not
        finite; the error names the first one.
    """
    wanted = {name: array.shape for name, array in to_arrays(model).items()}
    prefix = _prefix(arrays)
    values = {
        name: _floats(prefix + name, value) for name, value in _match(arrays, prefix, wanted, "").items()
    }
    kinds = {name: kind for kind, name in model.arrays()}
    for name, value in values.items():
        value = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value
        model.set_array(kinds[name], name, np.ascontiguousarray(value))


def state_dict(model: _core.Model) -> dict[str, npt.NDArray[Any]]:
    """Copy the arrays that PyTorch's ``load_state_dict(…, strict=True)`` wants, in its order.

    Parameters
    ----------
    model : _core.Model

    Returns
    -------
    dict of str to ndarray
        Arrays of `to_arrays`, and for each BatchNorm ``num_batches_tracked``: int64 without
        dimensions, 0 because it is not counted here. PyTorch does not use it unless a BatchNorm was
        made with ``momentum=None``.
    """
    result: dict[str, npt.NDArray[Any]] = {}
    for name, array in to_arrays(model).items():
        result[name] = array
        if name.endswith(".running_var"):
            result[name.removesuffix("running_var") + COUNTER] = np.zeros((), np.int64)
    return result


def architecture(arrays: Mapping[str, Any]) -> Inferred:
    """Infer the network from the names and shapes of a state dict; values are not looked at.

    Parameters
    ----------
    arrays : mapping of str to array
        Arrays, as for `from_arrays`.

    Returns
    -------
    dict
        ``backbone`` (such as "resnet18", or "identity" where there is none), ``width`` (channels
        of the first stage), ``projection_head`` ("mlp", "linear"), ``hidden_dim`` (a tuple of several),
        ``output_dim``, ``channels`` (of the images; of feature vectors, their length).

    Raises
    ------
    ValueError
        If no known network has an array, or a known one lacks it; the error names the first one.
    """
    prefix = _prefix(arrays)
    shapes = {key.removeprefix(prefix): tuple(np.shape(value)) for key, value in arrays.items()}

    def shape_of(name: str, rank: int) -> tuple[int, ...]:
        if len(shapes.get(name, ())) != rank:
            got = f"got shape {shapes[name]}, want {rank} dimensions" if name in shapes else "is missing"
            raise ValueError(f"{prefix}{name}: {got}; {KNOWN}")
        return shapes[name]

    inputs = shape_of(f"{HEAD}0.weight", 2)[1]
    # Between two layers there is a rectifier, which counts as one.
    names = takewhile(shapes.__contains__, (f"{HEAD}{2 * i}.weight" for i in count()))
    *hidden, outputs = (shape_of(name, 2)[0] for name in names)
    result = Inferred(
        backbone=IDENTITY,
        width=None,
        projection_head="mlp" if hidden else "linear",
        hidden_dim=as_written(tuple(hidden)) if hidden else None,
        output_dim=outputs,
        channels=inputs,
    )
    foreign = next((name for name in shapes if name.startswith("backbone.")), None)
    layers: Layers = []
    if foreign is not None:
        stem = next((name for name in STEMS if name in shapes), None)
        if stem is None:
            raise ValueError(f"{prefix}{foreign}: is unexpected without {STEMS[0]}; {KNOWN}")
        width, result["channels"] = shape_of(stem, 4)[:2]
        name = result["backbone"] = _backbone(shapes)
        result["width"] = width if has_width(name) else None
        layers = named_layers(name, width)
    check_shapes(arrays, layers, result["channels"], hidden, outputs, f"; {KNOWN}")
    return result


def _backbone(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The backbone whose names are most like these; where they are not the same, the error comes when all
    arrays are compared.
    """
    own = {
        name.removeprefix("backbone.")
        for name in shapes
        if name.startswith("backbone.") and not name.endswith(COUNTER) and not name.startswith(CLASSIFIERS)
    }

    def difference(name: str) -> int:
        return len(own ^ set(layer_shapes(named_layers(name, width=1), channels=1)))

    return min(NAMES, key=difference)


def check_shapes(
    arrays: Mapping[str, Any],
    layers: Layers,
    channels: int,
    hidden: Sequence[int],
    outputs: int,
    hint: str = "",
) -> None:
    """Raise a ValueError where names or shapes are not those of layers and the head after them."""
    wanted = {f"backbone.{name}": shape for name, shape in layer_shapes(layers, channels).items()}
    features = layer_outputs(layers, channels)
    _match(arrays, _prefix(arrays), wanted | _head_shapes([features, *hidden, outputs]), hint)


def _get(model: _core.Model, kind: int, name: str) -> FloatArray:
    shape, _, values = model.array(kind, name)
    array = np.frombuffer(values, np.float32).reshape(shape)
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1)) if array.ndim == 4 else array


def _prefix(arrays: Mapping[str, Any]) -> str:
    """The prefix of the names: "" or, for example, Lightning's "model."."""
    for key in arrays:
        before, found, _ = key.partition(HEAD)
        if found:
            return before
    # Checkpoints hold the state dict beside an optimiser's and other things.
    for key, value in arrays.items():
        if isinstance(value, Mapping) and any(HEAD in str(inner) for inner in value):
            raise ValueError(f"state dict: got what holds it, want its {key!r}")
    raise ValueError(f"{HEAD}0.weight: is missing; {KNOWN}")


def _match(
    arrays: Mapping[str, Any], prefix: str, wanted: Mapping[str, tuple[int, ...]], hint: str
) -> dict[str, Any]:
    """Values by their names without the prefix; an error where names or shapes differ."""
    result = {}
    for key, value in arrays.items():
        if not key.startswith(prefix):
            raise ValueError(f"{key}: is unexpected where other names begin with {prefix!r}{hint}")
        name = key.removeprefix(prefix)
        layer, _, part = name.rpartition(".")
        if name not in wanted and name.startswith(CLASSIFIERS):
            continue
        if part == COUNTER and f"{layer}.running_var" in wanted:
            continue
        if name not in wanted:
            raise ValueError(f"{key}: is unexpected{hint}")
        shape = tuple(np.shape(value))
        if shape != wanted[name]:
            raise ValueError(f"{key}: got shape {shape}, want {wanted[name]}{hint}")
        result[name] = value
    for name in wanted:
        if name not in result:
            raise ValueError(f"{prefix}{name}: is missing{hint}")
    return result


def _floats(key: str, value: Any) -> FloatArray:
    """Finite float32 values."""
    try:
        array = np.asarray(value)
    except (TypeError, RuntimeError) as error:  # it is bfloat16, elsewhere, or has a gradient
        raise ValueError(f"{key}: got what numpy cannot read ({error}), want float32 values") from error
    if array.dtype.kind != "f":
        raise ValueError(f"{key}: got values of type {array.dtype}, want float32, float64 or float16")
    with np.errstate(over="ignore"):
        result = array.astype(np.float32)
    if not np.isfinite(result).all():
        raise ValueError(f"{key}: got NaN or infinity, want finite float32 values")
    if key.endswith(".running_var") and (result < 0).any():
        raise ValueError(f"{key}: got {result.min()}, want a variance of at least 0")
    return result


def _head_shapes(sizes: list[int]) -> dict[str, tuple[int, ...]]:
    result: dict[str, tuple[int, ...]] = {}
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        result[f"{HEAD}{2 * i}.weight"] = (outputs, inputs)
        result[f"{HEAD}{2 * i}.bias"] = (outputs,)
    return result
