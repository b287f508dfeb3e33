"""Maps of image collections by contrastive learning (t-SimCNE), fast on CPUs.

>>> from tsimcne_swift import TSimCNE
>>> Y = TSimCNE().fit_transform(X)  # X: (n, height, width, 3) uint8
"""

from . import callbacks, recipes
from ._augmentation import Augmentation, FeatureAugmentation
from ._config import show_config
from ._estimator import TSimCNE
from ._stages import Stage

__all__ = ["Augmentation", "FeatureAugmentation", "Stage", "TSimCNE", "callbacks", "recipes", "show_config"]
__version__ = "0.1.0"
