"""Whether two images show the same: their difference, beside what differs in the set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._system.config import show_config

# Images are compared with at most so many pixels a side, and are shifted by up to a 32nd of it.
LARGEST, SHIFT = 64, 32
# Widths of Gaussians in pixels: below the first is grain, above the second are things. Colours are compared
# more coarsely, as compression keeps them so.
FINE, COARSE, OF_COLORS = 1.0, 2.0, 4.0
# Of white noise with deviation 1: what the first Gaussian takes away has this deviation, and what the second
# leaves that one.
NOISE_LEFT, NOISE_SMOOTHED = 0.872, 0.141
# The largest of some thousand values of noise, in deviations; and how uncertain the noise is.
HIGHEST, UNCERTAIN = 3.5, 0.5
BRIGHTNESS = (0.299, 0.587, 0.114)
CHUNK = 256
# Share of what differs between neighbours in the set that may differ between duplicates; and the share of an
# image's own contrast that is taken for it, at least.
ALLOWED, OWN = 0.3, 0.15
# Correlation of grain that chance makes, times the root of the pixels; and grain in grey levels below which
# compression leaves none.
CHANCE, GRAINLESS = 4.8, 0.8
# Share below which less of the same grain is wanted, and none where there is none; and how fast a larger one
# wants more of it, and how much smaller it must be where different images have the same.
CERTAIN, PLAIN = 0.06, 0.17
STRICTER, COMMON = 0.67, 0.25


@dataclass(frozen=True)
class Comparison:
    """Of pairs of images, aligned.

    Parameters
    ----------
    thing : ndarray
        Largest local difference beyond what noise makes, in grey levels: a thing that one of them lacks.
    noise : ndarray
        Deviation of smoothed noise in their difference.
    grain : ndarray
        Correlation of their finest structure: 0 for grain of their own, 1 for the same.
    strength : ndarray
        Deviation of the stronger grain of the two.
    weaker : ndarray
        Deviation of the weaker one, as a share of it.
    """

    thing: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]
    grain: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]
    weaker: npt.NDArray[np.float64]


class Likeness:
    """What the images of a set have in common, and what tells copies from others.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8
    """

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self._images = images
        _, height, width, _ = images.shape
        self._step = min(-(-max(height, width) // LARGEST), height, width)
        side = min(height, width) // self._step
        self._scale = min(1.0, side / 24)
        self._shift = -(-side // SHIFT) if side >= 12 else 0
        self._chance = CHANCE / max(1, height // self._step * (width // self._step)) ** 0.5
        self._common = 1.0
        self._differs: npt.NDArray[np.float64] = np.zeros(len(images))

    def learn(self, others: npt.NDArray[np.int64]) -> None:
        """Learn what differs in the set, from pairs of each image with others that are near and no copies."""
        differs = np.zeros(len(self._images))
        found = self.compare(others)
        for side in others.T:
            np.maximum.at(differs, side, found.thing)
        contrast = self._contrast()
        self._differs = np.clip(np.maximum(differs, np.quantile(differs, 0.1)), OWN * contrast, contrast)

    def alike_of_nearest(
        self, pairs: npt.NDArray[np.int64], turns: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """Which pairs show the same; what different images have in common is learnt from them, all images'
        nearest.
        """
        found = self.compare(pairs, turns)
        apart = self._share(found, pairs) > 2 * ALLOWED
        common = float(np.quantile(found.grain[apart], 0.98)) if apart.any() else 0.0
        self._common = max(common, self._chance)
        return self._judge(found, pairs)

    def alike(self, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which pairs show the same."""
        return self._judge(self.compare(pairs), pairs)

    def _judge(self, found: Comparison, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        share = self._share(found, pairs)
        # The more differs, the more of their grain must be the same; what noise hides of it is not missed.
        common = self._common
        wanted = np.minimum(common * np.minimum(1.5, share / CERTAIN), (1 + common) / 2)
        wanted += (1 - common) * STRICTER * np.maximum(0, share - CERTAIN)
        is_same = found.grain >= np.maximum(self._chance, wanted * found.weaker)
        if common < 2 * self._chance:
            is_same |= (found.strength < GRAINLESS) & (share <= PLAIN)
        # Where all have much in common, little makes the difference.
        is_same &= share <= ALLOWED - COMMON * common
        # Where nothing but noise is to be seen, the same noise says that all is the same.
        least = np.maximum(self._chance, common * found.weaker)
        return np.asarray(is_same | (found.thing <= 2 * found.noise) & (found.grain >= 1.5 * least))

    def _share(self, found: Comparison, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """What differs, as a share of what differs in the set."""
        differs = self._differs[pairs].min(axis=1)
        return np.asarray((found.thing + UNCERTAIN * found.noise) / np.maximum(differs, 1e-6))

    def _contrast(self) -> npt.NDArray[np.float64]:
        """The largest local difference of each image from its own mean."""
        result = np.empty(len(self._images))
        for start in range(0, len(result), CHUNK):
            planes = self._planes(np.arange(start, min(start + CHUNK, len(result))))
            planes -= planes.mean(axis=(2, 3), keepdims=True)
            result[start : start + CHUNK] = np.abs(self._smooth(planes, COARSE)).max(axis=(1, 2, 3))
        return result

    def compare(self, pairs: npt.NDArray[np.int64], turns: npt.NDArray[np.int64] | None = None) -> Comparison:
        """Compare pairs; the first of each is turned by its number (see `turned`)."""

        def measured(start: int) -> npt.NDArray[np.float64]:
            part = slice(start, start + CHUNK)
            first, second = self._planes(pairs[part, 0]), self._planes(pairs[part, 1])
            if turns is not None:
                first = np.stack([*map(turned, first, turns[part])])
            return self._measure(*self._aligned(first, second))

        with ThreadPoolExecutor(int(show_config()["threads"])) as pool:
            parts = list(pool.map(measured, range(0, len(pairs), CHUNK)))
        return Comparison(*np.concatenate([np.empty((5, 0)), *parts], axis=1))

    def _planes(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Images (n, channels, height, width): of colours brightness first, then two differences."""
        part = self._images[places].astype(np.float32)
        n, height, width, channels = part.shape
        if self._step > 1:
            rows, columns = height // self._step, width // self._step
            part = part[:, : rows * self._step, : columns * self._step]
            part = part.reshape(n, rows, self._step, columns, self._step, channels).mean(axis=(2, 4))
        part = np.moveaxis(part, 3, 1)
        if channels != 3:
            return np.ascontiguousarray(part)
        # No product of matrices: BLAS would start threads in each of these threads.
        grey = sum(np.float32(share) * part[:, place] for place, share in enumerate(BRIGHTNESS))
        return np.stack([grey, part[:, 2] - grey, part[:, 0] - grey], axis=1)

    def _aligned(
        self, first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The middles of both, the second shifted to where it differs least."""
        reach = self._shift
        height, width = first.shape[2] - 2 * reach, first.shape[3] - 2 * reach
        middle = first[:, :, reach : reach + height, reach : reach + width]
        best, found = np.full(len(first), np.inf), np.empty_like(middle)
        for down in range(2 * reach + 1):
            for right in range(2 * reach + 1):
                other = second[:, :, down : down + height, right : right + width]
                error = np.mean((middle - other) ** 2, axis=(1, 2, 3))
                found[error < best] = other[error < best]
                best = np.minimum(best, error)
        return middle, found

    def _measure(
        self, first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:
        """Values of a `Comparison`, as rows."""
        has_colors = first.shape[1] == 3
        difference = first - second
        noise = (difference - self._smooth(difference, FINE)).std(axis=(2, 3)) / NOISE_LEFT
        noise *= NOISE_SMOOTHED / self._scale
        things = np.abs(self._smooth(difference, COARSE)).max(axis=(2, 3))
        if has_colors:
            things[:, 1:] = np.abs(self._smooth(difference[:, 1:], OF_COLORS)).max(axis=(2, 3))
            noise[:, 1:] *= COARSE / OF_COLORS
            first, second = first[:, :1], second[:, :1]
        a, b = first - self._smooth(first, FINE), second - self._smooth(second, FINE)
        strengths = np.sqrt([(a**2).mean(axis=(1, 2, 3)), (b**2).mean(axis=(1, 2, 3))])
        grain = (a * b).mean(axis=(1, 2, 3)) / np.maximum(strengths.prod(axis=0), 1e-6)
        thing = np.maximum(0, things - HIGHEST * noise).max(axis=1)
        strength = strengths.max(axis=0)
        weaker = strengths.min(axis=0) / np.maximum(strength, 1e-6)
        return np.stack([thing, noise.max(axis=1), grain, strength, weaker]).astype(np.float64)

    def _smooth(self, planes: npt.NDArray[np.float32], width: float) -> npt.NDArray[np.float32]:
        from scipy.ndimage import gaussian_filter

        sigma = width * self._scale
        smooth: npt.NDArray[np.float32] = gaussian_filter(planes, (0, 0, sigma, sigma))
        return smooth


def turned(image: npt.NDArray[np.float32], turn: int) -> npt.NDArray[np.float32]:
    """An image (channels, height, width) turned by so many right angles, and mirrored from 4 on."""
    result = np.rot90(image, turn % 4, axes=(1, 2))
    return result[:, :, ::-1] if turn >= 4 else result
