"""The neighbours of very many images, with which they are paired in a stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import _core
from .._algebra.linear import to_unit_length
from .._plane import neighbors
from .._plane.memory import FLOAT, seeking_bytes
from .._stages.stage import Stage
from .plan import Plan
from .ranks import read_array


def partners_bytes(plan: Plan, stages: Sequence[Stage]) -> int:
    """Bytes that `find_partners` takes beside the trainer's: features, as they are and of unit length."""
    n, features = int(plan.images.shape[0]), plan.architecture.features
    if n <= neighbors.EXACT or not any(stage.neighbors for stage in stages):
        return 0
    return n * FLOAT * features + seeking_bytes(n, features)


def find_partners(trainer: _core.Trainer, plan: Plan) -> None:
    """Give the trainer, which has the features of all images, the neighbours that it would look for.

    It compares all with all, which is best for some tens of thousands. Where there are more, or where a
    checkpoint has the neighbours, nothing is left for it to do.
    """
    array = (_core.ARRAY_NEIGHBORS, "neighbors")
    count = plan.images.shape[0]
    if count <= neighbors.EXACT:
        return
    table = read_array(trainer, *array)
    if table[0, 0] >= 0:
        return
    rows = read_array(trainer, _core.ARRAY_FEATURES, "features")
    if not np.isfinite(rows).all():
        # A network that diverged; the trainer's own search takes them, and the next step says so.
        return
    # As the trainer compares them.
    if not plan.architecture.reads_vectors:
        rows = to_unit_length(rows)
    trainer.set_array(*array, neighbors.nearest(rows, table.shape[1], plan.threads, ranks=plan.ranks))
