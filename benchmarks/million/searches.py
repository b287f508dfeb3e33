"""Searches of the 15 nearest, each from rows to a table (n, 15)."""

from __future__ import annotations

import numpy as np

K = 15
THREADS = 2


def exact(rows: np.ndarray) -> np.ndarray:
    """All with all, in the core."""
    from tsimcne_swift._plane import neighbors

    neighbors.EXACT = len(rows)
    return neighbors.nearest(rows, K, THREADS)


def ours(rows: np.ndarray) -> np.ndarray:
    """What the library does with very many rows."""
    from tsimcne_swift._plane import neighbors

    neighbors.EXACT = 0
    return neighbors.nearest(rows, K, THREADS)


def pynndescent(rows: np.ndarray) -> np.ndarray:
    """With its defaults, compiled before."""
    import pynndescent

    return pynndescent.NNDescent(rows, n_neighbors=K + 1, n_jobs=THREADS, random_state=0).neighbor_graph[0][
        :, 1:
    ]


def hnswlib(rows: np.ndarray) -> np.ndarray:
    """M = 16, 200 candidates while it is built, 100 while it is asked."""
    import hnswlib

    index = hnswlib.Index(space="l2", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), M=16, ef_construction=200, random_seed=0)
    index.add_items(rows, num_threads=THREADS)
    index.set_ef(100)
    return _others(index.knn_query(rows, k=K + 1, num_threads=THREADS)[0])


def faiss_cells(rows: np.ndarray) -> np.ndarray:
    """An inverted file, a fifth of whose cells are looked at."""
    import faiss

    faiss.omp_set_num_threads(THREADS)
    cells = int(np.sqrt(len(rows)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(rows.shape[1]), rows.shape[1], cells)
    index.train(rows)
    index.add(rows)
    index.nprobe = cells // 5
    return _others(index.search(rows, K + 1)[1])


def faiss_graph(rows: np.ndarray) -> np.ndarray:
    """NN-descent of faiss, 32 neighbours kept."""
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexNNDescentFlat(rows.shape[1], 32)
    index.add(rows)
    return _others(faiss.vector_to_array(index.nndescent.final_graph).reshape(len(rows), -1))


def _others(found: np.ndarray) -> np.ndarray:
    """The first K of each line without the row itself."""
    is_other = found != np.arange(len(found))[:, None]
    order = np.argsort(~is_other, axis=1, kind="stable")[:, :K]
    return np.take_along_axis(found, order, axis=1)


SEARCHES = {
    "exact": exact,
    "ours": ours,
    "pynndescent": pynndescent,
    "hnswlib": hnswlib,
    "faiss_cells": faiss_cells,
    "faiss_graph": faiss_graph,
}
