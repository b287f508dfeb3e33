"""What networks want done to images, by the names of those who trained them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CLIP = {"mean": (0.48145466, 0.4578275, 0.40821073), "std": (0.26862954, 0.26130258, 0.27577711)}
PRESETS: dict[str, dict[str, Any]] = {
    "imagenet": IMAGENET | {"size": 224, "interpolation": "bilinear"},
    "clip": CLIP | {"size": 224, "interpolation": "bicubic"},
    "dinov2": IMAGENET | {"size": 224, "interpolation": "bicubic"},
    "none": {},
}
# The file of Hugging Face's in which a network's preprocessing is written, and Pillow's numbers in it.
CONFIG = "preprocessor_config.json"
LONGEST_CONFIG = 1 << 20
RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}


def config_beside(path: Path) -> dict[str, Any] | None:
    """What the file beside a network says, by the names of `Onnx`; None where there is none.

    Raises
    ------
    ValueError
        If it says what is not understood; the error names file and field.
    """
    file = path.with_name(CONFIG)
    if not file.is_file() or file.stat().st_size > LONGEST_CONFIG:
        return None
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        return _understood(written)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"backbone.preset: {file} is not understood ({type(error).__name__}: {error}); say preset="
        ) from error


def _understood(written: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    crops = written.get("do_center_crop", False)
    if written.get("do_resize", True) or crops:
        size = written.get("crop_size", written["size"]) if crops else written["size"]
        is_pair = isinstance(size, dict) and "height" in size
        found["size"] = (size["height"], size["width"]) if is_pair else _side(size)
        found["resize"] = "crop" if crops or not is_pair else "stretch"
        found["interpolation"] = RESAMPLE[written.get("resample", 2)]
    found["scale"] = written.get("rescale_factor", 1 / 255) if written.get("do_rescale", True) else 1.0
    if written.get("do_normalize", True):
        found |= {"mean": tuple(written["image_mean"]), "std": tuple(written["image_std"])}
    return found


def _side(size: Any) -> int:
    return int(size["shortest_edge"] if isinstance(size, dict) else size)
