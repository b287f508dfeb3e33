"""Rows to search among: a mixture of any size, words of patches of real images."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

KINDS, INNER = 1000, 16
CHUNK = 8192
FASHION = Path("/usr/share/datasets/fashion-mnist")


def mixture(n: int, columns: int, seed: int = 0) -> np.ndarray:
    """Rows of a thousand kinds, each varying in sixteen directions of its own, less and less; noise in
    all directions is a tenth.
    """
    random = np.random.Generator(np.random.Philox(seed))
    centers = random.standard_normal((KINDS, columns), np.float32)
    scales = 0.8 / np.sqrt(np.arange(1, INNER + 1, dtype=np.float32))
    bases = random.standard_normal((KINDS, INNER, columns), np.float32) * scales[:, None]
    kinds = random.integers(0, KINDS, n)
    rows = np.empty((n, columns), np.float32)
    for start in range(0, n, CHUNK):
        kind = kinds[start : start + CHUNK]
        inside = random.standard_normal((len(kind), INNER), np.float32)
        noise = 0.1 * random.standard_normal((len(kind), columns), np.float32)
        rows[start : start + CHUNK] = centers[kind] + np.einsum("ni,nid->nd", inside, bases[kind]) + noise
    return rows


def words(images: np.ndarray) -> np.ndarray:
    """What the words of their patches tell of images (n, 256)."""
    from tsimcne_swift._inputs.images import Images
    from tsimcne_swift._patches.words import PatchWords

    own = Images(images)
    return PatchWords.of(own, 1024, 0).describe(own, 0)


def fashion() -> tuple[np.ndarray, np.ndarray]:
    """Fashion-MNIST's pictures (70,000, 28, 28) and labels."""

    def read(kind: str, header: int) -> bytes:
        names = [FASHION / f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k")]
        return b"".join(gzip.decompress(name.read_bytes())[header:] for name in names)

    pictures = np.frombuffer(read("images-idx3", 16), np.uint8).reshape(-1, 28, 28)
    return pictures, np.frombuffer(read("labels-idx1", 8), np.uint8)


def load(name: str, n: int, archive: str | None) -> np.ndarray:
    """Rows in at most 192 columns: of ``mixture``, ``fashion``, or the pictures of a zip file (``zip``)."""
    from tsimcne_swift import images, recipes
    from tsimcne_swift._algebra.directions import reduced

    if name == "mixture":
        return mixture(n, recipes.COMPARED)
    if name == "fashion":
        pictures = fashion()[0]
    else:
        if archive is None:
            raise SystemExit("--archive: want the zip file of pictures")
        pictures = images.from_zip(archive).images
    return reduced(words(pictures[:n]), recipes.COMPARED, 0)
