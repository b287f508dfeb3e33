"""A stage of training, as a user says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .. import _core
from .._checks.core_limits import check_real, check_whole
from .._checks.values import check_choice, check_integer, check_number
from .annealing import SHAPES as DIM_ANNEALINGS
from .annealing import check_degrees
from .augmentation import Augmentation, check_augmentation

# Student's t is the Euclidean metric with other degrees of freedom than 1.
METRICS = [metric for metric in _core.METRICS if metric != "student_t"]
LONGEST_EPOCHS = 1e9
# Fewest pixels that a side of a view has.
SMALLEST_VIEW = 8


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
        Values for this stage, as for the estimator's parameters.
    image_size : int, (height, width) or None
        Size of the views, in pixels: with views smaller than the images, a network trains faster. None: the
        images' size.
    augmentation : preset or Augmentation or None
        Random views of images in this stage. With ``"none"``, lr=0 and trains="output" a stage brings
        BatchNorm's running statistics to the images themselves.
    neighbors : int
        Number k of neighbours. 0: all views are of one image. Else every view but the first is of one of its
        k nearest neighbours, by the cosine of the backbone's features (by the distance of feature vectors)
        when the stage begins. The map then keeps the neighbourhoods of the features, as t-SNE's would
        (Damrich et al., ICLR 2023). Finding them takes time that grows with the square of n: seconds for
        60,000 images.
    inputs : {"views", "features"}
        ``"features"``: the backbone's features of the images themselves, computed once, instead of random
        views. With ``neighbors`` and ``trains="head"`` (or ``"output"``): a hundred times as many steps a
        second.
    anneal_from : int or None
        The output dimension falls from this to ``n_components`` over the stage: the layer loses its last
        outputs when an epoch begins (tsimcne 0.4). One stage then goes all the way to the plane.
    dim_annealing : {"cosine", "linear", "piecewise-linear", "piecewise-cosine"}
        Way in which it falls; the piecewise ones stay for two thirds of the stage and fall within an eighth.
    stretches : tuple of (int, int)
        Changes that ``max_time`` made, in ``stages_`` of a fitted estimator: after ``step`` steps the stage
        was set to end ``remaining`` steps later. Given back in ``total_epochs``, they repeat that run.
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
            Number of steps, at least 1.
        """
        return max(1, round(self.epochs * steps_per_epoch))

    @property
    def first_components(self) -> int | None:
        """Output dimension with which the stage begins."""
        return self.n_components if self.anneal_from is None else self.anneal_from


def check_stage(stage: Stage, name: str, image: tuple[int, int] | None) -> Stage:
    """The stage with every given value checked; ``image`` is height and width, if there are any."""
    check_number(f"{name}.epochs", stage.epochs, 1e-9, LONGEST_EPOCHS)
    check_choice(f"{name}.trains", stage.trains, _core.TRAINS)
    check_whole(f"{name}.neighbors", stage.neighbors, "stage", "neighbors")
    check_choice(f"{name}.inputs", stage.inputs, _core.INPUTS)
    if stage.inputs == "features" and (stage.neighbors == 0 or stage.trains == "all"):
        raise ValueError(
            f"{name}.inputs: got 'features' with neighbors={stage.neighbors} and trains={stage.trains!r}; "
            "want neighbors, and trains='head' or 'output'"
        )
    if stage.n_components is not None:
        check_whole(f"{name}.n_components", stage.n_components, "stage", "output_dim")
    if stage.output_init is not None:
        check_choice(f"{name}.output_init", stage.output_init, _core.OUTPUT_STARTS)
    if stage.metric is not None:
        check_choice(f"{name}.metric", stage.metric, METRICS)
    if stage.temperature is not None:
        check_real(f"{name}.temperature", stage.temperature, "stage", "temperature")
    if stage.dof is not None:
        stage = replace(stage, dof=check_degrees(f"{name}.dof", stage.dof))
    check_choice(f"{name}.dim_annealing", stage.dim_annealing, DIM_ANNEALINGS)
    if stage.anneal_from is not None:
        check_whole(f"{name}.anneal_from", stage.anneal_from, "stage", "output_dim")
    if stage.optimizer is not None:
        check_choice(f"{name}.optimizer", stage.optimizer, _core.OPTIMIZERS)
    if stage.lr is not None:
        check_real(f"{name}.lr", stage.lr, "stage", "learning_rate")
    if stage.warmup is not None:
        check_real(f"{name}.warmup", stage.warmup, "stage", "warmup")
    if stage.lr_scheduler is not None:
        check_choice(f"{name}.lr_scheduler", stage.lr_scheduler, _core.SHAPES)
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
