"""Run named recipes for a budget and append one JSON line each.

python -m benchmarks.quality RECIPE … --data cifar10 --archive cifar10-jpeg.zip --budget 5min --seeds 0 1 2
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import tsimcne_swift
from tsimcne_swift import TSimCNE, _core
from tsimcne_swift._networks.backbones import RESNETS
from tsimcne_swift._storage.safetensors import read

from . import data, score
from .recipes import RECIPES


def flop(model: TSimCNE, n: int) -> float:
    """Effective FLOP of the training: 2 for a multiply-add of direct convolutions, three passes a step."""
    architecture = model._network.architecture
    height, width, channels = model.image_shape_
    total = 0.0
    for stage, epochs in zip(model.stages_, model.total_epochs_, strict=True):
        h, w = stage.image_size or (height, width)
        if stage.inputs == "features":
            macs = 3 * head_macs(architecture, stage.n_components)
            # The backbone runs once, over all images.
            total += 2 * n * forward_macs(architecture, h, w, channels)
        else:
            macs = (3 if stage.trains == "all" else 1) * forward_macs(architecture, h, w, channels)
        total += 2 * model.n_views * n * epochs * macs
    return total


def forward_macs(architecture: Any, height: int, width: int, channels: int) -> float:
    """Multiply-adds of a forward pass of an image, in a network of basic blocks."""
    base, blocks = architecture.width, RESNETS[architecture.backbone][1]
    macs = 9.0 * channels * base * height * width
    inputs = base
    for level in range(4):
        outputs = base << level
        pixels = -(-height // 2**level) * -(-width // 2**level)
        for block in range(blocks[level]):
            macs += 9.0 * (inputs + outputs) * outputs * pixels
            if block == 0 and level > 0:
                macs += inputs * outputs * pixels
            inputs = outputs
    return macs + head_macs(architecture, 128)


def head_macs(architecture: Any, outputs: int) -> float:
    sizes = [architecture.features, *architecture.hidden, outputs]
    return float(sum(a * b for a, b in pairwise(sizes)))


def run(name: str, seed: int, options: argparse.Namespace, images: data.ImageSet) -> dict[str, Any]:
    params = RECIPES[name] | {"random_state": seed, "precision": options.precision}
    if options.budget:
        params["max_time"] = options.budget
    before = 0.0
    if options.checkpoint:
        params["checkpoint"] = options.checkpoint
        if options.checkpoint.exists():
            before = read(options.checkpoint)[1]["training"]["seconds"]
    model = TSimCNE(**params)
    seen = images.images[images.references] if options.new else images.images
    started = time.perf_counter()
    model.fit(seen, resume=options.checkpoint is not None)
    # The seconds that a run in slices had taken before its last checkpoint count too.
    seconds = before + time.perf_counter() - started
    Y = model.transform(images.images)
    result = {
        "recipe": name,
        "data": options.data,
        "budget": options.budget,
        "seed": seed,
        "labels": options.labels,
        "plane": "parametric" if model._places is None else "points",
        "queries": "new" if options.new else "seen",
        "precision": options.precision,
        "optimizer": model.stages_[0].optimizer,
        "seconds": round(seconds, 1),
        "epochs": [round(e, 2) for e in model.total_epochs_],
        "pflop": round(flop(model, len(seen)) / 1e15, 3),
        "losses": [
            round([row["loss"] for row in model.history_ if row["stage"] == s + 1][-1], 3)
            for s in range(len(model.stages_))
        ],
    }
    result |= {k: round(v, 4) for k, v in score.measures(Y, model.features(images.images), images).items()}
    result["version"] = tsimcne_swift.__version__
    if options.keep:
        np.savez(Path(options.keep) / f"{options.data}-{name}-{options.budget}-{seed}.npz", Y=Y)
        model.save(Path(options.keep) / f"{options.data}-{name}-{options.budget}-{seed}.safetensors")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+", choices=RECIPES)
    parser.add_argument("--data", default="fashion", choices=["cifar10", *data.SETS])
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--budget", default="5min", help="max_time, or '' for the recipe's own epochs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--labels", default="heldout", choices=["heldout", "test"])
    parser.add_argument("--precision", default="float32", choices=_core.PRECISIONS)
    parser.add_argument("--new", action="store_true", help="images that are asked for are not trained on")
    parser.add_argument("--output", type=Path, default=Path("out/quality.jsonl"))
    parser.add_argument("--checkpoint", type=Path, help="of one long run: killed, it goes on from here")
    parser.add_argument("--keep", help="folder for maps and models")
    options = parser.parse_args()
    images = data.load(options.data, options.archive, options.labels)
    for name in options.recipes:
        for seed in options.seeds:
            line = json.dumps(run(name, seed, options, images))
            print(line, flush=True)
            options.output.parent.mkdir(exist_ok=True)
            with open(options.output, "a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
