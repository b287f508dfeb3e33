"""How much of two images is the same: their things, and their structure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from .._system.config import show_config
from .views import Pairs, Views, between, turned

# Images are compared with at most so many pixels a side, and are shifted by up to a 32nd of it.
LARGEST, SHIFT = 64, 32
# Widths of Gaussians in pixels: below the first is grain, above the second are things, between the first and
# the third is structure, in units of what there is of it within the fourth. Colours are compared more
# coarsely, as compression keeps them so.
FINE, THINGS, COARSE, AROUND, OF_COLORS = 1.0, 2.0, 2.5, 4.0, 4.0
# Of white noise with deviation 1: what the first Gaussian takes away has this deviation, and what the second
# leaves that one.
NOISE_LEFT, NOISE_SMOOTHED = 0.872, 0.141
# The largest of some thousand values of what noise and compression leave, in deviations; and how uncertain
# the noise is.
HIGHEST, UNCERTAIN = 4.0, 0.5
# Correlations of structure and of grain by chance, beyond which two of a hundred are, times the root of the
# pixels.
CHANCE = (5.0, 2.5)
# Structure in grey levels below which there is none but rounding.
ROUNDING = 1.0
BRIGHTNESS = (0.299, 0.587, 0.114)
# The most that contrast may have been changed.
CONTRAST = 1.5
CHUNK = 256


@dataclass(frozen=True)
class Comparison:
    """Of pairs of images, aligned.

    Parameters
    ----------
    thing : ndarray
        Largest local difference beyond what noise makes, in grey levels: a thing that one of them lacks.
    noise : ndarray
        Deviation of smoothed noise in their difference.
    structure : ndarray
        Correlation of their structure, each place of it as important as another, by Fisher's transform.
    grain : ndarray
        The same of what is finer.
    strength : ndarray
        Deviation of the weaker structure of the two, in grey levels.
    contrast : ndarray
        Largest local difference of the first from its mean, in grey levels.
    """

    thing: npt.NDArray[np.float64]
    noise: npt.NDArray[np.float64]
    structure: npt.NDArray[np.float64]
    grain: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]
    contrast: npt.NDArray[np.float64]

    def share_of(self, differs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What differs, as a share of what differs in the set."""
        return np.asarray((self.thing + UNCERTAIN * self.noise) / np.maximum(differs, 1e-6))


