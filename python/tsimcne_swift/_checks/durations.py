"""Lengths of time that users write."""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

import numpy as np

SECONDS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}
WANTED = "seconds, or a time like '90s', '20min' or '1h30min'"


def check_duration(name: str, value: Any) -> float:
    """Seconds, more than 0."""
    if isinstance(value, str):
        compact = value.replace(" ", "").lower()
        if not re.fullmatch(r"(\d+(\.\d+)?(d|h|min|m|s))+", compact):
            raise ValueError(f"{name}: got {value!r}, want {WANTED}")
        parts = re.findall(r"(\d+(?:\.\d+)?)(d|h|min|m|s)", compact)
        seconds = sum(float(number) * SECONDS[unit] for number, unit in parts)
    elif isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_):
        seconds = float(value)
    else:
        raise TypeError(f"{name}: got {value!r}, want {WANTED}")
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"{name}: got {value!r}, want more than 0 seconds")
    return seconds
