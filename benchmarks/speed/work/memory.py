"""Peak memory of one piece of work above the idle process, in MiB.

Idle is the process after its imports and after a small piece of the same work, so that code, thread
pools and caches are there; the data are there too. The peak is the largest resident size (VmHWM)
since then. What counts is everything that a step at the measured size needs: parameters, momentum,
gradients, activations, scratch memory.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

MIB = 2**20


def resident(name: str) -> int:
    """Bytes that /proc/self/status names: VmRSS (now) or VmHWM (most so far)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


def peak_above_idle(work: Callable[[], Any]) -> float:
    """Run ``work`` and return MiB; what is free goes back to the system first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # Sets VmHWM back to the present size.
    Path("/proc/self/clear_refs").write_text("5")
    idle = resident("VmRSS")
    work()
    return (resident("VmHWM") - idle) / MIB


def ours_step(width: int, views: int, size: int, threads: int, precision: str) -> Callable[[], float]:
    """A ``fit`` of one step, the map of its images included."""
    from . import ours

    ours.estimator(8, 4, 1, threads).fit(ours.random_images(8, 8))
    X = ours.random_images(views // 2, size)
    model = ours.estimator(width, views // 2, 1, threads, precision=precision)
    return lambda: peak_above_idle(lambda: model.fit(X))


def pytorch_step(
    width: int, views: int, size: int, threads: int, compiled: bool, autocast: bool = False
) -> Callable[[], float]:
    """The second step, above the process that waits for it, plus parameters and momentum.

    Those two are there already after the first step, which is needed because compiling takes memory
    that is not the step's.
    """
    from .pytorch import Step, resnet

    step = Step(resnet(width), views, size, threads, compiled, autocast)
    step()
    step.optimizer.zero_grad()
    kept = 2 * sum(p.numel() * p.element_size() for p in step.network.parameters())
    return lambda: peak_above_idle(step) + kept / MIB


def ours_loss(rows: int, dimension: int, threads: int) -> Callable[[], float]:
    """Loss and gradient, the gradient's own memory included."""
    import numpy as np
    from tsimcne_swift import _core

    z = np.random.default_rng(0).normal(size=(rows, dimension)).astype(np.float32)

    def work(values: np.ndarray[Any, Any]) -> None:
        _core.infonce(values, np.empty_like(values), views=2, metric=0, temperature=1.0, threads=threads)

    work(z[:64].copy())
    return lambda: peak_above_idle(lambda: work(z))


def tsimcne_loss(rows: int, dimension: int, threads: int) -> Callable[[], float]:
    """Loss and gradient, the gradient's own memory included."""
    from .tsimcne import LossAndGradient

    LossAndGradient(64, dimension, threads)()
    work = LossAndGradient(rows, dimension, threads)
    return lambda: peak_above_idle(work)
