"""Maps of Dask collections: nothing is read before the result is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core


def is_lazy(X: Any) -> bool:
    """Whether X is an array or bag of Dask, which need not be installed to say so."""
    return type(X).__module__.partition(".")[0] == "dask" and hasattr(X, "__dask_graph__")


def map_lazily(model: Any, X: Any, kind: int, columns: int) -> Any:
    """A Dask array of the rows of a Dask array, or a bag of (name, row) of a bag of pictures.

    The model is a value of the graph: each worker gets its bytes once.
    """
    from dask.delayed import delayed

    # The model's name in the graph comes from its contents.
    shared = delayed(model, pure=True, traverse=False)
    if hasattr(X, "map_partitions") and not hasattr(X, "chunks"):
        return X.map_partitions(_map_pictures, shared, kind)
    import dask.array

    if X.shape[1:] != tuple(model.image_shape_) and X.shape[1:] != tuple(model.image_shape_)[: X.ndim - 1]:
        raise ValueError(f"X: got images of {X.shape[1:]}, want {model.image_shape_} as in fit")
    whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    return dask.array.map_blocks(  # type: ignore[no-untyped-call]
        _map_block,
        whole,
        model=shared,
        kind=kind,
        dtype=np.float32,
        meta=np.empty((0, columns), np.float32),
        drop_axis=list(range(1, X.ndim)),
        new_axis=[1],
        chunks=(whole.chunks[0], (columns,)),
    )


def _map_block(block: Any, model: Any, kind: int) -> Any:
    # A worker has threads of its own, and Dask runs as many blocks at a time as there are.
    return model.transform(block) if kind == _core.OUTPUT_MAP else model.features(block)


def _map_pictures(pictures: Any, model: Any, kind: int) -> list[tuple[str, Any]]:
    """Pictures are what `images.from_files` takes; what cannot be read is left out."""
    from .images import from_files

    pictures = list(pictures)
    if not pictures:
        return []
    found = from_files(pictures, like=model, progress=False)
    rows = _map_block(found.images, model, kind)
    return list(zip(found.names, rows, strict=True))
