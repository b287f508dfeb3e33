"""Pictures of docs/recipes.md and docs/experiments.md: quality over time, and the maps.

python -m benchmarks.quality.figures curve --results benchmarks/results/quality.jsonl
python -m benchmarks.quality.figures map out/keep/NAME.npz --data cifar10 --archive cifar10-jpeg.zip
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
from tsimcne_swift import datasets, plot
from tsimcne_swift._checks.durations import check_duration

from . import data

matplotlib.use("Agg")
import matplotlib.pyplot as plt

CIFAR = "airplane automobile bird cat deer dog frog horse ship truck".split()
NAMES = {"cifar10": CIFAR, "fashion": datasets.FASHION_CLASSES, "digits": list("0123456789")}
MINUTES = (5, 15, 30, 60, 180)
# The package's own recipes, shortest first: they make one curve.
CURVE = ("fast", "default", "best")
ANCHORS = {
    "raw pixels, 3,072-D": (None, 0.336),
    "the paper's stages in 30 minutes (PyTorch)": (30, 0.29),
    "the authors' map: 1,500 epochs on a GPU": (None, 0.888),
}


def minutes_of(budget: str) -> float:
    return check_duration("budget", budget) / 60


def curve(results: Path, labels: str, plane: str, target: Path) -> None:
    """The kNN accuracy in 2-D and in the features by budget, as a mean over seeds, with the anchors."""
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    rows = [r for r in rows if r["data"] == "cifar10" and r["labels"] == labels and r["recipe"] in CURVE]
    # The oldest rows are of heads, and of images that were seen.
    rows = [r for r in rows if r.get("plane", "parametric") == plane and r.get("queries", "seen") == "seen"]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for key, name, color in (
        ("knn_features", "features (cosine)", "#0072B2"),
        ("knn_map", "map, 2-D", "#D55E00"),
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
            axes.annotate(name, (0.01, value), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
        else:
            axes.plot(minute, value, "x", color="black")
            axes.annotate(name, (minute, value), fontsize=8, va="bottom", ha="center")
    axes.set(
        xscale="log", xlabel="minutes of fit on 2 cores", ylabel="kNN accuracy (k = 15)", ylim=(0.2, 0.95)
    )
    axes.set_xticks(MINUTES, [str(m) for m in MINUTES])
    axes.minorticks_off()
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.8), frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110, bbox_inches="tight")


def draw_map(path: Path, images: data.ImageSet, names: list[str], target: Path) -> None:
    """All points, in colours of their classes."""
    with np.load(path) as file:
        Y = file["Y"]
    ax = plot.scatter(Y, images.labels, label_names=names)
    target.parent.mkdir(parents=True, exist_ok=True)
    ax.figure.savefig(target, dpi=100, bbox_inches="tight")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["curve", "map"])
    parser.add_argument("path", nargs="?", type=Path, help="of a map that --keep kept")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/quality.jsonl"))
    parser.add_argument("--labels", default="test", choices=["heldout", "test"])
    parser.add_argument("--plane", default="points", choices=["points", "parametric"])
    parser.add_argument("--data", default="cifar10", choices=list(NAMES))
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.what == "curve":
        target = options.output or Path("docs/images/quality-time.png")
        curve(options.results, options.labels, options.plane, target)
        return
    images = data.load(options.data, options.archive, "test")
    target = options.output or Path("out") / f"{options.path.stem}.png"
    draw_map(options.path, images, NAMES[options.data], target)


if __name__ == "__main__":
    main()
