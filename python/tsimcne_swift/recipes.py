"""How long to train, how fast and how: parameters for ``TSimCNE(**recipes.FAST)``.

All but the paper's depend on the number and size of the images, and on nothing else. What was tried, and
what it gave, is in docs/experiments.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: The paper exactly (Böhm et al. 2023): ResNet-18, 1,500 epochs. It takes days to weeks on a CPU.
PAPER: dict[str, Any] = {
    "backbone": "resnet18",
    "width": 64,
    "hidden_dim": 1024,
    "total_epochs": [1000, 50, 450],
    "batch_size": 1024,
    "n_views": 2,
    "normalize": "dataset",
    "lr": [0.12, 0.12, 0.00012],
    "lr_step": "epoch",
    "warmup": [10, 0, 10],
    "clip_value": None,
    "output_init": "normal",
    "plane": "parametric",
}

#: A first look: five minutes for 60,000 images of 32×32 pixels on two cores.
FAST: dict[str, Any] = {"width": 16, "total_epochs": "fast"}
#: What ``TSimCNE()`` does: about half an hour for these images.
DEFAULT: dict[str, Any] = {"width": 32, "total_epochs": "auto"}
#: The longest: about three hours for these images.
BEST: dict[str, Any] = {"width": 32, "total_epochs": "best"}

#: What named lengths learn from views with.
OPTIMIZER = "muon"
#: Peak learning rates for a batch of 256, in proportion to the batch, Muon's to its root: of stages in many
#: dimensions, of those that train the output layer alone, of those that read features, and of the others.
LEARNING_RATES = {
    "sgd": {"pretrain": 0.5, "output": 0.1, "features": 0.2, "plane": 0.05},
    "nesterov": {"pretrain": 0.5, "output": 0.1, "features": 0.2, "plane": 0.05},
    "adamw": {"pretrain": 0.004, "output": 0.004, "features": 0.008, "plane": 0.001},
    "adam": {"pretrain": 0.004, "output": 0.004, "features": 0.008, "plane": 0.001},
    "lars": {"pretrain": 20.0, "output": 20.0, "features": 20.0, "plane": 4.0},
    "muon": {"pretrain": 0.06, "output": 0.05, "features": 0.06, "plane": 0.015},
}
#: SimCLR's rules (Chen et al., ICML 2020, appendix B.1), with tsimcne's factor in the linear one.
BATCH_RULES: dict[str, Callable[[int], float]] = {
    "linear": lambda batch_size: 0.03 * batch_size / 256,
    "sqrt": lambda batch_size: 0.075 * batch_size**0.5,
}
#: Share of a stage's steps in which the rate rises.
WARMUP = {"cosine": 0.1, "linear": 0.1, "constant": 0.1, "onecycle": 0.3}
#: Root-mean-square radius of the map with which stage 2 begins.
PRINCIPAL_RADIUS = 3.0
#: Image pairs of full size that take as long as a run for 60,000 images of 32×32 pixels, at its width.
PAIRS = {"fast": 380_000, "auto": 1_050_000, "best": 6_700_000}
#: Views before the plane: height and width as shares of the images', and parts of the time. Small ones are
#: cheap, and hold less.
VIEWS = {"fast": {0.5: 1.0}, "auto": {0.5: 0.42, 0.75: 0.58}, "best": {0.5: 0.2, 0.75: 0.42, 1.0: 0.38}}
#: Part of the time for a head that learns the plane, in minutes: longer teaches it little.
PLANE = {"fast": 0.2, "auto": 0.2, "best": 0.1}
#: Exponent of the number of images in the time of a run: 30 times as many take 11 times as long.
GROWTH = 0.7
#: Feature vectors count as images of this size.
VECTORS_LIKE = (14, 14)
#: Temperature of the cosine stage.
TEMPERATURE = 0.2
#: Nearest neighbours of an image in the stages in the plane.
NEIGHBORS = 15

#: How points move by themselves: steps, the factor of what attracts, momentum.
POINTS = ((150, 8.0, 0.5), (400, 1.0, 0.8))
#: Their learning rate, and the deviation of their places in the beginning.
POINTS_RATE = 0.3
POINTS_RADIUS = 5.0

#: Length of what a network's last level sees, where what it sees in parts of an image has length 1.
LAST_LEVEL_WEIGHT = 0.6
#: Number of words of patches that stand beside these, and the length of what they say.
PATCH_WORDS = 1024
PATCHES_WEIGHT = 0.7
#: Numbers of an image in which neighbours are sought: principal components of what is compared.
COMPARED = 384
