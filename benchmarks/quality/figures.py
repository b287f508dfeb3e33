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
MINUTES = (1, 2, 5, 10, 30, 60, 180)
# The package's own recipes, shortest first: they make one curve.
CURVE = ("fast", "default", "best")
PEERS = {"opentsne": "openTSNE", "umap": "UMAP"}
# What is drawn, in which colour, and how far above it its value is written, in points.
OURS = (("knn_features", "features (cosine)", "#0072B2", 6), ("knn_map", "map, 2-D", "#D55E00", -14))


def minutes_of(budget: str) -> float:
    return check_duration("budget", budget) / 60


def curve(results: Path, labels: str, plane: str, queries: str, target: Path) -> None:
    """The kNN accuracy in 2-D and in the features by budget, as a mean over seeds, beside peers' maps.

    Of runs of one recipe, budget and seed the last one counts. Peers of features are drawn at the seconds of
    training and their own.
    """
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    rows = [row for row in rows if row.get("data") == "cifar10" and row["labels"] == labels]
    figure, axes = plt.subplots(figsize=(7, 4.5))
    # The oldest rows are of heads, and of images that were seen.
    own = {
        (row["budget"], row["recipe"], row["seed"]): row
        for row in rows
        if row["recipe"] in CURVE
        and (row.get("plane", "parametric"), row.get("queries", "seen")) == (plane, queries)
    }
    budgets = sorted({budget for budget, _, _ in own}, key=minutes_of)
    minutes = [minutes_of(budget) for budget in budgets]
    for key, name, color, above in OURS:
        values = [[row[key] for row in own.values() if row["budget"] == budget] for budget in budgets]
        axes.plot(minutes, [np.mean(several) for several in values], "o-", color=color, label=name)
        for minute, several in zip(minutes, values, strict=True):
            axes.plot([minute] * len(several), several, ".", color=color, alpha=0.5)
            axes.annotate(
                f"{np.mean(several):.2f}",
                (minute, np.mean(several)),
                (0, above),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=color,
            )
    for peer, name in PEERS.items():
        # The oldest rows do not say how long what they are of was trained.
        found = [row for row in rows if row["recipe"] == peer and (row["of"] == "pixels" or "trained" in row)]
        for row in found:
            of, minute = row["of"], (row.get("trained", 0) + row["seconds"]) / 60
            axes.plot(minute, row["knn_map"], "x", color="#555555")
            what = "pixels" if of == "pixels" else "these features"
            axes.annotate(f" {name} of {what}", (minute, row["knn_map"]), fontsize=8, va="bottom")
    axes.set(xscale="log", xlabel="minutes on 2 cores", ylabel="kNN accuracy (k = 15)", ylim=(0.2, 0.85))
    # Names of peers want room.
    axes.set_xlim(right=4 * max(minutes))
    shown = [minute for minute in MINUTES if minute <= 4 * max(minutes)]
    axes.set_xticks(shown, [str(minute) for minute in shown])
    axes.minorticks_off()
    axes.legend(loc="lower right", frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110, bbox_inches="tight")
    plt.close(figure)


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
    parser.add_argument("--queries", default="new", choices=["new", "seen"])
    parser.add_argument("--data", default="cifar10", choices=list(NAMES))
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.what == "curve":
        target = options.output or Path("docs/images/recipes-curve.png")
        curve(options.results, options.labels, options.plane, options.queries, target)
        return
    images = data.load(options.data, options.archive, "test")
    target = options.output or Path("out") / f"{options.path.stem}.png"
    draw_map(options.path, images, NAMES[options.data], target)


if __name__ == "__main__":
    main()
