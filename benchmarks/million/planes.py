"""Maps of vectors: rows of many columns to points of the plane. Each says when a step of it is done."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

THREADS = 2
Done = Callable[[str], None]


def ours(rows: np.ndarray, done: Done) -> np.ndarray:
    """Neighbours in the largest principal components, and points that move by themselves."""
    from tsimcne_swift import recipes
    from tsimcne_swift._algebra.directions import plane_of, reduced
    from tsimcne_swift._plane.moving import move
    from tsimcne_swift._plane.neighbors import graph_neighbors, nearest

    searched = reduced(rows, recipes.COMPARED, THREADS)
    start = plane_of(rows, THREADS)(rows)
    done("components")
    neighbors = nearest(searched, graph_neighbors(len(rows)), THREADS)
    del searched
    done("neighbours")
    points = move(neighbors, start, THREADS, lambda part: None)
    done("points")
    return points


def opentsne(rows: np.ndarray, done: Done) -> np.ndarray:
    """With its defaults."""
    from openTSNE import TSNE

    points = np.asarray(TSNE(n_jobs=THREADS, random_state=0).fit(rows))
    done("all")
    return points


def umap(rows: np.ndarray, done: Done) -> np.ndarray:
    """With its defaults, on all threads."""
    from umap import UMAP

    points = UMAP(n_jobs=THREADS).fit_transform(rows)
    done("all")
    return points


PLANES = {"ours": ours, "openTSNE": opentsne, "UMAP": umap}
