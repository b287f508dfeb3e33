"""A map while it forms."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .._checks.labels import read_labels
from .._checks.maps import check_plane
from .._checks.values import check_integer
from .._storage.safetensors import check_path
from .._system.text import legible
from .._system.writing import write
from ._colors import colors_for, colors_of
from ._frame import frame


def animation(
    maps: Sequence[Any],
    path: str | os.PathLike[str],
    labels: Any = None,
    *,
    between: int = 8,
    fps: int = 20,
    titles: Sequence[str] | None = None,
) -> None:
    """Write maps of the same images, one after the other, as a film.

    Parameters
    ----------
    maps : sequence of array-like of shape (n, 2)
        Two maps at least, as a callback collected them (`tsimcne_swift.callbacks`).
    path : path
        File that ends in ``.gif``, or in ``.mp4``, which wants ffmpeg.
    labels : array-like of shape (n,), or None
        Classes, as in `scatter`.
    between : int, default=8
        Pictures from one map to the next: points glide.
    fps : int, default=20
        Pictures a second.
    titles : sequence of str or None
        Titles of the maps.
    """
    import matplotlib.pyplot as plt
    from matplotlib.animation import FFMpegWriter, PillowWriter

    ends = [check_plane(Y) for Y in maps]
    if len(ends) < 2 or len({len(Y) for Y in ends}) != 1:
        raise ValueError(
            f"maps: got {[len(Y) for Y in ends]} points, want two maps or more of the same images"
        )
    ending = os.path.splitext(check_path("path", path))[1].lower()
    if ending not in (".gif", ".mp4"):
        raise ValueError(f"path: got {os.fspath(path)!r}, want a name that ends in .gif or .mp4")
    check_integer("between", between, 1, 1000)
    writer = (PillowWriter if ending == ".gif" else FFMpegWriter)(fps=check_integer("fps", fps, 1, 120))
    n = len(ends[0])
    colors = colors_of(1)[0] if labels is None else colors_for(read_labels(labels, n))
    figure, ax = plt.subplots(figsize=(6, 6), layout="constrained")
    points = ax.scatter(ends[0][:, 0], ends[0][:, 1], s=4, c=colors, linewidths=0)
    with TemporaryDirectory() as folder:
        # The writers want a name, and ffmpeg writes the file itself.
        draft = Path(folder) / f"film{ending}"
        with writer.saving(figure, str(draft), dpi=100):
            for number, (before, after) in enumerate(pairwise(ends)):
                for step in range(between):
                    share = 0.5 - 0.5 * np.cos(np.pi * step / between)
                    Y = (1 - share) * before + share * after
                    _show(ax, points, Y, titles[number] if titles else None, writer)
            for _ in range(fps):
                _show(ax, points, ends[-1], titles[-1] if titles else None, writer)
        write(path, draft.read_bytes())
    plt.close(figure)


def _show(ax: Any, points: Any, Y: Any, title: str | None, writer: Any) -> None:
    frame(ax, Y)
    points.set_offsets(Y)
    if title is not None:
        ax.set_title(legible(title))
    writer.grab_frame()
