"""torchvision's networks, as tsimcne 0.4 uses them.

Only the networks are wanted. torchvision's compiled operators, which they do not use, may be of another
build than PyTorch; without them it registers shapes of operators that are not there, which is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import torch
from torch import nn

FOLDER = Path(sys.prefix) / "torchvision"


def _load():
    sys.path.insert(0, str(FOLDER))
    try:
        with mock.patch.object(torch.library, "register_fake", lambda *_, **__: lambda function: function):
            from torchvision import models
    finally:
        sys.path.remove(str(FOLDER))
    return models


MODELS = _load()
MAKERS = {
    "resnet18_imagenet": MODELS.resnet18,
    "resnet34_imagenet": MODELS.resnet34,
    "resnet50_imagenet": MODELS.resnet50,
    "mobilenetv3_small": MODELS.mobilenet_v3_small,
    "mobilenetv3_large": MODELS.mobilenet_v3_large,
    "efficientnet_v2_s": MODELS.efficientnet_v2_s,
    "efficientnet_v2_m": MODELS.efficientnet_v2_m,
    "efficientnet_v2_l": MODELS.efficientnet_v2_l,
}


class Adapted(nn.Module):
    """Features of a network whose first stride is 1, as tsimcne 0.4 adapts it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        model.features[0][0].stride = (1, 1)
        del model.classifier
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model.avgpool(self.model.features(x)).flatten(1)


def make(name: str) -> nn.Module:
    """A backbone; nothing in it is left to chance."""
    if name.startswith("resnet"):
        model = MAKERS[name]()
        model.fc = nn.Identity()
        return model
    options = {"stochastic_depth_prob": 0.0} if name.startswith("efficientnet") else {}
    return Adapted(MAKERS[name](**options))
