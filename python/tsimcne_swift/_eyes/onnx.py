"""What a user says of a network that is to be the eyes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from .._checks.values import check_choice, check_integer, check_number
from .._inputs.images import LARGEST
from .presets import PRESETS
from .resampling import KERNELS, RESIZES

LAYOUTS = ("NCHW", "NHWC")
POOLS = ("auto", "class", "mean")
# Sides of what a network reads, at least.
SMALLEST = 8
MOST_TOGETHER = 1024


@dataclass(frozen=True, repr=False)
class Onnx:
    """A trained network of an ONNX file, whose features images are compared by.

    ``TSimCNE(backbone=Onnx("dinov2-small.onnx"))`` takes all images through it once and makes the map of what
    it gives; nothing of it is trained. What the file declares need not be said. Wants the extra ``onnx``.

    Parameters
    ----------
    path : path or bytes
        The file, or what is in it.
    preset : {"imagenet", "clip", "dinov2", "none"} or None, default=None
        What is done to images before: ImageNet's mean and deviation, 224 pixels, bilinear; CLIP's, bicubic;
        ImageNet's, bicubic; pixels in [0, 1] in the images' own size. None: as the file
        ``preprocessor_config.json`` beside the network says, if there is one; else ``"imagenet"``, with a
        warning, and ``"none"`` for a network that takes uint8. What follows goes before it.
    input : str or None, default=None
        Name of the input that takes images. None: the only one with four dimensions.
    output : str or None, default=None
        Name of the output to take. None: the only one with two dimensions, (n, features), else the only one
        with four, which is averaged over the plane, else the only one with three, tokens.
    pool : {"auto", "class", "mean"}, default="auto"
        What is taken of tokens: the first one or the mean of all. ``"auto"``: the mean where their number is
        a square, as no class token is among them then, else the first.
    layout : {"NCHW", "NHWC"} or None, default=None
        Order of the input's axes. None: channels are where it declares 1 or 3.
    size : int, (height, width) or None, default=None
        Pixels that the network is given. None: what it declares, else that of the preset.
    resize : {"crop", "pad", "stretch"} or None, default=None
        Treatment of images whose sides have another ratio: their middle is cut out, they are framed in white,
        or they are distorted. None: ``"crop"``.
    interpolation : {"bilinear", "bicubic", "lanczos", "nearest"} or None, default=None
        How sizes change; smaller images are made of means, as Pillow makes them. None: that of the preset.
    mean, std : float, sequence of float, or None, default=None
        What is subtracted, and what is divided by, per channel.
    scale : float or None, default=None
        What pixels from 0 to 255 are multiplied by, before that. None: 1 / 255.
    batch_size : int or None, default=None
        Images at a time. None: what the network declares, else 32, or as many as ``max_memory`` allows. Of
        the last batch what is missing is black.
    cache : path or None, default=None
        File that keeps the features, for a run that goes on, or the next one of the same images. None: the
        checkpoint's with ``.features`` at its end, and none where there is no checkpoint.

    Notes
    -----
    A file may be a stranger's: it is read with memory asked for before, runs without any extension, and is
    refused if it wants operators of others or data outside of its folder. At most 2 GB are read.
    """

    path: Any
    preset: str | None = None
    input: str | None = None
    output: str | None = None
    pool: str = "auto"
    layout: str | None = None
    size: Any = None
    resize: str | None = None
    interpolation: str | None = None
    mean: Any = None
    std: Any = None
    scale: float | None = None
    batch_size: int | None = None
    cache: Any = None

    def __repr__(self) -> str:
        path = f"<{len(self.path):,} bytes>" if isinstance(self.path, bytes) else repr(self.path)
        said = {
            name: value for name, value in self.__dict__.items() if name not in ("path", "pool") and value
        }
        said |= {} if self.pool == "auto" else {"pool": self.pool}
        return f"Onnx({', '.join([path, *(f'{name}={value!r}' for name, value in said.items())])})"


def check_onnx(name: str, value: Onnx) -> Onnx:
    """The value, each field of which is what it may be by itself."""
    if not isinstance(value.path, str | os.PathLike | bytes):
        raise TypeError(f"{name}.path: got {value.path!r}, want a path, or the bytes of an ONNX file")
    for field, choices in (
        ("preset", PRESETS), ("pool", POOLS), ("layout", LAYOUTS), ("resize", RESIZES),
        ("interpolation", KERNELS),
    ):  # fmt: skip
        if getattr(value, field) is not None or field == "pool":
            check_choice(f"{name}.{field}", getattr(value, field), tuple(choices))
    for field in ("input", "output"):
        said = getattr(value, field)
        if said is not None and not isinstance(said, str):
            raise TypeError(f"{name}.{field}: got {said!r}, want a name")
    if value.size is not None:
        as_size(f"{name}.size", value.size)
    for field in ("mean", "std"):
        said = getattr(value, field)
        if said is not None:
            as_numbers(f"{name}.{field}", said, positive=field == "std")
    if value.scale is not None:
        check_number(f"{name}.scale", value.scale, 1e-9, 1e9)
    if value.batch_size is not None:
        check_integer(f"{name}.batch_size", value.batch_size, 1, MOST_TOGETHER)
    if value.cache is not None and not isinstance(value.cache, str | os.PathLike):
        raise TypeError(f"{name}.cache: got {value.cache!r}, want a path")
    return value


def as_size(name: str, value: Any) -> tuple[int, int]:
    """Height and width."""
    pair = value if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name}: got {value!r}, want pixels, or (height, width)")
    height, width = (check_integer(name, side, SMALLEST, LARGEST) for side in pair)
    return height, width


def as_numbers(name: str, value: Any, positive: bool) -> tuple[float, ...]:
    """One number, or one for each channel."""
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise ValueError(f"{name}: got none, want a number, or one for each channel")
    return tuple(check_number(name, one, 1e-9 if positive else -1e9, 1e9) for one in values)
