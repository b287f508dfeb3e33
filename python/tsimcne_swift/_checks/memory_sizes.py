"""Amounts of memory that users write."""

from __future__ import annotations

import re
from typing import Any

from .values import check_integer

UNITS = {"": 1, **{f"{p}b": 1000**i for i, p in enumerate("kmgt", 1)}}
UNITS |= {"b": 1, **{f"{p}ib": 1024**i for i, p in enumerate("kmgt", 1)}}
WANTED = "bytes, or an amount like '500MB' or '4GiB'"
MOST = 1 << 60


def check_size(name: str, value: Any) -> int:
    """Bytes, at least 1."""
    if not isinstance(value, str):
        try:
            return check_integer(name, value, 1, MOST)
        except TypeError as error:
            raise TypeError(f"{name}: got {value!r}, want {WANTED}") from error
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip().lower())
    if found is None or found[2] not in UNITS:
        raise ValueError(f"{name}: got {value!r}, want {WANTED}")
    size = int(float(found[1]) * UNITS[found[2]])
    if not 1 <= size <= MOST:
        raise ValueError(f"{name}: got {value!r}, want at least 1 byte, and at most 2^60")
    return size


def written_size(size: int) -> str:
    """The size with two or three digits, in GB or MB."""
    return f"{size / 1e9:.2g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
