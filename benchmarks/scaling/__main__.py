"""Larger than memory, larger than a machine: tables for docs/scaling.md.

    .venv/bin/python -m benchmarks.scaling memory     # resident memory and speed by n, from disk
    .venv/bin/python -m benchmarks.scaling batch      # a batch of 8,192 images at width 64 within 4 GB
    .venv/bin/python -m benchmarks.scaling ranks      # strong and weak scaling by mpirun, beside the model's
    .venv/bin/python -m benchmarks.scaling more       # what the model says of many machines

Images are noise, in out/scaling; a run is a process of its own. Nothing else may run meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from . import model

FOLDER = Path("out/scaling")
SHAPE = (32, 32, 3)
SMALL, LARGE = 60_000, 2_000_000
# Steps of a run that is measured.
STEPS = 200
WIDTH = 32
# Seconds of a small message in a data centre's Ethernet.
LATENCY = 20e-6


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
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | allowed)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def peak() -> float:
    """MB that were resident at most."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1000


def step_seconds(images: int, batch: int, width: int, epochs: int = 2, **options: Any) -> float:
    """Seconds of a step of the last epoch, for ResNet-18 with two views in 128 dimensions."""
    from tsimcne_swift import Stage, TSimCNE

    model = TSimCNE(
        n_components=128,
        backbone="resnet18",
        width=width,
        hidden_dim=1024,
        n_views=2,
        batch_size=batch,
        total_epochs=[Stage(epochs, 128, metric="cosine")],
        random_state=0,
        **options,
    ).fit(np.load(noise(SMALL, "npy"), mmap_mode="r")[:images])
    return float(model.history_[-1]["seconds"]) / (images // batch)


def one(path: str, kind: str) -> None:
    """Some hundred steps on the images of a file; pages of the file that are mapped are no memory of ours."""
    from tsimcne_swift import Stage, TSimCNE
    from tsimcne_swift._training.loop import Training

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
    # Mapping all images is not measured here.
    Training.map = lambda self: np.zeros((X.shape[0], 2), np.float32)  # type: ignore[method-assign]
    stage = Stage(STEPS * 64 / X.shape[0], 128, metric="cosine", image_size=(16, 16))
    TSimCNE(n_components=128, total_epochs=[stage], max_memory="500MB", random_state=0).fit(X)
    rate = 64 * len(times[20:]) / sum(times[20:])
    print(json.dumps({"images_per_second": rate, "peak": peak() - before}))


def memory() -> None:
    """Print the medians of three runs, which take turns."""
    rows = [(SMALL, "memory"), (SMALL, "npy"), (LARGE, "npy"), (SMALL, "zarr"), (LARGE, "zarr")]
    found = [
        [child("one", str(noise(n, "npy" if kind == "memory" else kind)), kind) for n, kind in rows]
        for _ in range(3)
    ]
    print("| images | where | images/s | peak above the start, MB |")
    print("|---|---|---|---|")
    for (n, kind), runs in zip(rows, zip(*found, strict=True), strict=True):
        rate, peak = (float(np.median([run[name] for run in runs])) for name in ("images_per_second", "peak"))
        print(f"| {n:,} | {kind} | {rate:,.0f} | {peak:,.0f} |")


def batch() -> None:
    found = child("large_batch")
    print(
        f"batch 8,192, width 64, 2 views: {found['seconds']:.0f} s a step, peak {found['peak'] / 1000:.2f} GB"
    )


def large_batch() -> None:
    print(json.dumps({"seconds": step_seconds(8192, 8192, 64, max_memory="3GB"), "peak": peak()}))


def ranks() -> None:
    """A rank has one thread: two of them are two machines whose memory is one."""
    link = model.Link(**child("link", ranks=2) | child("overhead"))
    messages = model.traffic("resnet18", WIDTH, 1024, 2)
    print(
        f"{link.latency * 1e6:.1f} µs and {link.bandwidth / 1e9:.1f} GB/s between two ranks, "
        f"{link.overhead * 1e6:.0f} µs for a message's way to Python and back\n"
    )
    print("| scaling | ranks | batch | s a step | expected | speed | messages, MB | s in them | expected |")
    print("|---|---|---|---|---|---|---|---|---|")
    alone = {size: child("rank", str(size))["seconds"] for size in (64, 128)}
    beside = _beside(64)
    print(f"(two processes that know nothing of each other: {beside:.3f} s a step of 64)", flush=True)
    for name, sizes in (("strong", (128, 128)), ("weak", (64, 128))):
        for count, size in zip((1, 2), sizes, strict=True):
            took, waited = alone[size], 0.0
            if count > 1:
                found = child("rank", str(size), ranks=count)
                took, waited = found["seconds"], found["exchange"]
            sent = messages.seconds(size, count, link)
            expected = (alone[size] if count == 1 else beside) + sent
            speed = size / took * alone[sizes[0]] / sizes[0]
            print(
                f"| {name} | {count} | {size} | {took:.3f} | {expected:.3f} | {speed:.2f} | "
                f"{messages.count}, {messages.bytes(size) / 1e6:.1f} | {waited:.3f} | {sent:.3f} |",
                flush=True,
            )


def _beside(size: int) -> float:
    """Seconds of a step while another process does the same."""
    with ThreadPoolExecutor(2) as pool:
        return max(pool.map(lambda _: child("rank", str(size))["seconds"], range(2)))


def link() -> None:
    """Latency and bandwidth of messages between two ranks."""
    from mpi4py import MPI

    def seconds(values: np.ndarray[Any, Any]) -> float:
        times = []
        for _ in range(50):
            MPI.COMM_WORLD.Barrier()
            started = time.perf_counter()
            MPI.COMM_WORLD.Allreduce(MPI.IN_PLACE, values)
            times.append(time.perf_counter() - started)
        return float(np.median(times))

    small, large = seconds(np.ones(2)), seconds(np.ones(1 << 22, np.float32))
    if MPI.COMM_WORLD.Get_rank() == 0:
        print(json.dumps({"latency": small / 2, "bandwidth": 4 * (1 << 22) / large}))


def rank(size: str) -> None:
    """A rank with one thread."""
    from mpi4py import MPI
    from tsimcne_swift._training.ranks import Ranks

    images, batch = 6400, int(size)
    spent: list[float] = []
    exchange = Ranks.exchange

    def timed(*arguments: Any) -> bool:
        started = time.perf_counter()
        result = exchange(*arguments)
        spent.append(time.perf_counter() - started)
        return result

    Ranks.exchange = timed  # type: ignore[method-assign]
    seconds = step_seconds(images, batch, WIDTH, epochs=1, n_jobs=1, comm=MPI.COMM_WORLD)
    if MPI.COMM_WORLD.Get_rank() == 0:
        print(json.dumps({"seconds": seconds, "exchange": sum(spent) / (images // batch)}))


def more() -> None:
    """Print what the model says of batches of 4,096 images with 2 views, by machines and by network."""
    batch, views = 4096, 2
    overhead = child("overhead")["overhead"]
    print(f"{1e6 * overhead:.0f} µs for a message's way to Python and back\n")
    print("| width | machines | arithmetic, s | loss, s | messages at 10; 100 Gbit/s, s | images/s |")
    print("|---|---|---|---|---|---|")
    for width in (16, 64):
        messages = model.traffic("resnet18", width, 1024, views)
        for machines in (1, 8, 64, 512):
            own = batch // machines
            # A larger part takes as many times the seconds of 512 images.
            measured = min(512, own)
            arithmetic = child("arithmetic", str(width), str(measured))["seconds"] * own / measured
            loss = child("loss", str(batch), str(own))["seconds"]
            at = [
                messages.seconds(batch, machines, model.Link(LATENCY, gigabits * 1e9 / 8, overhead))
                for gigabits in (10, 100)
            ]
            rates = "; ".join(f"{batch / (arithmetic + loss + t):,.0f}" for t in at)
            sent = "; ".join(f"{t:.3f}" for t in at)
            print(f"| {width} | {machines} | {arithmetic:.2f} | {loss:.3f} | {sent} | {rates} |", flush=True)


def arithmetic(width: str, batch: str) -> None:
    """A step's seconds on this machine, without the loss of others' images."""
    print(json.dumps({"seconds": step_seconds(4 * int(batch), int(batch), int(width))}))


def loss(batch: str, part: str) -> None:
    """Seconds of a part's share in the loss of a batch with two views."""
    from tsimcne_swift import _core
    from tsimcne_swift._stages.stage import METRICS

    images, own = int(batch), int(part)
    embeddings = np.random.default_rng(0).standard_normal((2 * images, 128)).astype(np.float32)
    own_scales, scales = np.empty(2 * own, np.float32), np.ones(2 * images, np.float32)
    gradient = np.empty((2 * own, 128), np.float32)
    similarity: dict[str, Any] = {
        "first": 0,
        "count": own,
        "views": 2,
        "metric": METRICS["cosine"],
        "temperature": 0.5,
        "threads": 0,
    }
    times = []
    for _ in range(5):
        started = time.perf_counter()
        _core.infonce_sums(embeddings, own_scales, **similarity)
        _core.infonce_gradient(embeddings, scales, gradient, **similarity)
        times.append(time.perf_counter() - started)
    print(json.dumps({"seconds": float(np.median(times))}))


def overhead() -> None:
    """Seconds to copy a small array to Python, and back."""
    from tsimcne_swift._networks.network import Architecture, Network

    core = Network(Architecture("resnet18", 16, "mlp", (1024,), 3), 128, None).core
    kind, name = core.arrays()[0]
    started = time.perf_counter()
    for _ in range(1000):
        shape, format, values = core.array(kind, name)
        core.set_array(kind, name, np.frombuffer(values, np.dtype(format)).reshape(shape))
    print(json.dumps({"overhead": (time.perf_counter() - started) / 1000}))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
