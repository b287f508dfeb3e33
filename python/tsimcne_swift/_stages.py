"""Stages of training: what a user says of them, and what the core gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from . import recipes
from ._annealing import SHAPES as DIM_ANNEALINGS
from ._annealing import check_degrees, degrees_of_freedom, output_dimensions
from ._augmentation import Augmentation, check_augmentation
from ._validation import check_bool, check_choice, check_integer, check_number

METRICS = {"euclidean": 0, "cosine": 1, "gauss": 3}
# What the core calls the Euclidean metric with other degrees of freedom than 1.
STUDENT_T = 2
TRAINS = {"all": 0, "output": 1, "head": 2}
OUTPUT_INITS = {"keep": 0, "normal": 1, "principal": 2, "scaled": 3}
OPTIMIZERS = {"sgd": 0, "nesterov": 1, "adamw": 2, "lars": 3, "adam": 4}
SHAPES = {"cosine": 0, "constant": 1, "linear": 2, "onecycle": 3}
LR_STEPS = {"batch": 0, "epoch": 1}
LONGEST_EPOCHS = 1e9
MOST_NEIGHBORS = 1024
# Pixels a side that views have at least.
SMALLEST_VIEW = 8
INPUTS = {"views": 0, "features": 1}
LONGEST_WARMUP = 10**6
LARGEST_LR = 1e9
TEMPERATURES = (1e-6, 1e6)


@dataclass(frozen=True)
class Stage:
    """One stage of training; what is None is the estimator's.

    Parameters
    ----------
    epochs : float
        Passes over the images; a fraction ends in the middle of one.
    n_components : int or None
        Output dimension.
    trains : {"all", "output", "head"}
        All parameters, the output layer only, or the projection head only. BatchNorm uses and follows
        the batches' statistics in every case, as in the paper.
    output_init : {"keep", "normal", "principal", "scaled"} or None
        How the output layer begins: as it is; with new weights from N(0, 1); with the principal
        components of its outputs, scaled to a root-mean-square radius of 3; or as it is, moved and scaled
        to that radius. None: as it is if the dimension stays (``"scaled"`` when a Euclidean stage
        follows a cosine one, which leaves the scale free), else the estimator's ``output_init``.
    metric, temperature, dof, optimizer, lr, lr_scheduler, warmup
        As the estimator's parameters, for this stage.
    image_size : int, (height, width) or None
        Of the views, in pixels: smaller than the images, a network trains faster. None: the images'.
    augmentation : preset or Augmentation or None
        Of images, for this stage. With ``"none"``, lr=0 and trains="output" a stage brings BatchNorm's
        running statistics to the images themselves.
    neighbors : int
        0: all views are of one image. k: every view but the first is of one of its k nearest neighbours,
        by the cosine of the backbone's features (by the distance of feature vectors) when the stage
        begins. The map then keeps the neighbourhoods of the features, as t-SNE's would (Damrich et al.,
        ICLR 2023). Finding them takes time that grows with the square of n: seconds for 60,000 images.
    inputs : {"views", "features"}
        ``"features"``: the backbone's features of the images themselves, computed once, instead of random
        views. With ``neighbors`` and ``trains="head"`` (or ``"output"``): a hundred times as many steps a
        second.
    anneal_from : int or None
        The output dimension falls from this to ``n_components`` over the stage: the layer loses its last
        outputs when an epoch begins (tsimcne 0.4). One stage then goes all the way to the plane.
    dim_annealing : {"cosine", "linear", "piecewise-linear", "piecewise-cosine"}
        How it falls; the piecewise ones stay for two thirds of the stage and fall within an eighth.
    stretches : tuple of (int, int)
        What ``max_time`` did, in ``stages_`` of a fitted estimator: after ``step`` steps the stage was
        set to end ``remaining`` steps later. Given back in ``total_epochs``, it repeats that run.
    """

    epochs: float
    n_components: int | None = None
    trains: str = "all"
    output_init: str | None = None
    metric: str | None = None
    temperature: float | None = None
    dof: Any = None
    optimizer: str | None = None
    lr: float | None = None
    lr_scheduler: str | None = None
    warmup: float | None = None
    image_size: int | tuple[int, int] | None = None
    augmentation: str | Augmentation | None = None
    neighbors: int = 0
    inputs: str = "views"
    anneal_from: int | None = None
    dim_annealing: str = "cosine"
    stretches: tuple[tuple[int, int], ...] = ()

    def steps(self, steps_per_epoch: int) -> int:
        """Optimiser steps of the stage as it is written.

        Parameters
        ----------
        steps_per_epoch : int
            Whole batches of the images.

        Returns
        -------
        int
            At least 1.
        """
        return max(1, round(self.epochs * steps_per_epoch))

    @property
    def first_components(self) -> int | None:
        """Output dimension with which it begins."""
        return self.n_components if self.anneal_from is None else self.anneal_from


def paper_stages(
    epochs: Sequence[float], pretrain_dim: int, components: int, output_init: str
) -> list[Stage]:
    """One stage in many dimensions; with three, a new output layer alone and then everything."""
    stages = [
        Stage(epochs[0], pretrain_dim),
        Stage(epochs[1] if len(epochs) > 1 else 0, components, "output", output_init),
        Stage(epochs[-1], components),
    ]
    return stages[: len(epochs)]


def check_stage(stage: Stage, name: str, image: tuple[int, int] | None) -> Stage:
    """The stage with every given value checked; ``image`` is height and width, if there are any."""
    check_number(f"{name}.epochs", stage.epochs, 1e-9, LONGEST_EPOCHS)
    check_choice(f"{name}.trains", stage.trains, TRAINS)
    check_integer(f"{name}.neighbors", stage.neighbors, 0, MOST_NEIGHBORS)
    check_choice(f"{name}.inputs", stage.inputs, INPUTS)
    if stage.inputs == "features" and (stage.neighbors == 0 or stage.trains == "all"):
        raise ValueError(
            f"{name}.inputs: got 'features' with neighbors={stage.neighbors} and trains={stage.trains!r}; "
            "want neighbors, and trains='head' or 'output'"
        )
    if stage.n_components is not None:
        check_integer(f"{name}.n_components", stage.n_components, 1, 4096)
    if stage.output_init is not None:
        check_choice(f"{name}.output_init", stage.output_init, OUTPUT_INITS)
    if stage.metric is not None:
        check_choice(f"{name}.metric", stage.metric, METRICS)
    if stage.temperature is not None:
        check_number(f"{name}.temperature", stage.temperature, *TEMPERATURES)
    if stage.dof is not None:
        stage = replace(stage, dof=check_degrees(f"{name}.dof", stage.dof))
    check_choice(f"{name}.dim_annealing", stage.dim_annealing, DIM_ANNEALINGS)
    if stage.anneal_from is not None:
        check_integer(f"{name}.anneal_from", stage.anneal_from, 1, 4096)
    if stage.optimizer is not None:
        check_choice(f"{name}.optimizer", stage.optimizer, OPTIMIZERS)
    if stage.lr is not None:
        check_number(f"{name}.lr", stage.lr, 0, LARGEST_LR)
    if stage.warmup is not None:
        check_number(f"{name}.warmup", stage.warmup, 0, LONGEST_WARMUP)
    if stage.lr_scheduler is not None:
        check_choice(f"{name}.lr_scheduler", stage.lr_scheduler, SHAPES)
    return replace(
        stage,
        stretches=_check_stretches(f"{name}.stretches", stage.stretches),
        image_size=_check_size(stage.image_size, f"{name}.image_size", image),
        augmentation=_check_augmentation(stage.augmentation, f"{name}.augmentation", image),
    )


def _check_stretches(name: str, stretches: Any) -> tuple[tuple[int, int], ...]:
    is_pairs = isinstance(stretches, list | tuple) and all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in stretches
    )
    if not is_pairs:
        raise TypeError(f"{name}: got {stretches!r}, want pairs (step, remaining)")
    return tuple(
        (check_integer(name, step, 0, 1 << 40), check_integer(name, remaining, 1, 1 << 39))
        for step, remaining in stretches
    )


def _check_augmentation(value: Any, name: str, image: tuple[int, int] | None) -> Augmentation | None:
    if value is None:
        return None
    if image is None:
        raise ValueError(f"{name}: got {value!r}, but feature vectors have the estimator's; want None")
    return check_augmentation(name, value)


def _check_size(size: Any, name: str, image: tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if image is None:
        raise ValueError(f"{name}: got {size!r}, but feature vectors have none; want None")
    pair = size if isinstance(size, list | tuple) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"{name}: got {size!r}, want a number or (height, width)")
    height, width = (
        check_integer(name, part, SMALLEST_VIEW, full) for part, full in zip(pair, image, strict=True)
    )
    return height, width


def resolve(
    stages: Sequence[Stage],
    *,
    components: int,
    output_init: str,
    metrics: Sequence[str],
    temperatures: Sequence[float | None],
    dof: Any,
    rates: Sequence[float | None],
    schedulers: Sequence[str],
    warmups: Sequence[float | None],
    lr_step: str,
    optimizer: str,
    batch_size: int,
    outputs_before: int | None,
    metric_before: str | None,
    augmentation: Augmentation | None,
) -> list[Stage]:
    """Stages with nothing left open; a size of None is the images', whatever that is.

    ``outputs_before`` is the dimension of the network that training begins with: None for a new one,
    which has that of the first stage; ``metric_before`` is what it was last trained with. Every value was
    checked, but for warm-ups of stages.
    """
    result: list[Stage] = []
    outputs = outputs_before
    final = stages[-1].n_components or components
    for i, stage in enumerate(stages):
        name = f"total_epochs[{i}]"
        dimension = stage.n_components or components
        metric = stage.metric or metrics[i]
        temperature = stage.temperature if stage.temperature is not None else temperatures[i]
        if temperature is None:
            temperature = 0.5 if metric == "cosine" else 1.0
        begins = dimension if stage.anneal_from is None else stage.anneal_from
        if begins < dimension:
            raise ValueError(f"{name}.anneal_from: got {begins}, want at least n_components={dimension}")
        start = stage.output_init
        if start is None:
            start = "keep" if outputs in (None, begins) else output_init
        if outputs is None and start != "keep":
            raise ValueError(
                f"{name}.output_init: got {start!r}, but a new network can only begin with 'keep'"
            )
        if metric_before == "cosine" and metric != "cosine":
            if start == "normal":
                raise ValueError(
                    f"{name}: output_init='normal' cannot follow a cosine stage, which leaves the scale "
                    "free; want 'principal' or 'scaled'"
                )
            start = "scaled" if start == "keep" else start
        if outputs is not None:
            _check_start(name, start, begins, outputs)
        solver = stage.optimizer or optimizer
        rate = stage.lr if stage.lr is not None else rates[i]
        if rate is None:
            pretrains = outputs is None or dimension != final
            role = "pretrain" if pretrains else "plane"
            if stage.inputs == "features":
                role = "features"
            elif stage.trains == "output":
                role = "output"
            rate = recipes.LEARNING_RATES[solver][role] * batch_size / 256
        scheduler = stage.lr_scheduler or schedulers[i]
        # The estimator's warmup was checked; a stage does not know what its number counts.
        warmup = warmups[i] if stage.warmup is None else stage.warmup
        if warmup is None:
            warmup = recipes.WARMUP[scheduler]
        if lr_step == "batch":
            check_number(f"{name}.warmup", warmup, 0, 1)
        elif warmup != int(warmup):
            raise ValueError(f"{name}.warmup: got {warmup!r}, want whole epochs with lr_step='epoch'")
        result.append(
            replace(
                stage,
                n_components=dimension,
                output_init=start,
                metric=metric,
                temperature=float(temperature),
                dof=dof if stage.dof is None else stage.dof,
                optimizer=solver,
                lr=float(rate),
                lr_scheduler=scheduler,
                augmentation=stage.augmentation or augmentation,
                warmup=float(warmup),
            )
        )
        outputs, metric_before = dimension, metric
    return result


def _check_start(name: str, start: str, dimension: int, outputs: int) -> None:
    if start in ("keep", "scaled") and dimension != outputs:
        raise ValueError(
            f"{name}.output_init: got {start!r}, but n_components={dimension} and the layer has {outputs}"
        )
    if start == "principal" and dimension > outputs:
        raise ValueError(
            f"n_components: got {dimension}, more than the {outputs} outputs before ({name}); "
            "take output_init='normal' or a larger pretrain_dim"
        )


def core_fields(stage: Stage, steps_per_epoch: int, common: dict[str, float]) -> dict[str, Any]:
    """The fields of tsimcne_stage for a stage without None."""
    fields = asdict(stage)
    steps = stage.steps(steps_per_epoch)
    epochs = -(-steps // steps_per_epoch)
    outputs = [int(fields["n_components"])]
    if stage.anneal_from is not None:
        outputs = output_dimensions(stage.dim_annealing, stage.anneal_from, outputs[0], epochs)
    degrees = degrees_of_freedom(stage.dof, outputs, epochs)
    annealed_degrees = np.array(degrees if len(degrees) > 1 else [], np.float32)
    metric = METRICS[fields["metric"]]
    if stage.metric == "euclidean" and set(degrees) != {1.0}:
        metric = STUDENT_T
    height, width = fields["image_size"] or (0, 0)
    return {
        **common,
        "steps": steps,
        "output_dim": fields["n_components"],
        "output_start": OUTPUT_INITS[fields["output_init"]],
        "output_scale": 1.0 if stage.output_init == "normal" else recipes.PRINCIPAL_RADIUS,
        "trains": TRAINS[stage.trains],
        "optimizer": OPTIMIZERS[fields["optimizer"]],
        "metric": metric,
        "temperature": fields["temperature"],
        "degrees_of_freedom": degrees[0],
        "temperature_rate": common["temperature_lr"] / fields["lr"] if fields["lr"] > 0 else 0.0,
        "annealed_outputs": np.array(outputs if stage.anneal_from is not None else [], np.int32).tobytes(),
        "annealed_degrees": annealed_degrees.tobytes(),
        "learning_rate": fields["lr"],
        "warmup": fields["warmup"],
        "shape": SHAPES[fields["lr_scheduler"]],
        "view_height": height,
        "view_width": width,
        "neighbors": stage.neighbors,
        "inputs": INPUTS[stage.inputs],
        "augmentation": stage.augmentation._fields()
        if isinstance(stage.augmentation, Augmentation)
        else None,
    }


def common_fields(est: Any, stages: Sequence[Stage]) -> dict[str, float]:
    """The fields of tsimcne_stage that are the same in all stages."""
    # Adam divides by 1 - momentum at the first step.
    highest = 1 - 1e-9 if any(stage.optimizer in ("adam", "adamw") for stage in stages) else 1
    return {
        "schedule": LR_STEPS[check_choice("lr_step", est.lr_step, LR_STEPS)],
        "decays_biases": int(check_bool("decay_biases", est.decay_biases)),
        "momentum": check_number("momentum", est.momentum, 0, highest),
        "second_momentum": 0.999,
        "temperature_lr": 0.0
        if est.temperature_lr is None
        else check_number("temperature_lr", est.temperature_lr, 0, LARGEST_LR),
        "weight_decay": check_number("weight_decay", est.weight_decay, 0, 1e9),
        "clip_value": 0.0
        if est.clip_value is None
        else check_number("clip_value", est.clip_value, 1e-30, 1e30),
    }
