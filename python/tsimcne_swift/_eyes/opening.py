"""Eyes from what a user says: every doubt comes before the first image."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._checks.memory_sizes import written_size
from .._system.config import available_memory
from .costs import bytes_of_image
from .declaration import Declared, declared_by
from .eyes import Eyes
from .file import File, read_file
from .graph import Graph
from .onnx import Onnx
from .preparing import preparation
from .session import Session
from .sight import MOST_FEATURES, Sight

# Images at a time, and the memory that they may take, where nobody says.
TOGETHER, MEMORY = 32, 1 << 30


def wanted_size(onnx: Onnx) -> tuple[int, int] | None:
    """Height and width of the images that eyes want; None where any will do."""
    file = read_file(_source(onnx))
    size: tuple[int, int] | None = preparation(onnx, file, declared_by(file, onnx))["size"]
    return size


def open_eyes(onnx: Onnx, image_shape: tuple[int, ...], max_memory: int | None, threads: int) -> Eyes:
    """The eyes for images of a shape, tried on a grey one.

    Raises
    ------
    ValueError, FileNotFoundError, MemoryError, ImportError
        If what is said, what the file declares and the images do not go together; the error names the
        argument.
    """
    source = _source(onnx)
    file = read_file(source)
    declared = declared_by(file, onnx)
    prepared = preparation(onnx, file, declared)
    channels = _channels(file, declared, prepared, image_shape)
    sight = Sight(
        file=file.name,
        sha256=file.sha256,
        length=file.length,
        input=declared.input,
        element=declared.element,
        layout=declared.layout,
        output=declared.output,
        takes="features",
        channels=channels,
        columns=1,
        batch=declared.batch or 1,
        is_fixed=declared.batch is not None,
        **{name: prepared[name] for name in ("resize", "interpolation", "mean", "std", "scale")},
        size=prepared["size"] or (image_shape[0], image_shape[1]),
    )
    graph = Graph(file, sight, image_shape, "uint8")
    model = graph.finished({graph.output: None})
    together = _together(onnx, file, declared, bytes_of_image(model), max_memory)
    session = Session(file.name, model, threads)
    found = session.run(_grey(sight.batch, image_shape))
    sight = replace(sight, **_taken(onnx, file, sight, found))
    if not sight.is_fixed and together > 1 and _takes_two(session, image_shape):
        sight = replace(sight, batch=together)
    return Eyes(sight, image_shape, (source,))


def _source(onnx: Onnx) -> str | bytes:
    return onnx.path if isinstance(onnx.path, bytes) else os.path.abspath(onnx.path)


def _channels(file: File, declared: Declared, prepared: dict[str, Any], image_shape: tuple[int, ...]) -> int:
    """Channels of the input, which the images have, or which a grey image is repeated for."""
    said = {name: len(prepared[name]) for name in ("mean", "std") if len(prepared[name]) > 1}
    channels = declared.channels or max([*said.values(), image_shape[2]])
    for name, count in said.items():
        if count != channels:
            raise ValueError(
                f"backbone.{name}: got {count} numbers, but {file.name} takes {channels} channels; "
                "want as many, or one"
            )
    if image_shape[2] not in (1, channels):
        raise ValueError(f"X: got {image_shape[2]} channels, but {file.name} takes {channels}")
    return channels


def _together(onnx: Onnx, file: File, declared: Declared, each: int, max_memory: int | None) -> int:
    """Images at a time: what is fixed or said, else as many as memory allows."""
    if declared.batch is not None and onnx.batch_size not in (None, declared.batch):
        raise ValueError(
            f"backbone.batch_size: got {onnx.batch_size}, but {file.name} takes {declared.batch} at a time"
        )
    fixed = declared.batch or onnx.batch_size
    together = fixed or max(1, min(TOGETHER, (max_memory or MEMORY) // each))
    wanted = together * each
    if max_memory is not None and wanted > max_memory:
        raise ValueError(
            f"max_memory: got {written_size(max_memory)}, but {file.name} takes about {written_size(wanted)} "
            f"for {together} images at a time"
        )
    if wanted > available_memory():
        raise MemoryError(
            f"backbone: {file.name} takes about {written_size(wanted)} for {together} images at a time, but "
            f"{written_size(available_memory())} are left"
        )
    return together


def _grey(count: int, image_shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    return np.full((count, *image_shape), 128, np.uint8)


def _takes_two(session: Session, image_shape: tuple[int, ...]) -> bool:
    """Whether a network that leaves the number of images open can do more than one."""
    try:
        return len(session.run(_grey(2, image_shape))) == 2
    except ValueError:
        return False


def _taken(onnx: Onnx, file: File, sight: Sight, found: npt.NDArray[Any]) -> dict[str, Any]:
    """What is taken of an output, and how many features that is."""
    shape = found.shape
    named = f"{sight.output!r} of {file.name}"
    if found.dtype.kind not in "fiu" or len(shape) not in (2, 3, 4) or shape[0] != sight.batch or 0 in shape:
        raise ValueError(
            f"backbone.output: {named} gives {found.dtype} of shape {shape} for {sight.batch} images, want "
            f"numbers of shape ({sight.batch}, features), a plane of them, or tokens"
        )
    if not np.isfinite(found).all():
        raise ValueError(f"backbone: {named} gives NaN or infinity for a grey image")
    if len(shape) != 3 and onnx.pool != "auto":
        raise ValueError(f"backbone.pool: got {onnx.pool!r}, but {named} has no tokens; want 'auto'")
    if len(shape) == 2:
        takes, columns = "features", shape[1]
    elif len(shape) == 4:
        is_first = _channels_first(shape, sight)
        takes = f"plane, channels {'first' if is_first else 'last'}"
        columns = shape[1 if is_first else 3]
    else:
        # A square of patches alone has no class token.
        has_class = math.isqrt(shape[1]) ** 2 != shape[1]
        is_first = onnx.pool == "class" or (onnx.pool == "auto" and has_class)
        takes, columns = "class token" if is_first else "mean of tokens", shape[2]
    if columns > MOST_FEATURES:
        raise ValueError(f"backbone.output: {named} gives {columns} features, want at most {MOST_FEATURES}")
    return {"takes": takes, "columns": int(columns)}


def _channels_first(shape: tuple[int, ...], sight: Sight) -> bool:
    """Whether a plane of features has its channels first: by its lengths, else as the input has them."""
    _, first, second, last = shape
    if (first == second) != (second == last):
        return second == last
    return sight.layout == "NCHW"
