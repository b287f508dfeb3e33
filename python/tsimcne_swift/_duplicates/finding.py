"""Images that are the same, or nearly, found in their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._checks.maps import check_rows
from .._checks.values import check_choice, check_integer, check_number
from .._evaluation import neighbors
from .._inputs.images import as_pictures
from .links import Links, grouped
from .pairs import PairSearch, paired
from .views import Pairs

# Most neighbours that are compared.
MOST = 1000
Kind = Literal["exact", "near", "mirrored", "cropped"]
# Kinds that are looked for where they are asked for.
ASKED = ("mirrored", "cropped")


@dataclass(frozen=True)
class Duplicates:
    """Groups of images that show the same; in a group every image shows the same as every other.

    Parameters
    ----------
    groups : list of ndarray of int
        Indices of each group, ascending. Groups of exact copies come first, then near and mirrored ones,
        each kind by distance. In a later kind the first of a group stands for all of it. Mirrored and
        cropped ones are pairs.
    distances : ndarray of shape (groups,)
        The largest root-mean-square difference between two images of a group, aligned, at 16×16, in grey
        levels of 0 to 255; 0 for exact copies, and more for all others.
    kinds : list of str
        Of each group "exact", "near", "mirrored" (also turned by right angles), or "cropped" (one is a part
        of the other).
    """

    groups: list[npt.NDArray[np.int64]]
    distances: npt.NDArray[np.float64]
    kinds: list[Kind]


def duplicates(
    X: Any,
    Y: Any = None,
    *,
    threshold: float | None = None,
    k: int = 15,
    also: str | Sequence[str] = (),
) -> Duplicates:
    """Groups of exact and near duplicates.

    Pixels are compared with those of all other images, also shifted by a 32nd of the side, and with other
    brightness and contrast: what noise, compression, resizing, small shifts and light leave is found.

    Parameters
    ----------
    X : ndarray of shape (n, height, width[, channels]), uint8
    Y : array-like of shape (n, d), or None
        The map, or features: the k nearest neighbours of each image there are compared mirrored and turned,
        too, as the network sees little of that.
    threshold : float or None
        Largest root-mean-square difference of the pixels of duplicates, at 16×16, in grey levels. None:
        relative to what differs in the set. The structure of both must be the same far beyond what an image
        and its k-th neighbour have in common, and all the more, the more differs between the two: dark or
        plain images are not the same for being dark.
    k : int, default=15
        Number of an image's neighbours in Y that are compared; the one in pixels that is different for
        certain; with a threshold, the number that are compared there.
    also : str or sequence of str
        What else is looked for among all images: "mirrored", and "cropped", parts of at least half of the
        other's sides. That takes several times as long.

    Returns
    -------
    Duplicates
    """
    images = _check_images(X)
    if threshold is not None:
        check_number("threshold", threshold, 0, 255)
    check_integer("k", k, 1, MOST)
    if Y is not None and len(images) > 0:
        Y = check_rows("Y", Y, len(images))
    asked = [also] if isinstance(also, str) else list(also)
    for name in asked:
        check_choice("also", name, ASKED)
    copies, first = _exact_groups(images)
    found: list[Found] = [("exact", copies, np.zeros(len(copies)))]
    # Of copies the first stands for all.
    kept = np.flatnonzero(first == np.arange(len(images)))
    if len(kept) > 1:
        images = images if len(kept) == len(images) else images[kept]
        candidates = None if Y is None else paired(neighbors(Y[kept], k))
        search = PairSearch(images, threshold, k)
        light = None if threshold is not None else PairSearch(images, threshold, k, normalized=True)
        for kind, groups, distances in _kinds(search, light, candidates, asked, len(kept)):
            found.append((kind, [kept[group] for group in groups], distances))
    return Duplicates(
        [group for _, groups, _ in found for group in groups],
        np.concatenate([distances for _, _, distances in found]),
        [kind for kind, groups, _ in found for _ in groups],
    )


Found = tuple[Kind, list[npt.NDArray[np.int64]], npt.NDArray[np.float64]]


def _kinds(
    search: PairSearch, light: PairSearch | None, candidates: Pairs | None, asked: list[str], n: int
) -> Iterator[Found]:
    """Groups and their distances, of each kind that is looked for."""
    known = search.near()
    if light is not None:
        known = known.joined(light.near().without(known))
    groups, distances = grouped(known)
    yield "near", groups, distances
    stands = np.ones(n, bool)
    for group in groups:
        stands[group[1:]] = False
    searches: dict[Kind, Callable[[], Links]] = {}
    if "mirrored" in asked or candidates is not None:
        searches["mirrored"] = lambda: search.mirrored(None if "mirrored" in asked else candidates)
    if "cropped" in asked:
        searches["cropped"] = search.cropped
    for kind, found in searches.items():
        links = found().without(known)
        known = known.joined(links)
        links = links.keep(np.asarray(stands[links.pairs].all(axis=1)))
        yield kind, list(np.sort(links.pairs, axis=1)), links.distances


def _check_images(X: Any) -> npt.NDArray[np.uint8]:
    images = as_pictures(X)
    return images if images.dtype == np.uint8 else np.rint(images * 255).astype(np.uint8)


def _exact_groups(
    images: npt.NDArray[np.uint8],
) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Groups of equal pixels; and the first image of the same pixels, for all."""
    places: dict[bytes, list[int]] = {}
    for i, image in enumerate(images):
        places.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), []).append(i)
    first = np.arange(len(images))
    for group in places.values():
        first[group] = group[0]
    return [np.array(group) for group in places.values() if len(group) > 1], first
