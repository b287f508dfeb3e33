"""Time of work that may be short."""

from __future__ import annotations

import time
from collections.abc import Callable

#: A process that has just been woken needs some milliseconds until it is at full speed.
LEAST_SECONDS = 0.5


def milliseconds(work: Callable[[], object]) -> float:
    """Mean time of ``work``, which is repeated until that took ``LEAST_SECONDS``."""
    started, count, passed = time.perf_counter(), 0, 0.0
    while passed < LEAST_SECONDS:
        work()
        count += 1
        passed = time.perf_counter() - started
    return 1e3 * passed / count
