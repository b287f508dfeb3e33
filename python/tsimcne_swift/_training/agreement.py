"""What ranks must have alike before they train together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._inputs.chunked import StoredImages
from .._storage.json_params import is_function, params_to_json
from .._system.config import show_config
from .checkpoint import digest_of
from .plan import Plan
from .resume import Stored

# Parameters that are each rank's own; of the seed see below.
OWN = ("checkpoint", "checkpoint_every", "n_jobs", "random_state", "verbose")
# Images that are compared: enough to tell other sets and other orders, few enough to read at once.
SAMPLE = 64
# Ranks that are named one by one.
NAMED = 8


def description(plan: Plan, params: dict[str, Any], stored: Stored | None) -> dict[str, Any]:
    """What a rank was given, by the names of parameters where they have one."""
    config, images = show_config(), plan.images
    kept = {name: value for name, value in params_to_json(params).items() if name not in OWN}
    if is_function(params["augmentation"]):
        # One cannot tell whether two functions are the same.
        kept["augmentation"] = "a function"
    return kept | {
        "version": config["version"],
        "instruction set": config["level"],
        "X": f"{images.format} {tuple(images.shape)}",
        "values of X": _sample(plan),
        # The order of an epoch is mixed by blocks of what is read piece by piece.
        "blocks of X": images.shuffle(plan.values.max_memory) if isinstance(images, StoredImages) else None,
        # Without one, all take the seed of rank 0.
        "random_state": None if params["random_state"] is None else plan.seed,
        "init": None if plan.init is None else digest_of(plan.init.network.tensors()),
        "align_to": _alignment(plan),
        "checkpoint": None if stored is None else _state(stored),
    }


def differences(given: Sequence[dict[str, Any]]) -> list[str]:
    """What is not the same on all ranks: its name, each value and the ranks that have it."""
    result = []
    for name in dict.fromkeys(name for theirs in given for name in theirs):
        values = [theirs.get(name) for theirs in given]
        if all(value == values[0] for value in values):
            continue
        ranks: dict[str, list[int]] = {}
        for rank, value in enumerate(values):
            ranks.setdefault(repr(value), []).append(rank)
        result.append(f"{name}: " + ", ".join(f"{text} on {written_ranks(ranks[text])}" for text in ranks))
    return result


def written_ranks(ranks: Sequence[int]) -> str:
    """As an error speaks of them."""
    if len(ranks) == 1:
        return f"rank {ranks[0]}"
    named, last = ranks[:-1], str(ranks[-1])
    if len(ranks) > NAMED:
        named, last = ranks[:NAMED], f"{len(ranks) - NAMED} more"
    return f"ranks {', '.join(map(str, named))} and {last}"


def _sample(plan: Plan) -> str:
    n = plan.images.shape[0]
    rows = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    values = plan.images.batch(rows)
    plan.images.forget()
    return digest_of({"": values})


def _state(stored: Stored) -> str:
    # Tensors of a file come in any order.
    values = digest_of(dict(sorted(stored.tensors.items())))
    return f"seed {stored.seed}, {stored.progress}, {values}"


def _alignment(plan: Plan) -> str | None:
    alignment = plan.alignment
    if alignment is None:
        return None
    if alignment.places is not None:
        return digest_of({"rows": alignment.rows, "places": alignment.places})
    assert alignment.older is not None
    older = alignment.older
    places = {} if older.places is None else older.places.tensors() | {"points": older.places.points}
    return digest_of(older.network.tensors() | places)
