"""The loop over a trainer's events."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from . import _core
from ._images import Images


def run(trainer: _core.Trainer, images: Images, stages: list[Any], verbose: int) -> list[Any]:
    """Train to the end and return one record per epoch.

    Between two calls of ``advance``, at most a few hundred milliseconds apart, Python handles signals:
    Ctrl-C arrives here, and the step that ran is dropped with the trainer.
    """
    n = images.shape[0]
    history: list[dict[str, Any]] = []
    losses: list[float] = []
    started = time.perf_counter()
    bar = _bar(n * sum(int(stage["epochs"]) for stage in stages)) if verbose else None
    try:
        while True:
            event = trainer.advance()
            if event.kind == _core.BATCH_WANTED:
                trainer.supply(images.batch(np.frombuffer(event.indices, dtype=np.int64)))
            elif event.kind == _core.STEP:
                losses.append(event.loss)
                images.forget()
                if bar is not None:
                    bar.update(event.batch_count)
                    bar.set_postfix(stage=event.stage + 1, loss=f"{event.loss:.3f}", refresh=False)
                if event.step == event.steps_per_epoch - 1:
                    now = time.perf_counter()
                    history.append(
                        {
                            "stage": event.stage + 1,
                            "epoch": event.epoch + 1,
                            "loss": float(np.mean(losses)),
                            "lr": event.learning_rate,
                            "seconds": now - started,
                            "pairs_per_second": n / (now - started),
                        }
                    )
                    started = now
                    losses = []
            elif event.kind == _core.FINISHED:
                return history
    finally:
        if bar is not None:
            bar.close()


def _bar(total: int) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=total, unit="pair", unit_scale=True, desc="t-SimCNE")
