"""Colours that are told apart with any colour vision, the same on plots and pages."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt

from .._checks.labels import Labels

# Okabe and Ito (2008) without black, which a dark page swallows, the yellow last as it is faint on white;
# and three more, none of them grey.
QUALITATIVE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00",
    "#56B4E9", "#8B5A2B", "#7B4FC4", "#882255", "#F0E442",
)  # fmt: skip
NONE = "#9AA0A6"
SCALE = "cividis"
# Of the colours of many classes: one after the other, so that neighbours in number differ in both.
LIGHTNESS = (0.45, 0.65, 0.3)
GOLDEN = 0.61803398875


def colors_of(count: int) -> list[str]:
    """As many colours, well apart for ten, and as far as can be for more."""
    if count <= len(QUALITATIVE):
        return list(QUALITATIVE[:count])
    return [
        _hex(colorsys.hls_to_rgb(i * GOLDEN % 1.0, LIGHTNESS[i % len(LIGHTNESS)], 0.7)) for i in range(count)
    ]


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02X}" for part in parts)


def colors_for(labels: Labels) -> npt.NDArray[np.float64]:
    """Colours (n, 4): of each image's class, or from the scale; grey where it has no label."""
    import matplotlib
    from matplotlib.colors import Normalize, to_rgba_array

    if labels.scale is None:
        return to_rgba_array([*colors_of(len(labels.names)), NONE])[labels.codes]
    shades = matplotlib.colormaps[SCALE](Normalize()(np.ma.masked_invalid(labels.scale)))
    return np.where(labels.known[:, None], shades, to_rgba_array([NONE]))
