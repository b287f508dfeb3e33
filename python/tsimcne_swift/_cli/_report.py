"""``tsimcne-swift evaluate``, ``inspect`` and ``info``."""

from __future__ import annotations

import json
from typing import Any

from .. import inspect
from .._estimator import TSimCNE
from .._evaluation import evaluate
from .._system.config import show_config
from .._system.text import legible
from ._sources import read_source


def evaluate_model(options: Any) -> int:
    """Print measures of a model on images."""
    model = TSimCNE.load(options.model)
    collection = read_source(options)
    measures = evaluate(
        model.transform(collection.images), collection.labels, model.features(collection.images)
    )
    rounded = {name: round(value, 4) for name, value in measures.items()}
    if options.json:
        print(json.dumps(rounded))
    else:
        print("\n".join(f"{name}: {value:.4f}" for name, value in rounded.items()))
    return 0


def inspect_images(options: Any) -> int:
    """Print what a map shows first."""
    model = TSimCNE.load(options.model)
    collection = read_source(options)
    features, top = model.features(collection.images), options.top
    names = [legible(name) for name in collection.names]
    found = inspect.duplicates(collection.images, features)
    result: dict[str, Any] = {
        "duplicates": [[names[i] for i in group] for group in found.groups[:top]],
        "duplicate_distances": [round(float(distance), 2) for distance in found.distances[:top]],
        "outliers": [names[i] for i in inspect.outliers(model, collection.images)[:top]],
    }
    if collection.labels is not None:
        doubtful = inspect.mislabelled(features, collection.labels)[:top]
        result["mislabelled"] = [names[i] for i in doubtful]
    if options.json:
        print(json.dumps(result))
        return 0
    for group, distance in zip(result["duplicates"], result.pop("duplicate_distances"), strict=True):
        print(
            "duplicates: " + " = ".join(group)
            if distance == 0
            else f"near duplicates, {distance:.1f} grey levels: {' ~ '.join(group)}"
        )
    for kind in result.keys() - {"duplicates"}:
        for name in result[kind]:
            print(f"{kind}: {name}")
    return 0


def info(options: Any) -> int:
    """Print a model's parameters, or the build."""
    result = dict(show_config())
    if options.model is not None:
        model = TSimCNE.load(options.model)
        result = {
            "image_shape": list(model.image_shape_), "n_components": model.n_components,
            "backbone": model.backbone, "width": model.width, "epochs": list(model.total_epochs_),
        }  # fmt: skip
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name}: {value}" for name, value in result.items()))
    return 0
