"""What tells two sets of images apart."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from .images import Images


def fingerprint(images: Images) -> dict[str, Any]:
    """Shape, type and a hash of all values."""
    digest = hashlib.blake2b(digest_size=16)
    n = images.shape[0]
    rows = max(1, (1 << 24) // int(np.prod(images.shape[1:])))
    for first in range(0, n, rows):
        digest.update(images.batch(slice(first, first + rows)).data)
        images.forget()
    kind = {"B": "uint8", "f": "float"}[images.format]
    return {"shape": list(images.shape), "type": kind, "hash": digest.hexdigest()}
