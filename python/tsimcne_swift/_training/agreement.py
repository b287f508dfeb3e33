"""What ranks must have alike before they train together."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from .._config import show_config
from .._storage.json_params import params_to_json
from .checkpoint import digest_of
from .plan import Plan
from .resume import Stored

# Parameters of each rank's own; the seed is rank 0's.
OWN = ("checkpoint", "checkpoint_every", "n_jobs", "random_state", "verbose")
# Images that are compared: enough to tell other sets and other orders, few enough to read at once.
SAMPLE = 64


def description(plan: Plan, params: dict[str, Any], stored: Stored | None) -> dict[str, Any]:
    """What a rank was given, by the names of parameters where they have one."""
    config = show_config()
    shape = tuple(plan.images.shape)
    result = {
        "version": config["version"],
        "instruction set": config["level"],
        "X": f"{plan.images.format} {shape}",
        "values of X": _sample(plan),
        "init": None if plan.init is None else digest_of(plan.init.network.tensors()),
        "checkpoint": None if stored is None else f"{stored.progress} {digest_of(stored.tensors)}",
    }
    kept = params_to_json(params)
    return result | {name: value for name, value in kept.items() if name not in OWN}


def _sample(plan: Plan) -> str:
    n = plan.images.shape[0]
    rows = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    values = plan.images.batch(rows)
    plan.images.forget()
    return hashlib.blake2b(np.ascontiguousarray(values).data, digest_size=8).hexdigest()
