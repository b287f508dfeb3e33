"""Which axis of an image has its channels, in arrays and in PyTorch's tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# Most channels that a picture to look at has, and fewest pixels a side of an image.
FEW, SMALLEST = 4, 8


def order_of(shape: Sequence[int]) -> str:
    """``"last"`` for (height, width, channels), ``"first"`` for (channels, height, width), ``"unsure"`` where
    it looks like channels first, of a number that pictures seldom have.
    """
    first, second, third = shape
    if third <= FEW or second < SMALLEST:
        return "last"
    if first in (1, 3, 4):
        return "first"
    return "unsure" if first < SMALLEST or first < second == third else "last"


def is_tensor(value: object) -> bool:
    """Whether a value is a tensor of PyTorch, which need not be installed to say so."""
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def of_tensor(tensor: Any) -> npt.NDArray[Any]:
    """The values of such a tensor, in place where they lie in memory that numpy knows."""
    tensor = tensor.detach().cpu()
    # numpy has no bfloat16.
    array: npt.NDArray[Any] = (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy()
    return array


def values_of(value: Any) -> Any:
    """The array of a tensor, of PyTorch or of another library; any other value as it is."""
    if is_tensor(value):
        return of_tensor(value)
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray | type):
        return np.asarray(value.numpy())
    return value
