"""Maps of image collections by contrastive learning (t-SimCNE), fast on CPUs.

>>> from tsimcne_swift import TSimCNE
>>> Y = TSimCNE().fit_transform(X)  # X: (n, height, width, 3) uint8
"""

from ._system.missing import explained

with explained():
    from . import _core as _core  # it comes first, to say what it cannot run in before numpy does

from . import callbacks, datasets, images, inspect, plot, recipes
from ._estimator import TSimCNE
from ._evaluation import evaluate, stability
from ._explore import Explorer, explore, to_frame
from ._eyes.onnx import Onnx
from ._stages.augmentation import Augmentation, FeatureAugmentation
from ._stages.stage import Stage
from ._system.config import show_config

__all__ = [
    "Augmentation",
    "Explorer",
    "FeatureAugmentation",
    "Onnx",
    "Stage",
    "TSimCNE",
    "callbacks",
    "datasets",
    "evaluate",
    "explore",
    "images",
    "inspect",
    "plot",
    "recipes",
    "show_config",
    "stability",
    "to_frame",
]
__version__: str = show_config()["version"]
