"""The neighbours of very many images, with which they are paired in a stage."""

from __future__ import annotations

import numpy as np

from .. import _core
from .._algebra.linear import to_unit_length
from .._plane import neighbors
from .plan import Plan
from .ranks import read_array


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
