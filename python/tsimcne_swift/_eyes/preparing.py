"""What is done to images before a network sees them: as the user, the file beside it or the network says."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from .declaration import Declared
from .file import File
from .onnx import Onnx, as_numbers, as_size
from .presets import CONFIG, PRESETS, config_beside

FIELDS = ("size", "resize", "interpolation", "mean", "std", "scale")
DEFAULTS = {"resize": "crop", "interpolation": "bilinear", "mean": 0.0, "std": 1.0, "scale": 1 / 255}


def preparation(onnx: Onnx, file: File, declared: Declared) -> dict[str, Any]:
    """The fields of `Sight` that say what is done to images; a size of None is that of the images.

    Raises
    ------
    ValueError
        If the network takes something else; the error names the argument.
    """
    said = {name: getattr(onnx, name) for name in FIELDS if getattr(onnx, name) is not None}
    takes_bytes = declared.element == "uint8"
    beyond = [name for name in ("mean", "std", "scale") if name in said]
    if takes_bytes and (beyond or onnx.preset not in (None, "none")):
        name = beyond[0] if beyond else "preset"
        raise ValueError(
            f"backbone.{name}: got {getattr(onnx, name)!r}, but {file.name} takes uint8, pixels as they are; "
            "want None"
        )
    usual = DEFAULTS | _usual(onnx, file, takes_bytes) | said
    if takes_bytes:
        usual |= {name: DEFAULTS[name] for name in ("mean", "std", "scale")}
    numbers = {name: as_numbers(f"backbone.{name}", usual[name], name == "std") for name in ("mean", "std")}
    return usual | numbers | {"size": _size(onnx, file, declared, usual.get("size"))}


def _usual(onnx: Onnx, file: File, takes_bytes: bool) -> dict[str, Any]:
    """What holds where the user says nothing."""
    if onnx.preset is not None:
        return PRESETS[onnx.preset]
    found = None if isinstance(onnx.path, bytes) else config_beside(Path(onnx.path))
    if found is not None or takes_bytes:
        return found or {}
    if onnx.mean is None or onnx.std is None:
        warnings.warn(
            f"backbone: there is no {CONFIG} beside {file.name}: images are prepared as ImageNet's; "
            f"say preset= (one of {', '.join(map(repr, PRESETS))}), or mean= and std=",
            UserWarning,
            stacklevel=2,
        )
    return PRESETS["imagenet"]


def _size(onnx: Onnx, file: File, declared: Declared, usual: Any) -> tuple[int, int] | None:
    """Height and width that the network is given; None for the images' own."""
    if onnx.size is not None:
        said = as_size("backbone.size", onnx.size)
        if any(fixed not in (None, side) for fixed, side in zip(declared.size, said, strict=True)):
            raise ValueError(
                f"backbone.size: got {said}, but {file.name} takes {_shown(declared.size)} pixels; want None"
            )
        return said
    if None not in declared.size:
        return as_size(f"backbone.path: {file.name}", declared.size)
    if usual is None:
        return None
    height, width = as_size("backbone.size", usual)
    return declared.size[0] or height, declared.size[1] or width


def _shown(size: tuple[int | None, int | None]) -> str:
    return "×".join("?" if side is None else str(side) for side in size)
