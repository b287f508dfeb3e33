"""Views of images (shifted, turned, parts of them) in few numbers, and the images that look like them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._algebra.directions import ROWS, directions
from .._algebra.linear import Linear, to_unit_length
from .._plane.neighbors import nearest, nearest_to

# Cells a side that a view is averaged over: noise, compression and resizing do not show. Principal components
# of them that are compared. Cells a side of what differences are of.
CELLS, COMPONENTS, THUMBNAIL = 8, 24, 16
# Cells a side of images that views are made from; most of their values.
FINE, INPUTS = 32, 65536
# Views are moved and enlarged by these steps; the smallest part of an image that they show.
STEPS, SMALLEST = (0.04, 0.02, 0.02, 0.01, 0.01), 0.5
# A part that grows grows about its middle.
MOVES = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (-0.5, -0.5, 1), (0.5, 0.5, -1))
# Images, and values of them, that are looked at a time.
CHUNK, VALUES = 2048, 2**25

Rows = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.int64]
Views = npt.NDArray[np.float64]


class View(NamedTuple):
    """What is seen of an image: a part of it, then turned; a row of an array of views, (n, 4).

    Parameters
    ----------
    top, left, side : float
        The part, as shares of height and width; what lies outside is as the edge.
    turn : int
        Right angles; and mirrored from 4 on.
    """

    top: float = 0
    left: float = 0
    side: float = 1
    turn: int = 0


class Gallery:
    """All images of a set in principal components of their coarse look.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8
    normalized : bool, default=False
        Whether brightness and contrast say nothing.
    """

    def __init__(self, images: npt.NDArray[np.uint8], normalized: bool = False) -> None:
        self._images, self._normalized = images, normalized
        n, height, width, channels = images.shape
        self._some = max(1, min(CHUNK, VALUES // (height * width * channels)))
        most = min(FINE, int((INPUTS / channels) ** 0.5))
        self.grid = min(most, height), min(most, width)
        places = np.unique(np.linspace(0, n - 1, min(n, ROWS)).astype(np.int64))
        coarse = self._pooled(places, np.array([View()]), CELLS).reshape(len(places), -1)
        wanted = min(COMPONENTS, *coarse.shape)
        if normalized:
            coarse -= coarse.mean(axis=1, keepdims=True)
        mean, basis, _ = directions(coarse, wanted, 0)
        self._basis = basis.reshape(wanted, CELLS, CELLS, channels)
        # Contrast is about an image's own mean, not about that of all.
        self._shift = np.zeros(wanted, np.float32) if normalized else -np.einsum("ki,i->k", basis, mean)
        self.rows = self.seen([View()])[0]

    def seen(self, views: list[View]) -> Rows:
        """All images in each view, (views, n, components)."""
        matrix = np.concatenate([self._matrix(view) for view in views])
        look = Linear(matrix.T, np.tile(self._shift, len(views)))
        result = np.empty((len(views), len(self._images), len(self._shift)), np.float32)
        for start in range(0, len(self._images), self._some):
            part = means(self._images[start : start + self._some], *self.grid)
            found = look(part.reshape(len(part), -1), 0).reshape(len(part), len(views), -1)
            result[:, start : start + self._some] = found.transpose(1, 0, 2)
        if self._normalized:
            to_unit_length(result.reshape(-1, len(self._shift)))
        return result

    def neighbors(self, count: int) -> npt.NDArray[np.int64]:
        """The images that look most like each."""
        return nearest(self.rows, count, 0).astype(np.int64)

    def near(self, queries: Rows, count: int) -> npt.NDArray[np.int64]:
        """The images that look most like each query; it may be a view of one of them."""
        return nearest_to(queries, self.rows, min(count, len(self.rows)), 0).astype(np.int64)

    def distances(self, queries: Rows, pairs: Pairs) -> npt.NDArray[np.float64]:
        """How far the second of each pair is from the query of the first."""
        far = np.linalg.norm(queries[pairs[:, 0]] - self.rows[pairs[:, 1]], axis=1)
        return np.asarray(far, np.float64)

    def distance(self, difference: float) -> float:
        """How far images look from one another, at most, that differ by so many grey levels."""
        return float(difference * self._basis[0].size ** 0.5)

    def differences(self, pairs: Pairs, views: Views) -> npt.NDArray[np.float64]:
        """Root-mean-square difference at 16×16 of the second of each pair from its view of the first."""
        result = np.empty(len(pairs))
        for start in range(0, len(pairs), self._some):
            part = slice(start, start + self._some)
            first = self._pooled(pairs[part, 0], views[part], THUMBNAIL)
            second = self._pooled(pairs[part, 1], np.array([View()]), THUMBNAIL)
            error = (first - second) ** 2
            # At the borders a shifted image shows something else.
            outside = (views[part, :2].min(axis=1) < 0) | (views[part, :2].max(axis=1) + views[part, 2] > 1)
            inner = error[:, 1:-1, 1:-1].mean(axis=(1, 2, 3))
            result[part] = np.sqrt(np.where(outside, inner, error.mean(axis=(1, 2, 3))))
        return result

    def closest(self, pairs: Pairs, views: Views) -> tuple[Views, npt.NDArray[np.float64]]:
        """For each pair the part of the first, near to that of a view, that differs least from the second at
        16×16; and by how much.
        """
        views, least = views.copy(), np.empty(len(pairs))
        for start in range(0, len(pairs), self._some):
            part = slice(start, start + self._some)
            planes = means(self._images[pairs[part, 0]], *self.grid).mean(axis=3)
            second = self._pooled(pairs[part, 1], np.array([View()]), THUMBNAIL).mean(axis=3)

            def differences(of: Views, planes: Rows = planes, second: Rows = second) -> Rows:
                rows = _shares(planes.shape[1], of[:, 0], of[:, 2], THUMBNAIL)
                columns = _shares(planes.shape[2], of[:, 1], of[:, 2], THUMBNAIL)
                error = rows @ planes @ columns.transpose(0, 2, 1) - second
                return np.asarray(np.sqrt((error**2).mean(axis=(1, 2))), np.float32)

            found = views[part]
            nearest = differences(found)
            for step in STEPS:
                for move in MOVES:
                    tried = found.copy()
                    tried[:, :3] += step * np.array(move)
                    tried[:, 2] = np.clip(tried[:, 2], SMALLEST, 1)
                    tried[:, :2] = np.clip(tried[:, :2], 0, 1 - tried[:, 2:3])
                    far = differences(tried)
                    is_less = far < nearest
                    found[is_less], nearest[is_less] = tried[is_less], far[is_less]
            least[part] = nearest
        return views, least

    def _pooled(self, places: npt.NDArray[np.int64], views: Views, cells: int) -> Rows:
        """Means of views of these images, each its own or all the same, over so many cells a side."""
        height, width = self.grid
        parts = []
        for start in range(0, len(places), self._some):
            some = slice(start, start + self._some)
            fine = means(self._images[places[some]], *self.grid)
            of = views[some] if len(views) > 1 else views
            rows = _shares(height, of[:, 0], of[:, 2], cells)
            columns = _shares(width, of[:, 1], of[:, 2], cells)
            planes = np.moveaxis(fine, 3, 1)
            pooled = rows[:, None] @ planes @ columns[:, None].transpose(0, 1, 3, 2)
            for turn in np.unique(of[:, 3]).astype(int).tolist():
                which = np.broadcast_to(of[:, 3] == turn, len(pooled))
                pooled[which] = turned(pooled[which], turn)
            parts.append(np.moveaxis(pooled, 1, 3))
        return np.ascontiguousarray(np.concatenate(parts))

    def _matrix(self, view: View) -> Rows:
        """Components of a view from an image's cells."""
        height, width = self.grid
        rows = _shares(height, np.array([view.top]), np.array([view.side]), CELLS)[0]
        columns = _shares(width, np.array([view.left]), np.array([view.side]), CELLS)[0]
        basis = unturned(self._basis, view.turn)
        matrix = np.einsum("kcei,cy,ex->kyxi", basis, rows, columns, optimize=True)
        return np.asarray(matrix.reshape(len(basis), -1), np.float32)


