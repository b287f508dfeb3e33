"""The place where pickles of version 0.1 find augmentations."""

from ._stages.augmentation import Augmentation as Augmentation
from ._stages.augmentation import FeatureAugmentation as FeatureAugmentation
