"""An estimator's parameters as JSON, and back."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import Any

import numpy as np

from .._eyes.onnx import Onnx
from .._parameters import PARAMETERS
from .._stages.augmentation import Augmentation, FeatureAugmentation
from .._stages.stage import Stage

CLASSES = {
    "Augmentation": Augmentation,
    "FeatureAugmentation": FeatureAugmentation,
    "Onnx": Onnx,
    "Stage": Stage,
}

# Levels of lists in lists that a file may have; those of layers within layers have 64.
DEEPEST = 100


def to_json(value: Any) -> Any:
    """A parameter as JSON; None for one that has no JSON, such as a random generator."""
    if isinstance(value, Onnx):
        # Where a cache lies is of this process, and what is in a network's file is not JSON.
        path = None if isinstance(value.path, bytes) else os.fspath(value.path)
        value = replace(value, path=path, cache=None)
    if type(value).__name__ in CLASSES:
        return {type(value).__name__: {f.name: to_json(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [to_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return None


def params_to_json(params: dict[str, Any]) -> dict[str, Any]:
    """All parameters that a file keeps, as JSON."""
    return {
        name: to_json(value)
        for name, value in params.items()
        if PARAMETERS[name].kept and not (name == "augmentation" and is_function(value))
    }


def is_function(value: Any) -> bool:
    """Whether an augmentation is a function of the user's, which no file keeps."""
    return callable(value) and type(value).__name__ not in CLASSES


def from_json(value: Any, depth: int = 0) -> Any:
    """The parameter that JSON stands for; sequences become lists, those of a stage tuples.

    Raises
    ------
    RecursionError
        For what is nested more deeply than any parameter is, on every Python alike.
    """
    if depth > DEEPEST:
        raise RecursionError(f"more than {DEEPEST} levels")
    if isinstance(value, list):
        return [from_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        (name,) = value if len(value) == 1 else ("",)
        if name not in CLASSES:
            # The value is the options of a layer.
            return {key: from_json(item, depth + 1) for key, item in value.items()}
        parts = {key: from_json(part, depth + 1) for key, part in value[name].items()}
        if name == "Stage":
            parts["stretches"] = tuple(tuple(pair) for pair in parts["stretches"])
            if isinstance(parts["image_size"], list):
                parts["image_size"] = tuple(parts["image_size"])
        if name == "Onnx":
            parts["cache"] = None
        return CLASSES[name](**parts)
    return value
