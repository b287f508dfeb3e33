"""A lock that a fork does not leave closed."""

from __future__ import annotations

import os
import threading


class ProcessLock:
    """Lets one thread of a process at a time through: ``with lock():``.

    A forked process has a lock of its own, as the thread that held the other one is not in it.
    """

    def __init__(self) -> None:
        self._locks: dict[int, threading.Lock] = {}

    def __call__(self) -> threading.Lock:
        return self._locks.setdefault(os.getpid(), threading.Lock())
