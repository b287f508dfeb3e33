"""``tsimcne-swift embed``."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import recipes
from .._estimator import TSimCNE
from .._evaluation import leave_one_out
from .._explore._folder import PAGE
from .._eyes.onnx import Onnx
from .._eyes.opening import wanted_size
from .._parameters import check_parameters
from .._stages.stage import Stage
from .._system.text import legible
from .._training.checkpoint import check_checkpoint
from .._training.one_rank import OneRank
from .._training.ranks import check_comm
from ..images import ImageCollection
from ..images._collection import encode_labels
from ._outputs import Outputs, check_room, choose_outputs, claim, write_outputs, write_somewhere
from ._sources import exit_code, load_model, read_metadata, read_source

# Variables in which Open MPI, MPICH and Slurm say how many processes there are.
PROCESSES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
# Images up to which one file holds the page well.
LARGEST_FILE = 100_000
# Time for the plane of a run that was interrupted before it came to it.
LAST_STAGE = "30s"


def embed(options: Any) -> int:
    """Read, train or load, map, and write all files."""
    with ExitStack() as claimed:
        return _embed(options, claimed)


def _embed(options: Any, claimed: ExitStack) -> int:
    started = time.perf_counter()
    comm = _communicator()
    with check_comm(comm) as ranks:
        outputs = _by_first(ranks, lambda: choose_outputs(options))
        ranks.together(lambda: claimed.enter_context(claim(outputs.page)) if ranks.leads else None)
        # What is wrong with parameters, a model or a checkpoint is known before anything is read.
        model = ranks.together(lambda: _model(options, outputs, comm))
        if ranks.leads:
            _say_older(options, outputs)
        # Read by all: where one cannot, none waits for it.
        older = None if options.model is None else model
        collection = ranks.together(lambda: read_source(options, older))
        if ranks.leads:
            _say(options, legible(f"{collection!r}"))
        if ranks.leads and outputs.page.suffix and len(collection) > LARGEST_FILE:
            _say(
                options,
                f"a page of {len(collection):,} images is large in one file: -o NAME/ makes it a folder",
            )
        ranks.together(lambda: check_room(outputs, len(collection)) if ranks.leads else None)
        metadata = ranks.together(lambda: _read_table(options, collection, ranks.leads))
        collection = ranks.together(lambda: _with_labels(options, collection, metadata))
        checkpoint: Path | None = outputs.checkpoint
        if checkpoint is not None and not options.resume:
            # A checkpoint is there with --overwrite only.
            _by_first(ranks, lambda: checkpoint.unlink(missing_ok=True))
    interrupted = False
    if checkpoint is None:
        if not ranks.leads:
            return 0
        Y = model.transform(collection)
        if Y.shape[1] != 2:
            raise ValueError(f"model: {options.model} maps to {Y.shape[1]} dimensions, want 2")
    else:
        model, interrupted = _train(model, options, checkpoint, collection)
        Y = model.embedding_
        if not ranks.leads:
            return 0
    title = legible(options.source.name)
    # A table knows better than the files.
    columns = collection.metadata | (metadata or {})
    features = _features(model, collection, checkpoint is not None)
    kept: dict[Path, Path] = {}

    def write_all(chosen: Outputs) -> None:
        kept.update(chosen.keep_older())
        _write(chosen, title, model, collection, Y, columns, features, options)

    files, error = write_somewhere(outputs, write_all)
    if checkpoint is not None and not interrupted and error is None:
        # Until now the checkpoint could have made the files again.
        checkpoint.unlink(missing_ok=True)
    if error is not None:
        print(legible(f"error: {error}; all is written to {files.page.parent} instead"), file=sys.stderr)
    result = {
        "images": len(collection), "skipped": len(collection.skipped), "others": len(collection.others),
        "interrupted": interrupted,
        "seconds": round(time.perf_counter() - started, 1),
        "files": {kind: legible(path) for kind, path in _left(files, outputs).items()},
        "older": {legible(path): legible(name) for path, name in kept.items()},
    }  # fmt: skip
    if collection.labels is not None:
        known = collection.labels >= 0
        # Of one label there is nothing to tell apart.
        counts = np.unique(collection.labels[known], return_counts=True)[1]
        if known.sum() > 2 and len(counts) > 1:
            result["knn_accuracy"] = round(leave_one_out(Y[known], collection.labels[known]), 4)
            # What a map of no use would have: the neighbours vote for the label that most images have.
            result["chance"] = round(float(counts.max() / counts.sum()), 4)
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{_summary(result)}\n{_next(files, options)}\n{legible(collection.summary())}")
    if error is not None:
        return 1
    return 130 if interrupted else exit_code(collection)


def _features(model: TSimCNE, collection: ImageCollection, trained: bool) -> npt.NDArray[np.float32]:
    """What images are compared by; a model of points knows that of those it was trained on."""
    places = model._places
    return places.rows if trained and places is not None else model.features(collection)


def _write(
    outputs: Outputs,
    title: str,
    model: TSimCNE,
    collection: ImageCollection,
    Y: npt.NDArray[np.float32],
    metadata: dict[str, Any],
    features: npt.NDArray[np.float32],
    options: Any,
) -> None:
    if outputs.model is not None:
        model.save(outputs.model)
    write_outputs(outputs, title, collection, Y, metadata, features, options)


def _model(options: Any, outputs: Outputs, comm: Any) -> TSimCNE:
    """The model that maps, or one that is to be trained; what it goes on from fits it."""
    if options.model is not None:
        if options.eyes_preset is not None:
            raise ValueError("eyes-preset: a model knows it, which excludes --eyes-preset")
        return load_model(options)
    model = TSimCNE(
        **getattr(recipes, options.recipe.upper()) | _eyes(options, outputs),
        augmentation=options.preset,
        max_time=None if options.recipe == "paper" else options.max_time,
        checkpoint=outputs.checkpoint,
        checkpoint_every="2min",
        random_state=options.seed,
        n_jobs=options.jobs,
        comm=comm,
        verbose=0 if options.json else 1,
    )
    check_parameters(model)
    if options.eyes is not None and options.size is None:
        options.size = wanted_size(model.backbone)
    if options.resume and outputs.checkpoint is not None and outputs.checkpoint.exists():
        check_checkpoint(outputs.checkpoint, model.get_params(deep=False))
    return model


def _eyes(options: Any, outputs: Outputs) -> dict[str, Any]:
    """The backbone, where eyes are given."""
    if options.eyes is None:
        if options.eyes_preset is not None:
            raise ValueError(f"eyes-preset: got {options.eyes_preset!r} without --eyes; want both")
        return {}
    if options.preset != "natural":
        raise ValueError(
            f"preset: got {options.preset!r}, but eyes look at images as they are; want --preset natural"
        )
    return {"backbone": Onnx(options.eyes, options.eyes_preset, cache=outputs.features)}


def _left(files: Outputs, outputs: Outputs) -> dict[str, Path]:
    """What a run leaves, by its kind."""
    seen = {"features": outputs.features} if outputs.checkpoint and outputs.features.exists() else {}
    return files.written() | seen


def _say_older(options: Any, outputs: Outputs) -> None:
    """Name the files of an earlier run that this one replaces, or keeps under other names."""
    names = outputs.older()
    replaced = [path for path in outputs.paths() if path.exists() and options.overwrite]
    if names:
        files, others = (", ".join(map(legible, paths)) for paths in (names, names.values()))
        _say(options, f"{files} of an earlier run will be kept as {others}; --overwrite replaces them")
    if replaced:
        _say(options, f"replaces {', '.join(map(legible, replaced))}")


def _read_table(options: Any, collection: ImageCollection, tells: bool) -> dict[str, Any] | None:
    if options.metadata is None:
        return None
    return read_metadata(
        options.metadata, collection.names, options.key, lambda text: _say(options, text) if tells else None
    )


def _with_labels(
    options: Any, collection: ImageCollection, metadata: dict[str, Any] | None
) -> ImageCollection:
    """The images with the labels of a column of the table, where one is asked for."""
    if options.label_column is None or metadata is None:
        return collection
    if options.label_column not in metadata:
        raise ValueError(
            f"label-column: got {options.label_column!r}, want one of the columns {', '.join(metadata)}"
        )
    labels, names = encode_labels(metadata[options.label_column])
    return replace(collection, labels=labels, label_names=names)


def _communicator() -> Any:
    """The communicator of the processes that mpirun or srun started together; None for one alone."""
    if not any(int(os.environ.get(name, "1")) > 1 for name in PROCESSES):
        return None
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ValueError("several processes were started together: pip install mpi4py") from error
    return MPI.COMM_WORLD if MPI.COMM_WORLD.Get_size() > 1 else None


def _by_first(ranks: OneRank, make: Callable[[], Any]) -> Any:
    """What the first of the processes makes, or its error, in all of them: files change between two looks."""
    return ranks.share(ranks.together(lambda: make() if ranks.leads else None))


def _train(
    model: TSimCNE, options: Any, checkpoint: Path, collection: ImageCollection
) -> tuple[TSimCNE, bool]:
    """A fitted model, and whether it was ended early."""
    try:
        model.fit(collection, resume=options.resume)
    except KeyboardInterrupt:
        if not checkpoint.exists():
            raise
        print("interrupted: writing the map of what was learnt so far", file=sys.stderr)
        return _as_learnt(checkpoint, collection, options, model.backbone), True
    return model, False


def _as_learnt(checkpoint: Path, collection: ImageCollection, options: Any, backbone: Any) -> TSimCNE:
    """The network of a checkpoint, with a plane made for it where training had not come to it."""
    plane = Stage(20, 2, "head", inputs="features", neighbors=min(15, len(collection) - 1), optimizer="adamw")
    learnt = TSimCNE.load(checkpoint)
    return TSimCNE(
        backbone=backbone,
        **{name: getattr(learnt, name) for name in ("width", "hidden_dim")},
        init=learnt,
        total_epochs=[plane],
        max_time=LAST_STAGE,
        random_state=options.seed,
        n_jobs=options.jobs,
    ).fit(collection)


def _say(options: Any, text: str) -> None:
    if not options.json:
        print(text, file=sys.stderr)


def _summary(result: dict[str, Any]) -> str:
    lines = [f"{result['images']:,} images in {result['seconds']:,.0f} s"]
    if "knn_accuracy" in result:
        lines.append(
            f"labels that the 15 neighbours on the map agree with: {result['knn_accuracy']:.3f} "
            f"(chance: {result['chance']:.3f})"
        )
    lines += [f"{kind}: {path}" for kind, path in result["files"].items()]
    return "\n".join(lines)


def _next(files: Outputs, options: Any) -> str:
    """What can be done with what was written."""
    page = legible(files.page if files.page.suffix else files.page / PAGE)
    lines = [f"next: open {page} in a browser"]
    model = files.model if files.model is not None else options.model
    said = [shlex.quote(legible(path)) for path in (model, options.source, model)]
    lines.append(
        f"      tsimcne-swift inspect {said[0]} {said[1]}   lists duplicates, outliers, doubtful labels"
    )
    lines.append(f"      tsimcne-swift embed NEW --model {said[2]} -o new.html   puts new images on this map")
    return "\n".join(lines)
