"""What makes random views of images and of feature vectors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._checks.values import check_choice, check_number


@dataclass(frozen=True)
class Augmentation:
    """Random views of an image, in the order in which the operations are applied.

    The defaults are the paper's (Böhm et al. 2023, section 4; operations as torchvision's). Saturation,
    hue and greyscale are skipped unless images have three channels; brightness and contrast move all
    channels together.

    Parameters
    ----------
    crop_area_min, crop_area_max : float
        Limits of the share of the area that is cropped, in (0, 1]; both 1: no crop.
    crop_ratio_min, crop_ratio_max : float
        Limits of the crop's width / height, which is log-uniform.
    horizontal_flip, vertical_flip : float
        Probabilities that the image is mirrored.
    quarter_turns : float
        Probability of a turn by a random multiple of 90° (180° where images are not square).
    color_jitter : float
        Probability of the four operations that follow, in random order.
    brightness, contrast, saturation : float
        Range v of a factor, uniform in [max(0, 1 - v), 1 + v].
    hue : float
        Range v of a shift, uniform in [-v, v], in turns of the colour circle; at most 0.5.
    grayscale : float
        Probability that colours become grey.
    rotation : float
        Range v of an angle in degrees, uniform in [-v, v], after the turns. The image is mirrored at its
        edges, as black corners would tell the angle.
    channel_gain, channel_offset : float
        Ranges v for each channel by itself: of a factor, uniform in [max(0, 1 - v), 1 + v], and of a shift,
        in [-v, v] of the value range. They are for channels that measure different things, as stains do.
    blur : float
        Probability of a Gaussian blur.
    blur_deviation_min, blur_deviation_max : float
        Limits of the blur's standard deviation in pixels, which is uniform; 0.01 to 10.
    solarize : float
        Probability that values of the upper half of the range become their negatives.
    erasing : float
        Probability that a rectangle of 2 to 33 % of the area is blackened.
    """

    crop_area_min: float = 0.2
    crop_area_max: float = 1.0
    crop_ratio_min: float = 3 / 4
    crop_ratio_max: float = 4 / 3
    horizontal_flip: float = 0.5
    vertical_flip: float = 0.0
    quarter_turns: float = 0.0
    color_jitter: float = 0.8
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    grayscale: float = 0.2
    rotation: float = 0.0
    channel_gain: float = 0.0
    channel_offset: float = 0.0
    blur: float = 0.0
    blur_deviation_min: float = 0.1
    blur_deviation_max: float = 2.0
    solarize: float = 0.0
    erasing: float = 0.0

    def _fields(self) -> dict[str, float]:
        """Every value, checked, under the name that the core knows."""
        values = asdict(self)
        for name, value in values.items():
            _, low, high = _core.NUMBERS["augmentation"][name]
            # The least of two is at most the other.
            partner = name.removesuffix("_min") + "_max" if name.endswith("_min") else name
            check_number(f"augmentation.{partner}", values[partner], low, high)
            check_number(f"augmentation.{name}", value, low, min(high, values[partner]))
        return values


@dataclass(frozen=True)
class FeatureAugmentation:
    """Random views of a feature vector (``backbone="identity"``).

    Parameters
    ----------
    noise : float
        Standard deviation of normal noise on every feature, in units of the features' common standard
        deviation (of each feature's own with ``normalize="dataset"``).
    dropout : float
        Probability that a feature is set to its mean.
    """

    noise: float = 0.5
    dropout: float = 0.2

    def _fields(self) -> dict[str, float]:
        check_number("augmentation.noise", self.noise, 0, 1e6)
        check_number("augmentation.dropout", self.dropout, 0, 1)
        return asdict(self)


def check_augmentation(name: str, value: Any) -> Augmentation:
    """An augmentation of images, or the preset of a name."""
    augmentation = value if isinstance(value, Augmentation) else PRESETS[check_choice(name, value, PRESETS)]
    augmentation._fields()
    return augmentation


def random_views(
    images: npt.NDArray[Any], augmentation: Augmentation, seed: int, view: int
) -> npt.NDArray[np.float32]:
    """One random view of each image, the one that training sees in its first epoch.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), uint8 or float32
    augmentation : Augmentation
    seed : int
    view : int
        Number of the view, from 0.

    Returns
    -------
    ndarray of the same shape, float32 in [0, 1]
    """
    result = np.empty(images.shape, np.float32)
    _core.augment(
        images,
        result,
        augmentation=augmentation._fields(),
        seed=seed,
        epoch=0,
        first_index=0,
        view=view,
        threads=1,
    )
    return result


PRESETS = {name: Augmentation(**_core.augmentation_preset(preset)) for name, preset in _core.PRESETS.items()}
