"""Colours that are told apart with any colour vision."""

from __future__ import annotations

from typing import Any

# Okabe and Ito (2008), the yellow last as it is faint on white; and two more.
QUALITATIVE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00",
    "#56B4E9", "#000000", "#8B5A2B", "#999999", "#F0E442",
)  # fmt: skip
NONE = "#C8C8C8"


def colors_of(count: int) -> list[Any]:
    """As many colours, well apart for ten, and as far as can be for more."""
    import matplotlib

    if count <= len(QUALITATIVE):
        return list(QUALITATIVE[:count])
    # Hues go round several times, lighter each time, so that neighbours in number differ most.
    rings = matplotlib.colormaps["turbo"]
    return [rings((i * 0.381966) % 1.0) for i in range(count)]
