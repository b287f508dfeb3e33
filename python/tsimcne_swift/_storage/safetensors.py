"""Files of tensors and a JSON document: safetensors."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

KEY = "tsimcne-swift"
Tensors = dict[str, npt.NDArray[Any]]


def encode(tensors: Tensors, document: dict[str, Any]) -> bytes:
    """The bytes of a safetensors file."""
    from safetensors.numpy import save

    text = json.dumps(document, allow_nan=False)
    return save({name: np.ascontiguousarray(value) for name, value in tensors.items()}, {KEY: text})


def decode(data: bytes, name: str = "path") -> tuple[Tensors, dict[str, Any] | None]:
    """Tensors and the document, which is None in a file that others wrote.

    Raises
    ------
    ValueError
        If these are not the bytes of a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{name}: not a safetensors file that can be read ({error})") from error
    # safetensors has validated the header; its numpy reader does not hand out the metadata.
    (length,) = struct.unpack("<Q", data[:8])
    text = json.loads(data[8 : 8 + length]).get("__metadata__", {}).get(KEY)
    if text is None:
        return tensors, None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: its document is no JSON ({error})") from error
    if not isinstance(document, dict):
        raise ValueError(f"{name}: its document is no JSON object")
    return tensors, document


def read(path: str | os.PathLike[str]) -> tuple[Tensors, dict[str, Any] | None]:
    """Read a file and ``decode`` its bytes."""
    # A pipe may never end, and a device never does.
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"{os.fspath(path)}: is no regular file")
    return decode(Path(path).read_bytes(), os.fspath(path))


def check_path(name: str, path: Any) -> str:
    """The path of a file in a folder that exists."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name}: got {path!r}, want a path")
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"{name}: got {path!r}, want a path of str")
    if not text:
        raise ValueError(f"{name}: got {path!r}, want a path")
    folder = os.path.dirname(os.path.realpath(text))
    if not os.path.isdir(folder):
        raise ValueError(f"{name}: got {text!r}, but there is no folder {folder}")
    if os.path.isdir(text):
        raise ValueError(f"{name}: got {text!r}, a folder; want a file")
    if os.path.exists(text) and not os.path.isfile(text):
        raise ValueError(f"{name}: got {text!r}, which is no regular file")
    return text
