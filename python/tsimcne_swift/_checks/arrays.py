"""Arrays of a file, by what their reader wants of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def check_arrays(
    prefix: str,
    found: Mapping[str, npt.NDArray[Any] | None],
    types: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
) -> dict[str, Any]:
    """The arrays, contiguous, each of its type and shape; not empty, and finite.

    Raises
    ------
    ValueError
        Naming the first that is not so, behind the prefix.
    """
    for name, shape in shapes.items():
        value, want = found[name], np.dtype(types[name])
        if value is None or value.dtype != want or value.shape != shape or 0 in shape:
            got = "nothing" if value is None else f"{value.dtype} of shape {value.shape}"
            raise ValueError(f"{prefix}.{name}: got {got}, want {want} of shape {shape}")
        if want.kind == "f" and not np.isfinite(value).all():
            raise ValueError(f"{prefix}.{name}: got values that are not finite")
    return {name: np.ascontiguousarray(value) for name, value in found.items()}
