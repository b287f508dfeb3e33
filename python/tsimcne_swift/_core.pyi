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

# Numbers of structures by their names: the usual value, the least and the largest.
NUMBERS: dict[str, dict[str, tuple[float, float, float]]]

# Enumerations: the numbers by the words that users have for them.
ARRAYS: dict[str, int]
EVENTS: dict[str, int]
FUNCTIONS: dict[str, int]
INPUTS: dict[str, int]
LAYERS: dict[str, int]
METRICS: dict[str, int]
OPTIMIZERS: dict[str, int]
OUTPUTS: dict[str, int]
OUTPUT_STARTS: dict[str, int]
PRESETS: dict[str, int]
SCHEDULES: dict[str, int]
PRECISIONS: dict[str, int]
SHAPES: dict[str, int]
SOURCES: dict[str, int]
STATUSES: dict[str, int]
STOPS: dict[str, int]
TRAINS: dict[str, int]
TYPES: dict[str, int]

def __getattr__(name: str) -> int:
    """Every constant of tsimcne.h without TSIMCNE_; a test looks for those that are used here."""

class Event(NamedTuple):
    """What ended a call of ``Trainer.advance``: tsimcne_event; ``indices`` are int64 bytes, only with
    EVENT_BATCH_WANTED.
    """

    kind: int
    stage: int
    epoch: int
    step: int
    steps_per_epoch: int
    steps_left: int
    loss: float
    learning_rate: float
    degrees_of_freedom: float
    batch_count: int
    index_count: int
    array: int
    indices: bytes

def build_info() -> str: ...
def available_memory() -> int:
    """Bytes that this process may still take."""

def data_address(array: Array) -> int:
    """Address of the first value, as the core reads it."""

def guard_create(address: int, nbytes: int) -> int:
    """Guards memory that is a mapped file: what cannot be read is zeros and counted. A handle."""

def guard_faults(guard: int) -> int: ...
def guard_destroy(guard: int) -> None: ...

class Model:
    def __init__(
        self,
        *,
        hidden_dims: tuple[int, ...],
        mean: Array | None = None,
        deviation: Array | None = None,
        seed: int,
        layers: tuple[tuple[str, Mapping[str, float]], ...] | None = None,
        **numbers: float,
    ) -> None:
        """``layers``: names and fields of tsimcne_layer; ``numbers``: fields of tsimcne_model_config."""

    def reset_output(self, output_dim: int, deviation: float, seed: int) -> None: ...
    def transform(self, images: Array, output: Array, *, kind: int, threads: int) -> None:
        """Map 4-D C-contiguous uint8 or float32 ``images`` into the writable float32 ``output``."""
    def arrays(self) -> list[tuple[int, str]]:
        """Kind and name of each array."""
    def array(self, kind: int, name: str) -> tuple[tuple[int, ...], str, bytearray]:
        """Shape, format ("f" or "d") and a copy of the values of an array."""
    def set_array(self, kind: int, name: str, values: Array) -> None:
        """Copy C-contiguous values of the same format and number into the array."""

class Trainer:
    def __init__(
        self,
        model: Model,
        images: Array | None,
        *,
        shape: tuple[int, int, int, int] | None = None,  # given with images=None
        format: str | None = None,  # "B" or "f", given with images=None
        stages: Sequence[Mapping[str, Any]],  # the keys are the fields of tsimcne_stage
        augmentation: Mapping[str, float] | None,  # the keys are the fields of tsimcne_augmentation
        **numbers: float,
    ) -> None:
        """Holds the buffer of ``images`` until the trainer is gone; ``numbers``: fields of
        tsimcne_trainer_config.
        """
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
        """Set the loss of the whole batch, of which the trainer has a shard."""
    def memory(self) -> int:
        """Bytes that training takes, beside the threads' own scratch memory."""
    def exchange_averages(self) -> None: ...
    def close(self) -> None:
        """Destroy the trainer and let go of the images; later calls raise ValueError."""
    def arrays(self) -> list[tuple[int, str]]: ...
    def array(self, kind: int, name: str) -> tuple[tuple[int, ...], str, bytearray]: ...
    def set_array(self, kind: int, name: str, values: Array) -> None: ...

def augmentation_preset(preset: int) -> dict[str, float]:
    """The fields of tsimcne_augmentation."""

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
    """Return what these images add to the loss; write what the gradient wants of each of their views."""

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
    """Write the loss's gradient with respect to these views, from the scales of all; return what they add to
    the derivative with respect to the temperature's logarithm.
    """

def nearest(rows: Array, queries: Array, indices: Array, *, threads: int, own_row: int = -1) -> None:
    """Write the nearest rows to each query, (queries, neighbors) int32, the nearest first; where queries are
    rows, ``own_row`` is the first one's number, and no row is its own neighbour.
    """

def halve(rows: Array, order: Array, *, runs: int, tree: int, threads: int) -> None:
    """Halve each of some runs of ``order`` (n,) int32, numbers of rows (n, columns). See tsimcne_halve."""

def refine_neighbors(
    rows: Array,
    order: Array,
    table: Array,
    target: Array,
    *,
    reverse: Array | None = None,
    groups: int,
    blocks: int,
    first: int,
    count: int,
    threads: int,
) -> None:
    """Write the nearest of their candidates to the lines of ``target`` (n, neighbors) of the rows of some
    groups. See tsimcne_refine_neighbors.
    """

def reverse_neighbors(table: Array, reverse: Array) -> None:
    """Write those that have each row among their neighbours. See tsimcne_reverse_neighbors."""

def directions(
    rows: Array, mean: Array, directions: Array, deviations: Array, *, iterations: int, threads: int
) -> None:
    """Write the mean of rows (n, columns), the directions (wanted, columns) in which they vary most, and the
    rows' deviations along them (wanted,); all float32. See tsimcne_directions.
    """

def describe_patches(
    images: Array,
    output: Array,
    /,
    *,
    whitening: Array,
    word_values: Array,
    vectors: Array | None = None,
    threads: int,
    **numbers: float,
) -> None:
    """Write what the patches of images look like, a row for each; ``numbers`` are NUMBERS["patches"]. See
    tsimcne_patches_describe.
    """

def move_points(
    positions: Array,
    velocities: Array,
    gains: Array,
    offsets: Array,
    neighbors: Array,
    weights: Array,
    *,
    steps: int,
    rate: float,
    momentum: float,
    threads: int,
    exaggeration: float = 1,
    repulsion: Array | None = None,
) -> None:
    """Move points of the plane, (points, 2) float32, in place; see tsimcne_move_points."""

def repel_points(positions: Array, repulsion: Array, *, part: int, parts: int, threads: int) -> None:
    """Find what points do to those of a part; see tsimcne_repel_points."""
