"""A stage as the core takes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from .. import _core, recipes
from .annealing import degrees_of_freedom, output_dimensions
from .augmentation import Augmentation
from .stage import Stage


def core_fields(stage: Stage, steps_per_epoch: int, temperature_lr: float) -> dict[str, Any]:
    """The fields of tsimcne_stage that a stage without None decides."""
    fields = asdict(stage)
    steps = stage.steps(steps_per_epoch)
    epochs = -(-steps // steps_per_epoch)
    outputs = [int(fields["n_components"])]
    if stage.anneal_from is not None:
        outputs = output_dimensions(stage.dim_annealing, stage.anneal_from, outputs[0], epochs)
    degrees = degrees_of_freedom(stage.dof, outputs, epochs)
    annealed_degrees = np.array(degrees if len(degrees) > 1 else [], np.float32)
    metric = _core.METRICS[fields["metric"]]
    if stage.metric == "euclidean" and set(degrees) != {1.0}:
        metric = _core.METRIC_STUDENT_T
    height, width = fields["image_size"] or (0, 0)
    return {
        "steps": steps,
        "output_dim": fields["n_components"],
        "output_start": _core.OUTPUT_STARTS[fields["output_init"]],
        "output_scale": 1.0 if stage.output_init == "normal" else recipes.PRINCIPAL_RADIUS,
        "trains": _core.TRAINS[stage.trains],
        "optimizer": _core.OPTIMIZERS[fields["optimizer"]],
        "metric": metric,
        "temperature": fields["temperature"],
        "degrees_of_freedom": degrees[0],
        "temperature_rate": temperature_lr / fields["lr"] if fields["lr"] > 0 else 0.0,
        "annealed_outputs": np.array(outputs if stage.anneal_from is not None else [], np.int32).tobytes(),
        "annealed_degrees": annealed_degrees.tobytes(),
        "learning_rate": fields["lr"],
        "warmup": fields["warmup"],
        "shape": _core.SHAPES[fields["lr_scheduler"]],
        "view_height": height,
        "view_width": width,
        "neighbors": stage.neighbors,
        "inputs": _core.INPUTS[stage.inputs],
        "augmentation": stage.augmentation._fields()
        if isinstance(stage.augmentation, Augmentation)
        else None,
    }
