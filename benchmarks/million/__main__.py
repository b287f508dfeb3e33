"""``python -m benchmarks.million``: neighbours and planes by the number of rows, beside other libraries.

Each runs in a process of its own, whose seconds of processor, seconds and memory above the rows are printed,
with the recall of the true neighbours of some rows, or how many of them the map has kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from . import whole
from .data import load, mixture
from .planes import PLANES
from .searches import SEARCHES, K

# Rows whose true neighbours are known, and columns of vectors.
ASKED, COLUMNS = 1000, 256


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--part", choices=("neighbors", "plane", "whole"), default="neighbors")
    parser.add_argument("--data", choices=("mixture", "fashion", "zip"), default="mixture")
    parser.add_argument("--archive", help="zip file of pictures, for --data zip")
    parser.add_argument("--rows", type=float, default=1e6, help="at most so many")
    parser.add_argument("--only", help="names, with commas between them")
    parser.add_argument(
        "--folder", type=Path, help="of the pictures, for --part whole, made where they are not"
    )
    parser.add_argument("--target", type=Path, help="where its model, map and page go")
    parser.add_argument("--max-time", default="10min", help="of its training and plane")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(arguments.part, *arguments.child)
    n = int(arguments.rows)
    if arguments.part == "whole":
        return from_files(arguments.folder, arguments.target, n, arguments.max_time)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        is_plane = arguments.part == "plane"
        rows = mixture(n, COLUMNS) if is_plane else load(arguments.data, n, arguments.archive)
        np.save(path, rows)
        asked, true = truth(rows)
        names = (arguments.only or ",".join(PLANES if is_plane else SEARCHES)).split(",")
        for name in names:
            print(json.dumps(measured(name, arguments.part, path, rows, asked, true)), flush=True)


def from_files(folder: Path | None, target: Path | None, count: int, max_time: str) -> None:
    """From files to a page."""
    if folder is None or target is None:
        raise SystemExit("--folder, --target: want both for --part whole")
    whole.make(folder, count)
    steps = Steps()
    whole.run(folder, target, max_time, steps, lambda figures: print(json.dumps(figures), flush=True))
    print(json.dumps(steps.total() | {"steps": steps.figures}))


def truth(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some rows, and their nearest by comparison with all."""
    from tsimcne_swift._plane.neighbors import nearest_to

    some = np.random.Generator(np.random.Philox(1)).choice(len(rows), min(ASKED, len(rows)), replace=False)
    found = nearest_to(rows[some], rows, K + 1, 0)
    return some, np.array([line[line != own][:K] for line, own in zip(found, some, strict=True)])


def measured(
    name: str, part: str, path: Path, rows: np.ndarray, asked: np.ndarray, true: np.ndarray
) -> dict[str, float | str | int]:
    """One run's figures."""
    result = path.with_name("result.npy")
    command = [sys.executable, "-m", "benchmarks.million", "--part", part]
    run = subprocess.run(
        [*command, "--child", name, str(path), str(result)], stdout=subprocess.PIPE, text=True, check=False
    )
    figures: dict[str, float | str | int] = {"name": name, "part": part, "rows": len(rows)}
    if run.returncode != 0:
        return figures | {"failed": run.returncode}
    figures |= json.loads(run.stdout.splitlines()[-1])
    found = np.load(result)
    if part == "plane":
        from scipy.spatial import cKDTree

        # As many of the map as an image has neighbours, and itself.
        near = cKDTree(found).query(found[asked], K + 1)[1]
        figures["kept"] = shared(near, true)
    else:
        figures["recall"] = shared(found[asked], true)
    return figures


def shared(found: np.ndarray, true: np.ndarray) -> float:
    """The share of the true neighbours that are among those that were found."""
    both = [len(np.intersect1d(a, b)) for a, b in zip(found, true, strict=True)]
    return round(float(np.mean(both)) / true.shape[1], 4)


def child(part: str, name: str, path: str, result: str) -> None:
    """Measure in this process, which has the rows in memory; a small piece of the work comes first."""
    rows = np.load(path)
    some = rows[:: max(1, len(rows) // 2000)].copy()
    # Libraries are loaded, and what is compiled is compiled.
    if part == "plane":
        PLANES[name](some, lambda step: None)
        steps = Steps()
        found = PLANES[name](rows, steps.done)
    else:
        SEARCHES[name](some)
        steps = Steps()
        found = SEARCHES[name](rows)
        steps.done("all")
    np.save(result, found)
    print(json.dumps(steps.total() | {"steps": steps.figures}))


class Steps:
    """Seconds of the processor, seconds, and most memory above that of the beginning, of each step."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, float]] = {}
        self._memory = memory("VmRSS")
        self._begin()

    def done(self, step: str) -> None:
        """A step, or a part of it, is over, and the next begins."""
        before = self.figures.get(step, {"cpu_seconds": 0.0, "seconds": 0.0, "megabytes": 0})
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        self.figures[step] = {
            "cpu_seconds": round(before["cpu_seconds"] + cpu, 1),
            "seconds": round(before["seconds"] + wall, 1),
            "megabytes": max(before["megabytes"], round((memory("VmHWM") - self._memory) / 1e6)),
        }
        self._begin()

    def total(self) -> dict[str, float]:
        """Of all steps."""
        steps = self.figures.values()
        sums = {name: round(sum(step[name] for step in steps), 1) for name in ("cpu_seconds", "seconds")}
        return sums | {"megabytes": max(step["megabytes"] for step in steps)}

    def _begin(self) -> None:
        # The most memory is counted anew.
        Path("/proc/self/clear_refs").write_text("5")
        self._cpu, self._wall = time.process_time(), time.perf_counter()


def memory(name: str) -> int:
    """Bytes of this process, by their name in its status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


if __name__ == "__main__":
    main()
