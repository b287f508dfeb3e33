"""A plan with eyes: all images are looked at once, and training goes on with what was seen."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._algebra.linear import to_unit_length
from .._eyes.cache import open_cache
from .._eyes.eyes import Eyes
from .._inputs.fingerprint import fingerprint
from .._system.bars import make_bar
from .plan import Plan, with_features

Rows = npt.NDArray[np.float32]
# What stands behind a checkpoint's name in that of the features.
ENDING = ".features"


def look(plan: Plan, eyes: Eyes, cache: str | os.PathLike[str] | None) -> Plan:
    """The plan of the features that its eyes find.

    Parameters
    ----------
    plan : Plan
    eyes : Eyes
        The plan's.
    cache : path or None
        Where features are kept; None: beside the checkpoint.
    """
    path = os.fspath(cache) if cache is not None else plan.checkpoint and plan.checkpoint + ENDING
    if path and plan.ranks.size > 1:
        path += f".{plan.ranks.rank}"
    own = plan.ranks.together(lambda: _seen(plan, eyes, path))
    return with_features(plan, to_unit_length(plan.ranks.gather(own)))


def _seen(plan: Plan, eyes: Eyes, path: str | None) -> Rows:
    """The features of this rank's images."""
    rows = plan.ranks.part(plan.given.shape[0])
    speaks = bool(plan.values.verbose) and plan.ranks.leads
    if speaks:
        print(f"eyes: {eyes.sight}", flush=True)
    result = np.empty((rows.stop - rows.start, eyes.columns), np.float32)

    def see(done: int, keep: Callable[[Rows], None]) -> None:
        with make_bar(
            total=len(result), initial=done, desc="features", unit="image", disable=not speaks
        ) as bar:

            def report(found: Rows) -> None:
                keep(found)
                bar.update(len(found))

            left = slice(rows.start + done, rows.stop)
            eyes.see(plan.given, plan.threads, left, report, result[done:])

    if path is None:
        see(0, lambda found: None)
        return result
    key = {
        "eyes": eyes.sight.decisive(),
        "images": fingerprint(plan.given) | {"rows": [rows.start, rows.stop]},
    }
    with open_cache(path, key, eyes.columns) as cache:
        see(cache.read(result), cache.append)
    return result
