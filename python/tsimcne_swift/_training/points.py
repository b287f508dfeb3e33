"""The plane after training: what images are compared by, who are neighbours, and where points go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .. import _core
from .._inputs.pieces import Which
from .._networks.network import Network
from .._patches.words import PatchWords
from .._plane.comparison import Comparison
from .._plane.described import describe
from .._plane.moving import move
from .._plane.neighbors import graph_neighbors, nearest
from .._plane.places import Places
from .plan import Plan

Rows = npt.NDArray[np.float32]


def free_points(
    plan: Plan,
    network: Network,
    patch_words: int,
    turned: Callable[[Rows], Rows],
    report: Callable[[float], None],
) -> Places | None:
    """The places of all images of the plan; None where the network's features or its map are not finite.

    Parameters
    ----------
    plan : Plan
    network : Network
    patch_words : int
        Number of words of patches beside the network's features; that of the rank that leads counts.
    turned : callable
        Turns points as an older map lies.
    report : callable
        Gets the part that is done of the search for neighbours, and then of the points' motion.
    """
    comparison: Comparison | None = plan.ranks.share(
        plan.ranks.together(lambda: _comparison(plan, network, patch_words))
    )
    if comparison is None:
        return None
    n = plan.images.shape[0]

    def rows(which: Which) -> Rows:
        return comparison.rows(network, plan.images, plan.threads, which)

    found = describe(n, rows, plan.threads, plan.ranks, plan.room)
    if found is None:
        return None
    searched, placed, codes, keys = found
    if plan.older_places is not None:
        assert plan.init is not None
        placed = plan.older_places.map(plan.init.network, plan.images, plan.threads)
    elif plan.has_head:
        placed = plan.ranks.map(network, plan.images, plan.threads, _core.OUTPUT_MAP)
        if not np.isfinite(placed).all():
            return None

    neighbors = nearest(searched, graph_neighbors(n), plan.threads, report, plan.ranks)
    del searched, found

    # Rounding may differ from one machine to another, and each rank keeps its own copy of the points.
    placed = plan.ranks.share(placed)
    settled = plan.older_places is not None
    points = move(neighbors, placed, plan.threads, report, settled, plan.ranks)
    points = plan.ranks.share(plan.ranks.together(lambda: turned(points) if plan.ranks.leads else None))
    return Places.of(comparison, codes, keys, points)


def _comparison(plan: Plan, network: Network, patch_words: int) -> Comparison | None:
    """What the images are compared by; that of the rank that leads is all ranks'.

    None where the network's outputs are not finite.
    """
    if not plan.ranks.leads:
        return None
    words = PatchWords.of(plan.images, patch_words, plan.threads) if patch_words > 0 else None
    return Comparison.of(network, plan.images, words, plan.threads)
