"""Maps of vectors: rows of many columns to points of the plane."""

from __future__ import annotations

import numpy as np

THREADS = 2


def ours(rows: np.ndarray) -> np.ndarray:
    """Neighbours in the largest principal components, and points that move by themselves."""
    from tsimcne_swift import recipes
    from tsimcne_swift._algebra.directions import components, reduced
    from tsimcne_swift._plane.moving import move
    from tsimcne_swift._plane.neighbors import graph_neighbors, nearest

    searched = reduced(rows, recipes.COMPARED, THREADS)
    neighbors = nearest(searched, graph_neighbors(len(rows)), THREADS)
    del searched
    return move(neighbors, components(rows, THREADS), THREADS, lambda part: None)


def opentsne(rows: np.ndarray) -> np.ndarray:
    """With its defaults."""
    from openTSNE import TSNE

    return np.asarray(TSNE(n_jobs=THREADS, random_state=0).fit(rows))


def umap(rows: np.ndarray) -> np.ndarray:
    """With its defaults, on all threads."""
    from umap import UMAP

    return UMAP(n_jobs=THREADS).fit_transform(rows)


PLANES = {"ours": ours, "openTSNE": opentsne, "UMAP": umap}
