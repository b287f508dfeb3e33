"""``tsimcne-swift embed``."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import recipes
from .._estimator import TSimCNE
from .._evaluation import leave_one_out
from .._stages.stage import Stage
from ..images import ImageCollection
from ._sources import read_metadata, read_source

# Where Open MPI, MPICH and Slurm say how many processes there are.
PROCESSES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
# For the plane of a run that was interrupted before it came to it.
LAST_STAGE = "30s"


def embed(options: Any) -> int:
    """Read, train or load, map, and write all files."""
    started = time.perf_counter()
    output: Path = options.output
    if output.suffix != ".html":
        raise ValueError(f"output: got {output}, want a name that ends in .html")
    if not output.parent.is_dir():
        raise FileNotFoundError(f"output: there is no folder {output.parent}")
    if options.model is not None and options.resume:
        raise ValueError("resume: excludes --model, which trains nothing")
    comm = _communicator()
    follows = comm is not None and comm.Get_rank() > 0
    collection = read_source(options)
    if not follows:
        _say(options, f"{collection!r}")
    metadata = None if options.metadata is None else read_metadata(options.metadata, collection.names)
    interrupted = False
    if options.model is not None:
        model = TSimCNE.load(options.model)
        Y = model.transform(collection.images)
    else:
        model, interrupted = _train(options, collection, comm)
        Y = model.embedding_
        if follows:
            return 0
        model.save(output.with_suffix(".safetensors"))
    files = _write(options, collection, Y, metadata)
    if options.model is None:
        files["model"] = str(output.with_suffix(".safetensors"))
    result = {
        "images": len(collection), "skipped": len(collection.skipped), "interrupted": interrupted,
        "seconds": round(time.perf_counter() - started, 1), "files": files,
    }  # fmt: skip
    if collection.labels is not None and len(collection) > 2:
        known = collection.labels >= 0
        result["knn_accuracy"] = round(leave_one_out(Y[known], collection.labels[known]), 4)
    print(json.dumps(result) if options.json else _summary(result))
    return 130 if interrupted else 0


def _communicator() -> Any:
    """Of the processes that mpirun or srun started together; None of one alone."""
    if not any(int(os.environ.get(name, "1")) > 1 for name in PROCESSES):
        return None
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ValueError("several processes were started together: pip install mpi4py") from error
    return MPI.COMM_WORLD if MPI.COMM_WORLD.Get_size() > 1 else None


def _train(options: Any, collection: ImageCollection, comm: Any) -> tuple[TSimCNE, bool]:
    """A fitted model, and whether it was ended early."""
    checkpoint = options.output.with_suffix(".checkpoint")
    exists = checkpoint.exists() if comm is None else comm.bcast(checkpoint.exists())
    if exists and not options.resume:
        raise ValueError(
            f"output: {checkpoint} is of a run that was interrupted; go on with --resume, or remove it"
        )
    model = TSimCNE(
        **getattr(recipes, options.recipe.upper()),
        augmentation=options.preset,
        max_time=None if options.recipe == "paper" else options.max_time,
        checkpoint=checkpoint,
        checkpoint_every="2min",
        random_state=options.seed,
        n_jobs=options.jobs,
        comm=comm,
        verbose=0 if options.json else 1,
    )
    try:
        model.fit(collection.images, resume=options.resume)
    except KeyboardInterrupt:
        if not checkpoint.exists():
            raise
        print("interrupted: writing the map of what was learnt so far", file=sys.stderr)
        return _as_learnt(checkpoint, collection, options), True
    checkpoint.unlink(missing_ok=True)
    return model, False


def _as_learnt(checkpoint: Path, collection: ImageCollection, options: Any) -> TSimCNE:
    """The network of a checkpoint, with a plane made for it where training had not come to it."""
    plane = Stage(20, 2, "head", inputs="features", neighbors=min(15, len(collection) - 1), optimizer="adamw")
    learnt = TSimCNE.load(checkpoint)
    return TSimCNE(
        **{name: getattr(learnt, name) for name in ("backbone", "width", "hidden_dim")},
        init=learnt,
        total_epochs=[plane],
        max_time=LAST_STAGE,
        random_state=options.seed,
        n_jobs=options.jobs,
    ).fit(collection.images)


def _write(
    options: Any, collection: ImageCollection, Y: npt.NDArray[np.float32], metadata: dict[str, Any] | None
) -> dict[str, str]:
    """Page, picture and table; returns their paths."""
    import matplotlib
    import matplotlib.pyplot as plt

    from .._explore import explore
    from ..plot import scatter

    matplotlib.use("Agg")
    page, picture, table = (options.output.with_suffix(ending) for ending in (".html", ".png", ".csv"))
    explore(
        Y, collection.images, collection.labels, path=page, label_names=collection.label_names,
        names=collection.names, metadata=metadata, title=options.source.name,
    )  # fmt: skip
    figure, ax = plt.subplots(figsize=(8, 8), layout="constrained")
    scatter(Y, collection.labels, label_names=collection.label_names, title=options.source.name, ax=ax)
    figure.savefig(picture, dpi=120)
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "x", "y", "label"])
        for i, (name, (x, y)) in enumerate(zip(collection.names, Y.tolist(), strict=True)):
            label = -1 if collection.labels is None else int(collection.labels[i])
            writer.writerow(
                [name, f"{x:.6g}", f"{y:.6g}", "" if label < 0 else collection.label_names[label]]
            )
    return {"page": str(page), "picture": str(picture), "table": str(table)}


def _say(options: Any, text: str) -> None:
    if not options.json:
        print(text, file=sys.stderr)


def _summary(result: dict[str, Any]) -> str:
    lines = [f"{result['images']:,} images in {result['seconds']:,.0f} s"]
    if "knn_accuracy" in result:
        lines.append(f"kNN accuracy of the folders' names: {result['knn_accuracy']:.3f}")
    lines += [f"{kind}: {path}" for kind, path in result["files"].items()]
    return "\n".join(lines)
