"""How long to train, how fast and how.

``TSimCNE()`` follows the default recipe below, which depends on the number and size of the images
only; ``TSimCNE(**recipes.PAPER)`` is the paper's.
"""

from __future__ import annotations

from typing import Any

#: The paper exactly (Böhm et al. 2023): ResNet-18, 1,500 epochs. Days to weeks on a CPU.
PAPER: dict[str, Any] = {
    "backbone": "resnet18",
    "width": 64,
    "total_epochs": [1000, 50, 450],
    "batch_size": 1024,
    "normalize": "dataset",
    "lr": [0.12, 0.12, 0.00012],
    "lr_step": "epoch",
    "warmup": [10, 0, 10],
    "clip_value": None,
    "output_init": "normal",
}

# The default recipe. Shortened, the paper's passage into 2-D throws points too far apart for the
# Cauchy gradient to bring them back: the 2-D layer begins with principal components instead.
#: Peak learning rates for a batch of 256, in proportion to the batch: of stages in many dimensions, of
#: those that train the output layer alone, and of the others.
LEARNING_RATES = {
    "sgd": (0.5, 0.1, 0.05),
    "nesterov": (0.5, 0.1, 0.05),
    "adamw": (0.004, 0.004, 0.001),
    "lars": (20.0, 20.0, 4.0),
}
#: Share of a stage's steps in which the rate rises.
WARMUP = {"cosine": 0.1, "linear": 0.1, "constant": 0.1, "onecycle": 0.3}
#: Shares of the stages in all epochs.
SHARES = (0.8, 0.04, 0.16)
#: Root-mean-square radius of the map with which stage 2 begins.
PRINCIPAL_RADIUS = 3.0
#: Image pairs of 28×28 pixels in a run of 2,000 images, and in the longest run.
SHORTEST_RUN, LONGEST_RUN = 72_000, 700_000


def automatic_epochs(n: int, height: int, width: int, vectors: bool = False) -> list[float]:
    """Epochs of the three stages for n images.

    Work grows more slowly than n, so that small sets see more epochs, and is inverse to an image's area.
    Feature vectors cost as little as the smallest images.
    """
    if vectors:
        height = width = 14
    area = height * width / 784
    pairs = min(LONGEST_RUN, SHORTEST_RUN * max(1.0, n / 2000) ** 0.75) / max(area, 0.25)
    total = max(3.0, pairs / n)
    return [max(1, round(share * min(total, 1000))) for share in SHARES]
