"""Maps of image collections by contrastive learning (t-SimCNE), fast on CPUs.

>>> from tsimcne_swift import TSimCNE
>>> Y = TSimCNE().fit_transform(X)  # X: (n, height, width, 3) uint8
"""

from . import recipes
from ._augmentation import Augmentation
from ._config import show_config
from ._estimator import TSimCNE

__all__ = ["Augmentation", "TSimCNE", "recipes", "show_config"]
__version__ = "0.1.0"
