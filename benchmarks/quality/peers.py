"""openTSNE and UMAP, on pixels or on the features of a model of ours, scored like our maps.

python -m benchmarks.quality.peers opentsne umap --data fashion [--model out/keep/NAME.safetensors]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from tsimcne_swift import TSimCNE

from . import data, score


def opentsne(Z: np.ndarray) -> np.ndarray:
    from openTSNE import TSNE

    return np.asarray(TSNE(n_jobs=-1, random_state=0).fit(Z))


def umap(Z: np.ndarray) -> np.ndarray:
    from umap import UMAP

    return np.asarray(UMAP(n_jobs=-1).fit_transform(Z))


PEERS = {"opentsne": opentsne, "umap": umap}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="+", choices=PEERS)
    parser.add_argument("--data", default="fashion", choices=["cifar10", *data.SETS])
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--labels", default="test", choices=["heldout", "test"])
    parser.add_argument("--model", help="file of a model: its features, of length 1, instead of pixels")
    parser.add_argument("--output", type=Path, default=Path("out/quality.jsonl"))
    parser.add_argument("--keep", help="folder for maps")
    options = parser.parse_args()
    images = data.load(options.data, options.archive, options.labels)
    trained = 0.0
    if options.model:
        model = TSimCNE.load(options.model)
        trained = sum(row["seconds"] for row in model.history_)
        Z = model.features(images.images)
        Z /= np.linalg.norm(Z, axis=1, keepdims=True)
    else:
        Z = (images.images.reshape(len(images.images), -1) / np.float32(255)).astype(np.float32)
    for name in options.peers:
        started = time.perf_counter()
        Y = PEERS[name](Z)
        result = {
            "recipe": name,
            "of": options.model or "pixels",
            "data": options.data,
            "labels": options.labels,
            "trained": round(trained, 1),
            "seconds": round(time.perf_counter() - started, 1),
        }
        result |= {k: round(v, 4) for k, v in score.measures(Y, Z, images).items()}
        line = json.dumps(result)
        print(line, flush=True)
        with open(options.output, "a") as file:
            file.write(line + "\n")
        if options.keep:
            np.savez(Path(options.keep) / f"{options.data}-{name}-{Path(result['of']).stem}.npz", Y=Y)


if __name__ == "__main__":
    main()
