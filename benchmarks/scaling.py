"""Larger than memory, larger than a machine: tables for docs/scaling.md.

    .venv/bin/python -m benchmarks.scaling memory     # resident memory and speed by n, from disk
    .venv/bin/python -m benchmarks.scaling batch      # a batch of 8,192 images at width 64 within 4 GB
    .venv/bin/python -m benchmarks.scaling ranks      # strong and weak scaling by mpirun, and bytes exchanged

Images are noise, in out/scaling; a run is a process of its own. Nothing else may run meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path("out/scaling")
SHAPE = (32, 32, 3)
SMALL, LARGE = 60_000, 2_000_000
# Of a run that is measured.
STEPS = 200


def noise(n: int, kind: str) -> Path:
    """A file of n images, made once."""
    path = FOLDER / f"{n}.{kind}"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    if kind == "npy":
        target: Any = np.lib.format.open_memmap(path, "w+", np.uint8, (n, *SHAPE))
    else:
        import zarr

        target = zarr.create_array(path, shape=(n, *SHAPE), chunks=(256, *SHAPE), dtype="uint8")
    for first in range(0, n, 20_000):
        last = min(n, first + 20_000)
        target[first:last] = random.integers(0, 256, (last - first, *SHAPE), np.uint8)
    return path


def child(*arguments: str, ranks: int = 0) -> dict[str, Any]:
    """What a process of its own prints as JSON."""
    command = [sys.executable, "-m", "benchmarks.scaling", *arguments]
    if ranks:
        command = ["mpirun", "-n", str(ranks), *command]
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | allowed).stdout
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


def peak() -> float:
    """MB that were resident at most."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1000


def stop_after(steps: int) -> Any:
    from tsimcne_swift import Stage

    return lambda n, batch: [Stage(steps * batch / n, 128, metric="cosine", image_size=(16, 16))]


def one(path: str, kind: str) -> None:
    """Some hundred steps on the images of a file; pages of the file that are mapped are no memory of ours."""
    from tsimcne_swift import TSimCNE
    from tsimcne_swift._training import Training

    if kind == "memory":
        X: Any = np.load(path)
    elif kind == "npy":
        X = np.load(path, mmap_mode="r")
    else:
        import zarr

        X = zarr.open_array(path, mode="r")
    before = peak()
    times: list[float] = []
    count = Training._count

    def counted(self: Training, event: Any, seconds: float) -> None:
        times.append(seconds)
        count(self, event, seconds)

    Training._count = counted  # type: ignore[method-assign]
    # Mapping all images is another matter.
    Training.map = lambda self: np.zeros((len(X), 2), np.float32)  # type: ignore[method-assign]
    TSimCNE(
        n_components=128, total_epochs=stop_after(STEPS)(X.shape[0], 64), max_memory="500MB", random_state=0
    ).fit(X)
    rate = 64 * len(times[20:]) / sum(times[20:])
    print(json.dumps({"images_per_second": rate, "peak": peak() - before}))


def memory() -> None:
    print("| images | where | images/s | peak above the start, MB |")
    print("|---|---|---|---|")
    for n, kind in ((SMALL, "memory"), (SMALL, "npy"), (LARGE, "npy"), (SMALL, "zarr"), (LARGE, "zarr")):
        path = noise(n, "npy" if kind == "memory" else kind)
        found = child("one", str(path), kind)
        print(f"| {n:,} | {kind} | {found['images_per_second']:,.0f} | {found['peak']:,.0f} |", flush=True)


def batch() -> None:
    found = child("large_batch")
    print(
        f"batch 8,192, width 64, 2 views: {found['seconds']:.0f} s a step, peak {found['peak'] / 1000:.2f} GB"
    )


def large_batch() -> None:
    from tsimcne_swift import Stage, TSimCNE

    X = np.load(noise(SMALL, "npy"), mmap_mode="r")[:8192]
    model = TSimCNE(
        n_components=128,
        backbone="resnet18",
        width=64,
        n_views=2,
        batch_size=8192,
        max_memory="3GB",
        total_epochs=[Stage(2, 128, metric="cosine")],
        random_state=0,
    ).fit(X)
    print(json.dumps({"seconds": model.history_[-1]["seconds"], "peak": peak()}))


def ranks() -> None:
    print("| scaling | ranks | batch | seconds a step | of one rank's speed |")
    print("|---|---|---|---|---|")
    for name, sizes in (("strong", (128, 128)), ("weak", (64, 128))):
        first = None
        for count, size in zip((1, 2), sizes, strict=True):
            found = child("rank", str(size), ranks=count)
            speed = size / found["seconds"]
            first = first or speed
            print(f"| {name} | {count} | {size} | {found['seconds']:.3f} | {speed / first:.2f} |", flush=True)


def rank(size: str) -> None:
    """A rank with one thread."""
    from mpi4py import MPI
    from tsimcne_swift import Stage, TSimCNE

    X = np.load(noise(SMALL, "npy"), mmap_mode="r")[:6400]
    started = time.perf_counter()
    model = TSimCNE(
        n_components=128,
        width=32,
        n_views=2,
        batch_size=int(size),
        total_epochs=[Stage(2, 128, metric="cosine")],
        n_jobs=1,
        random_state=0,
        comm=MPI.COMM_WORLD,
    ).fit(X)
    seconds = model.history_[-1]["seconds"] / (len(X) // int(size))
    if MPI.COMM_WORLD.Get_rank() == 0:
        print(json.dumps({"seconds": seconds, "total": time.perf_counter() - started}))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
