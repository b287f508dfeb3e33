"""What was loaded, and what it runs on."""

from __future__ import annotations

import json
from typing import Any

from .. import _core


def show_config() -> dict[str, Any]:
    """Instruction-set level, usable cores and BLAS of the core that was loaded.

    Returns
    -------
    dict
        Values of ``version``, ``level``, ``threads``, ``blas``, ``blas_core``, ``blas_used`` and
        ``precisions``.
    """
    config: dict[str, Any] = json.loads(_core.build_info())
    return config


def available_memory() -> int:
    """Bytes that this process may still take, also under the limits of its control groups."""
    return _core.available_memory()
