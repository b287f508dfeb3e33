"""The C extension: hands buffers to the Swift core and releases the GIL around every long call.

Everything here is private. Arguments are validated in Python before they come here; what still goes
wrong in the core becomes ``ValueError`` (argument, handle, state), ``RuntimeError`` (busy) or
``MemoryError``, with the core's message.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from typing_extensions import Buffer

# numpy says that its arrays are buffers from Python 3.12 on only.
Array: TypeAlias = Buffer | np.ndarray[Any, Any]

ABI_VERSION: int

# Kinds of arrays.
PARAMETER: int
BUFFER: int
GRADIENT: int
MOMENTUM: int
SUMS: int
EMBEDDINGS: int
SQUARES: int
AVERAGE: int
NEIGHBORS: int
MAXIMA: int
EMBEDDING_GRADIENT: int

# Kinds of events.
MORE: int
BATCH_WANTED: int
BATCH_NORM_SUMS: int
EMBEDDINGS_READY: int
GRADIENT_READY: int
STEP: int
FINISHED: int
DIVERGED: int
NEIGHBORS_FOUND: int
OUTPUT_STARTED: int

# Values of the enumerations of tsimcne.h that are arguments here.
OUTPUT_MAP: int
OUTPUT_FEATURES: int
SOURCE_IMAGES: int
SOURCE_SUPPLIED: int
SOURCE_VIEWS: int
STOP_AT_BATCH_NORM_SUMS: int
STOP_AT_EMBEDDINGS: int
STOP_AT_GRADIENTS: int
STOP_AT_OUTPUT_STARTED: int

class Event(NamedTuple):
    """What ended a call of ``Trainer.advance``; ``indices`` are int64 bytes, only with BATCH_WANTED."""

    kind: int
    stage: int
    epoch: int
    step: int
    steps_per_epoch: int
    steps_left: int
    loss: float
    learning_rate: float
    batch_count: int
    indices: bytes
    array: int

def build_info() -> str: ...
def data_address(array: Array) -> int:
    """Address of the first value, as the core reads it."""

class Model:
    def __init__(
        self,
        *,
        channels: int,
        depth: int,
        base_width: int,
        hidden_dims: tuple[int, ...],
        output_dim: int,
        mean: Array | None = None,
        deviation: Array | None = None,
        seed: int,
        layers: tuple[tuple[str, int, int, int, int, int, int, int, float, float, float], ...] | None = None,
    ) -> None:
        """``layers``: the name and the other fields of tsimcne_layer."""

    def reset_output(self, output_dim: int, deviation: float, seed: int) -> None: ...
    def transform(self, images: Array, output: Array, *, kind: int, threads: int) -> None:
        """Map 4-D C-contiguous uint8 or float32 ``images`` into the writable float32 ``output``."""
    def arrays(self) -> list[tuple[int, str]]:
        """(kind, name) of each array."""
    def array(self, kind: int, name: str) -> tuple[tuple[int, ...], str, bytearray]:
        """(shape, format "f" or "d", a copy of the values)."""
    def set_array(self, kind: int, name: str, values: Array) -> None:
        """Copy C-contiguous values of the same format and number into the array."""

class Trainer:
    def __init__(
        self,
        model: Model,
        images: Array | None,
        *,
        shape: tuple[int, int, int, int] | None = None,  # with images=None
        format: str | None = None,  # "B" or "f", with images=None
        seed: int,
        batch_size: int,
        source: int,
        threads: int,
        stop_at: int = 0,
        time_slice_ms: int = 0,
        stages: Sequence[Mapping[str, Any]],  # keys: the fields of tsimcne_stage
        augmentation: Mapping[str, float] | None,  # keys: the fields of tsimcne_augmentation
        views: int = 2,
        noise: float = 0,
        dropout: float = 0,
        average_decay: float = 0,
        shuffle_block: int = 0,
        shuffle_window: int = 0,
        micro_batch: int = 0,
        shard_rank: int = 0,
        shard_count: int = 0,
    ) -> None:
        """Holds the buffer of ``images`` until the trainer is gone."""
    def advance(self) -> Event: ...
    def supply(self, data: Array) -> None: ...
    def abandon(self) -> None: ...
    def progress(self) -> dict[str, float]:
        """The fields of tsimcne_progress."""
    def seek(self, progress: Mapping[str, float]) -> None: ...
    def stretch(self, remaining: int) -> None: ...
    def order(self, indices: Array) -> None:
        """Copy the epoch's order of the images into int64 memory."""
    def set_loss(self, loss: float) -> None:
        """Of the whole batch, with shards."""
    def memory(self) -> int:
        """Bytes that training takes, beside the threads' own scratch memory."""
    def exchange_averages(self) -> None: ...
    def close(self) -> None:
        """Destroy the trainer and let go of the images; later calls raise ValueError."""
    def arrays(self) -> list[tuple[int, str]]: ...
    def array(self, kind: int, name: str) -> tuple[tuple[int, ...], str, bytearray]: ...
    def set_array(self, kind: int, name: str, values: Array) -> None: ...

def augment(
    images: Array,
    output: Array,
    *,
    augmentation: Mapping[str, float],
    seed: int,
    epoch: int,
    first_index: int,
    view: int,
    threads: int,
) -> None: ...
def infonce(
    embeddings: Array,
    gradient: Array | None,
    *,
    views: int,
    metric: int,
    temperature: float,
    threads: int,
    degrees: float = 1,
) -> float:
    """Loss of (views * images, dimension) float32 embeddings; writes the gradient where one is given."""

def infonce_sums(
    embeddings: Array,
    scales: Array,
    *,
    first: int,
    count: int,
    views: int,
    metric: int,
    temperature: float,
    threads: int,
    degrees: float = 1,
) -> float:
    """What these images add to the loss; writes what the gradient wants of each of their views."""

def infonce_gradient(
    embeddings: Array,
    scales: Array,
    gradient: Array,
    *,
    first: int,
    count: int,
    views: int,
    metric: int,
    temperature: float,
    threads: int,
    degrees: float = 1,
) -> float:
    """Writes the loss's gradient with respect to these views, from the scales of all; what they add to the
    derivative with respect to the temperature's logarithm.
    """