def _shares(length: int, starts: npt.NDArray[np.float64], sides: npt.NDArray[np.float64], cells: int) -> Rows:
    """The share that each pixel of a line has in each cell of parts of it, (parts, cells, length)."""
    edges = (starts[:, None] + sides[:, None] * np.arange(cells + 1) / cells) * length
    pixels = np.arange(length + 1.0)
    lows, highs = pixels[:-1].copy(), pixels[1:].copy()
    lows[0], highs[-1] = -np.inf, np.inf
    common = np.minimum(edges[:, 1:, None], highs) - np.maximum(edges[:, :-1, None], lows)
    shares = np.maximum(0, common) * (cells / length) / sides[:, None, None]
    return np.asarray(shares, np.float32)


def between(length: int, starts: npt.NDArray[np.float64], sides: npt.NDArray[np.float64]) -> Rows:
    """The weights by which the pixels of a line give parts of it in as many pixels, by linear interpolation,
    (parts, length, length).
    """
    places = (starts[:, None] + sides[:, None] * (np.arange(length) + 0.5) / length) * length - 0.5
    distances = np.abs(np.clip(places, 0, length - 1)[:, :, None] - np.arange(length))
    return np.asarray(np.maximum(0, 1 - distances), np.float32)


def means(images: npt.NDArray[np.uint8], rows: int, columns: int) -> Rows:
    """Means over a grid of cells."""
    _, height, width, _ = images.shape
    values = images.astype(np.float32)
    if (rows, columns) == (height, width):
        return values
    tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    cells = np.diff([*tops, height])[:, None] * np.diff([*lefts, width])
    sums = np.add.reduceat(np.add.reduceat(values, tops, axis=1), lefts, axis=2)
    return np.asarray(sums / cells[:, :, None], np.float32)


def turned(images: Rows, turn: int) -> Rows:
    """Images (…, height, width) turned by so many right angles, and mirrored from 4 on."""
    result = np.rot90(images, turn % 4, axes=(-2, -1))
    return result[..., ::-1] if turn >= 4 else result


def unturned(images: Rows, turn: int) -> Rows:
    """Images (n, height, width, channels) turned back."""
    result = images[:, :, ::-1] if turn >= 4 else images
    return np.rot90(result, -turn % 4, axes=(1, 2))
