"""``tsimcne-swift evaluate``, ``inspect`` and ``info``."""

from __future__ import annotations

import json
import sys
from typing import Any

from .. import inspect
from .._estimator import TSimCNE
from .._evaluation import evaluate
from .._system.config import show_config
from .._system.text import legible
from ..images import ImageCollection
from ._sources import exit_code, read_source

# Neighbours that measures and lists look at.
NEIGHBORS = 15


def evaluate_model(options: Any) -> int:
    """Print measures of a model on images."""
    model = TSimCNE.load(options.model)
    collection = read_source(options, model)
    measures = evaluate(model.transform(collection), collection.labels, model.features(collection))
    _say_what_is_small(collection, measures)
    rounded = {name: round(value, 4) for name, value in measures.items()}
    if options.json:
        print(json.dumps(rounded))
    else:
        print("\n".join(f"{name}: {value:.4f}" for name, value in rounded.items()))
        print(legible(collection.summary()), file=sys.stderr)
    return exit_code(collection)


def inspect_images(options: Any) -> int:
    """Print what a map shows first."""
    model = TSimCNE.load(options.model)
    collection = read_source(options, model)
    features, top = model.features(collection), options.top
    _say_what_is_small(collection)
    names = [legible(name) for name in collection.names]
    found = inspect.duplicates(collection.images, features)
    result: dict[str, Any] = {
        "duplicates": [[names[i] for i in group] for group in found.groups[:top]],
        "outliers": [names[i] for i in inspect.outliers(model, collection)[:top]],
    }
    if collection.labels is not None:
        doubtful = inspect.mislabelled(features, collection.labels)[:top]
        result["mislabelled"] = [names[i] for i in doubtful]
    if options.json:
        print(json.dumps(result))
        return exit_code(collection)
    for kind, items in result.items():
        for item in items:
            print(f"{kind}: {item if isinstance(item, str) else ' = '.join(item)}")
    print(legible(collection.summary()), file=sys.stderr)
    return exit_code(collection)


def _say_what_is_small(collection: ImageCollection, measures: dict[str, float] | None = None) -> None:
    """Say what a small set has fewer of than others."""
    if len(collection) <= NEIGHBORS:
        said = f"each of {len(collection)} images has {len(collection) - 1} neighbours, not {NEIGHBORS}"
        print(f"note: {said}", file=sys.stderr)
    if measures is not None and collection.labels is not None and "silhouette" not in measures:
        print("note: silhouette and kmeans_ari want two labels, one of them twice", file=sys.stderr)


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
