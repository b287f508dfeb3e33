"""Pictures of docs/recipes.md: quality over time, and the maps.

python -m benchmarks.quality.figures curve --results benchmarks/results/quality.jsonl
python -m benchmarks.quality.figures map out/keep/NAME.npz --data cifar10 --archive cifar10-jpeg.zip
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
from tsimcne_swift._durations import check_duration

from . import data

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Okabe and Ito's colours, told apart with any colour vision, and two more.
COLORS = "#E69F00 #56B4E9 #009E73 #F0E442 #0072B2 #D55E00 #CC79A7 #000000 #999999 #8B5A2B".split()
CIFAR = "airplane automobile bird cat deer dog frog horse ship truck".split()
FASHION = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle-boot".split()
NAMES = {"cifar10": CIFAR, "fashion": FASHION, "digits": list("0123456789")}
MINUTES = (5, 15, 30, 60, 180)
# Of the package, shortest first: one curve.
CURVE = ("fast", "default", "best")
ANCHORS = {
    "raw pixels, 3,072-D": (None, 0.336),
    "the paper's stages in 30 minutes (PyTorch)": (30, 0.29),
    "the authors' map: 1,500 epochs on a GPU": (None, 0.888),
}


def minutes_of(budget: str) -> float:
    return check_duration("budget", budget) / 60


def curve(results: Path, labels: str, target: Path) -> None:
    """2-D kNN and that of the features over the budget, mean over seeds, with the anchors."""
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    rows = [r for r in rows if r["data"] == "cifar10" and r["labels"] == labels and r["recipe"] in CURVE]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for key, name, color in (
        ("knn_features", "features (cosine)", COLORS[1]),
        ("knn_map", "map, 2-D", COLORS[5]),
    ):
        budgets = sorted({r["budget"] for r in rows}, key=minutes_of)
        values = [[r[key] for r in rows if r["budget"] == budget] for budget in budgets]
        minutes = [minutes_of(budget) for budget in budgets]
        axes.plot(minutes, [np.mean(v) for v in values], "o-", color=color, label=name)
        for minute, several in zip(minutes, values, strict=True):
            axes.plot([minute] * len(several), several, ".", color=color, alpha=0.5)
    for name, (minute, value) in ANCHORS.items():
        if minute is None:
            axes.axhline(value, color="#999999", linewidth=1, linestyle=":")
            axes.annotate(name, (4, value), fontsize=8, va="bottom")
        else:
            axes.plot(minute, value, "x", color="black")
            axes.annotate(name, (minute, value), fontsize=8, va="bottom", ha="center")
    axes.set(
        xscale="log", xlabel="minutes of fit on 2 cores", ylabel="kNN accuracy (k = 15)", ylim=(0.2, 0.95)
    )
    axes.set_xticks(MINUTES, [str(m) for m in MINUTES])
    axes.minorticks_off()
    axes.legend(frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110, bbox_inches="tight")


def draw_map(path: Path, images: data.ImageSet, names: list[str], target: Path) -> None:
    """All points, in colours of their classes, in random order."""
    with np.load(path) as file:
        Y = file["Y"]
    low, high = np.percentile(Y, 0.2, axis=0), np.percentile(Y, 99.8, axis=0)
    figure, axes = plt.subplots(figsize=(8, 8))
    order = np.random.default_rng(0).permutation(len(Y))
    colors = np.array(COLORS)[images.labels[order]]
    axes.scatter(*Y[order].T, s=1.5, c=colors, linewidths=0, alpha=0.7)
    for k, name in enumerate(names):
        axes.scatter([], [], c=COLORS[k], label=name)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
    axes.set_aspect("equal")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=100, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["curve", "map"])
    parser.add_argument("path", nargs="?", type=Path, help="of a map that --keep kept")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/quality.jsonl"))
    parser.add_argument("--labels", default="test", choices=["heldout", "test"])
    parser.add_argument("--data", default="cifar10", choices=list(NAMES))
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.what == "curve":
        curve(options.results, options.labels, options.output or Path("docs/images/quality-time.png"))
        return
    images = data.load(options.data, options.archive, "test")
    target = options.output or Path("out") / f"{options.path.stem}.png"
    draw_map(options.path, images, NAMES[options.data], target)


if __name__ == "__main__":
    main()
