"""``tsimcne-swift evaluate``, ``inspect`` and ``info``."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import inspect
from .._estimator import TSimCNE
from .._evaluation import evaluate
from .._system.config import show_config
from .._system.text import legible, to_csv
from .._system.writing import write
from ..images import ImageCollection
from ._moving import check_folder, copies, move
from ._sources import exit_code, load_model, read_source

# Neighbours that measures and lists look at.
NEIGHBORS = 15


def evaluate_model(options: Any) -> int:
    """Print measures of a model on images."""
    model = load_model(options)
    collection = read_source(options, model)
    has_labels = collection.labels is not None and (collection.labels >= 0).sum() > 1
    measures = evaluate(
        model.transform(collection),
        collection.labels if has_labels else None,
        model.features(collection),
    )
    _say_what_is_small(collection, measures)
    rounded = {name: round(value, 4) for name, value in measures.items()}
    if options.json:
        print(json.dumps(rounded))
    else:
        print("\n".join(f"{name}: {value:.4f}" for name, value in rounded.items()))
        print(legible(collection.summary()), file=sys.stderr)
    return exit_code(collection)


def inspect_images(options: Any) -> int:
    """Print what a map shows first; list it, and move copies, where that is asked for."""
    if options.list is not None and options.list.exists() and not options.overwrite:
        raise ValueError(f"list: got {options.list}, there already; --overwrite replaces it")
    if options.move_to is not None:
        check_folder(options.source, options.move_to)
    model = load_model(options)
    collection = read_source(options, model)
    features, top = model.features(collection), options.top
    _say_what_is_small(collection)
    names = [legible(name) for name in collection.names]
    found = inspect.duplicates(collection.images, features, also=("cropped",) if options.cropped else ())
    result: dict[str, Any] = {
        "duplicates": [[names[i] for i in group] for group in found.groups[:top]],
        "duplicate_distances": [round(float(distance), 2) for distance in found.distances[:top]],
        "duplicate_kinds": found.kinds[:top],
        "outliers": [names[i] for i in inspect.outliers(model, collection)[:top]],
    }
    if collection.labels is not None:
        doubtful = inspect.mislabelled(features, collection.labels)[:top]
        result["mislabelled"] = [names[i] for i in doubtful]
    if options.list is not None:
        islands = inspect.clusters(model.transform(collection))
        write(options.list, to_csv(COLUMNS, _rows(collection, islands, found)))
        result["list"] = legible(options.list)
    if options.move_to is not None:
        exact = [
            [collection.names[i] for i in group]
            for group, kind in zip(found.groups, found.kinds, strict=True)
            if kind == "exact"
        ]
        moved = copies(options.source, exact)
        move(options.source, moved, options.move_to)
        result["moved"] = [legible(name) for name in moved]
    if options.json:
        print(json.dumps(result))
        return exit_code(collection)
    listed = zip(result["duplicates"], result["duplicate_kinds"], result["duplicate_distances"], strict=True)
    for names_of, kind, distance in listed:
        is_exact = kind == "exact"
        said = "duplicates" if is_exact else f"{kind} duplicates ({distance:.1f} grey levels)"
        print(f"{said}: {(' = ' if is_exact else ' ~ ').join(names_of)}")
    for kind in ("outliers", "mislabelled", "moved"):
        for name in result.get(kind, []):
            print(f"{kind}: {name}")
    print(legible(collection.summary()), file=sys.stderr)
    return exit_code(collection)


def _say_what_is_small(collection: ImageCollection, measures: dict[str, float] | None = None) -> None:
    """Say what a small set has fewer of than others."""
    if len(collection) <= NEIGHBORS:
        said = f"each of {len(collection)} images has {len(collection) - 1} neighbours, not {NEIGHBORS}"
        print(f"note: {said}", file=sys.stderr)
    if measures is not None and collection.labels is not None and "silhouette" not in measures:
        print("note: silhouette and kmeans_ari want two labels, one of them twice", file=sys.stderr)


COLUMNS = ("file", "label", "island", "group", "kind", "distance", "first")


def _rows(
    collection: ImageCollection, islands: npt.NDArray[np.int64], found: inspect.Duplicates
) -> list[list[float | str]]:
    """A row for each image, and one for each further group that it is in."""
    groups: dict[int, list[tuple[int, str, float, str]]] = {}
    listed = zip(found.groups, found.kinds, found.distances.tolist(), strict=True)
    for number, (group, kind, distance) in enumerate(listed, 1):
        for i in group.tolist():
            groups.setdefault(i, []).append(
                (number, kind, round(distance, 2), "yes" if i == group[0] else "no")
            )
    rows: list[list[float | str]] = []
    for i, name in enumerate(collection.names):
        code = -1 if collection.labels is None else int(collection.labels[i])
        label = "" if code < 0 else collection.label_names[code]
        island = "" if islands[i] < 0 else int(islands[i])
        rows += [[name, label, island, *row] for row in groups.get(i, [("", "", "", "")])]
    return rows


def info(options: Any) -> int:
    """Print a model's parameters, or the build."""
    result = dict(show_config())
    if options.model is not None:
        model = TSimCNE._read(options.model)
        eyes = model._eyes
        result = {
            "image_shape": list(model.image_shape_), "n_components": model.n_components,
            "backbone": model.backbone if eyes is None else "Onnx", "width": model.width,
            "epochs": list(model.total_epochs_),
        }  # fmt: skip
        if eyes is not None:
            result["eyes"] = eyes.sight.written() if options.json else legible(str(eyes.sight))
    if options.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name}: {value}" for name, value in result.items()))
    return 0