class Comparer:
    """Compares images of a set, aligned.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8
    normalized : bool, default=False
        Whether the second of a pair is given the brightness and contrast of the first.
    """

    def __init__(self, images: npt.NDArray[np.uint8], normalized: bool = False) -> None:
        self._images, self._normalized = images, normalized
        _, height, width, _ = images.shape
        self._step = min(-(-max(height, width) // LARGEST), height, width)
        rows, columns = height // self._step, width // self._step
        self._scale = min(1.0, min(rows, columns) / 24)
        self._shift = -(-min(rows, columns) // SHIFT) if min(rows, columns) >= 12 else 0
        #: Structure and grain that are the same by chance.
        self.chance = np.array(CHANCE) * self._scale / max(1, rows * columns) ** 0.5

    def __call__(self, pairs: Pairs, views: Views) -> Comparison:
        """Compare the second of each pair with a view of the first."""

        def measured(start: int) -> npt.NDArray[np.float64]:
            part = slice(start, start + CHUNK)
            first, second = self._planes(pairs[part, 0]), self._planes(pairs[part, 1])
            first = seen(first, views[part])
            if self._normalized:
                second = self._as_light(first, second)
            return self._measure(*self._aligned(first, second))

        with ThreadPoolExecutor(int(show_config()["threads"])) as pool:
            parts = list(pool.map(measured, range(0, len(pairs), CHUNK)))
        return Comparison(*np.concatenate([np.empty((6, 0)), *parts], axis=1))

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
                is_less = error < best
                found[is_less], best[is_less] = other[is_less], error[is_less]
        return middle, found

    def _as_light(
        self, first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """The second as bright and as rich in contrast as the first.

        Contrast is that of things, or where there are none but a fine pattern, that of all: what leaves less
        between the two.
        """
        lit = slice(1) if first.shape[1] == 3 else slice(None)
        things = self._smooth(first, THINGS), self._smooth(second, THINGS)
        best, least = np.ones(len(first)), np.full(len(first), np.inf)
        for a, b in (things, (first, second)):
            gain = _gain(a[:, lit], b[:, lit])
            left = things[0] - _lit(things[1], gain, things[0], lit)
            error = np.mean(left**2, axis=(1, 2, 3))
            is_less = error < least
            best[is_less], least[is_less] = gain[is_less], error[is_less]
        return _lit(second, best, first, lit)

    def _measure(
        self, first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float64]:
        """Values of a `Comparison`, as rows."""
        difference = first - second
        noise = (difference - self._smooth(difference, FINE)).std(axis=(2, 3)) / NOISE_LEFT
        noise *= NOISE_SMOOTHED / self._scale
        things = np.abs(self._smooth(difference, THINGS)).max(axis=(2, 3))
        if first.shape[1] == 3:
            things[:, 1:] = np.abs(self._smooth(difference[:, 1:], OF_COLORS)).max(axis=(2, 3))
            noise[:, 1:] *= THINGS / OF_COLORS
        thing = np.maximum(0, things - HIGHEST * noise).max(axis=1)
        contrast = self._smooth(first - first.mean(axis=(2, 3), keepdims=True), THINGS)
        contrast = np.abs(contrast).max(axis=(1, 2, 3))
        if first.shape[1] == 3:
            first, second = first[:, :1], second[:, :1]
        fine, coarse = (
            [self._smooth(planes, width) for planes in (first, second)] for width in (FINE, COARSE)
        )
        bands = [a - b for a, b in zip(fine, coarse, strict=True)]
        strength = np.sqrt([(band**2).mean(axis=(1, 2, 3)) for band in bands]).min(axis=0)
        common = self._common(*bands), self._common(first - fine[0], second - fine[1])
        return np.stack([thing, noise.max(axis=1), *common, strength, contrast]).astype(np.float64)

    def _common(self, *bands: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Correlation of two bands, each as strong everywhere, by Fisher's transform."""
        a, b = (band / np.sqrt(self._smooth(band**2, AROUND) + ROUNDING**2) for band in bands)
        lengths = np.sqrt((a * a).sum(axis=(1, 2, 3)) * (b * b).sum(axis=(1, 2, 3)))
        correlation = (a * b).sum(axis=(1, 2, 3)) / np.maximum(lengths, 1e-6)
        return np.asarray(np.arctanh(np.minimum(correlation, 0.999)), np.float64)

    def _smooth(self, planes: npt.NDArray[np.float32], width: float) -> npt.NDArray[np.float32]:
        sigma = width * self._scale
        smooth: npt.NDArray[np.float32] = gaussian_filter(planes, (0, 0, sigma, sigma))
        return smooth


def _gain(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """What the second's contrast is to be multiplied by to be like the first's, by least squares."""
    a, b = (planes - planes.mean(axis=(1, 2, 3), keepdims=True) for planes in (first, second))
    common, own = (a * b).mean(axis=(1, 2, 3)), (b * b).mean(axis=(1, 2, 3))
    gain = (common + ROUNDING**2) / (own + ROUNDING**2)
    return np.asarray(np.clip(gain, 1 / CONTRAST, CONTRAST), np.float64)


def _lit(
    planes: npt.NDArray[np.float32], gain: npt.NDArray[np.float64], like: npt.NDArray[np.float32], lit: slice
) -> npt.NDArray[np.float32]:
    """Planes of that contrast, and those of brightness as bright as others."""
    result = gain[:, None, None, None] * planes
    means = like[:, lit] - result[:, lit]
    result[:, lit] += means.mean(axis=(1, 2, 3), keepdims=True)
    return np.asarray(result, np.float32)


def seen(planes: npt.NDArray[np.float32], views: Views) -> npt.NDArray[np.float32]:
    """Views of planes (n, channels, height, width), but for shifts."""
    result = planes.copy()
    parts = np.flatnonzero(views[:, 2] < 1)
    if len(parts) > 0:
        rows, columns = (
            between(length, views[parts, place], views[parts, 2])[:, None]
            for place, length in enumerate(planes.shape[2:])
        )
        result[parts] = rows @ planes[parts] @ columns.transpose(0, 1, 3, 2)
    for turn in np.unique(views[:, 3]).astype(int).tolist():
        which = views[:, 3] == turn
        result[which] = turned(result[which], turn)
    return result
