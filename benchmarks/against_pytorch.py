"""Speed beside PyTorch, alternating between the two in one run.

``make bench``: python benchmarks/against_pytorch.py, in the environment of the parity tests.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "parity"))
import tsimcne_swift
from reference import Network, infonce
from tsimcne_swift import _core

RUNS = 3
# Width, image, pairs in a batch.
CASES = [
    (16, (28, 28, 1), 128),
    (16, (32, 32, 3), 128),
    (32, (32, 32, 3), 128),
    (64, (28, 28, 1), 64),
    (64, (32, 32, 3), 128),
]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(
    name: str, unit: str, amount: float, ours: Callable[[], float], peer: Callable[[], float]
) -> None:
    """Prints a row: ``ours`` and ``peer`` return seconds for ``amount`` units."""
    pairs = [(ours(), peer()) for _ in range(RUNS)]
    own, other = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(f"| {name} | {amount / own:.3g} {unit} | {amount / other:.3g} | {other / own:.2f} |", flush=True)


class Peer:
    """PyTorch's step: eager, channels-last; its views are given, so it has no augmentation to do."""

    def __init__(self, width: int, shape: tuple[int, int, int], batch: int) -> None:
        self.network = Network(18, width, shape[2], 1024, 128).float()
        self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)
        self.views = np.random.default_rng(0).random((2 * batch, *shape), np.float32)
        self.step()

    def step(self) -> None:
        self.network.train()
        self.optimizer.zero_grad()
        infonce(self.network(self.views), "cauchy", 1.0).backward()
        self.optimizer.step()

    @torch.no_grad()
    def infer(self) -> None:
        self.network.eval()(self.views)


def compare_network(width: int, shape: tuple[int, int, int], batch: int) -> None:
    steps = 2
    images = np.random.default_rng(1).integers(0, 256, (steps * batch, *shape), dtype=np.uint8)
    model = tsimcne_swift.TSimCNE(width=width, total_epochs=[2], batch_size=batch, random_state=0)
    peer = Peer(width, shape, batch)
    name = f"width {width}, {'×'.join(map(str, shape))}, {2 * batch} views"
    compare(
        f"training, {name}",
        "pairs/s",
        steps * batch,
        # The first epoch allocates; the second one counts.
        lambda: model.fit(images).history_[-1]["seconds"],
        lambda: seconds(lambda: [peer.step() for _ in range(steps)]),
    )
    compare(
        f"inference, {name}",
        "images/s",
        2 * batch,
        lambda: seconds(lambda: model.transform(images[: 2 * batch])),
        lambda: seconds(peer.infer),
    )


def compare_loss(dimension: int, count: int = 8192) -> None:
    z = np.random.default_rng(0).normal(size=(count, dimension)).astype(np.float32)
    gradient = np.empty_like(z)

    def peer() -> None:
        # In single precision, as users run it; the tests' twin is in double.
        x = torch.from_numpy(z).requires_grad_()
        similarity = 1 / (1 + torch.cdist(x, x).square())
        others = similarity.masked_fill(torch.eye(count, dtype=torch.bool), 0).sum(1)
        partners = (torch.arange(count) + count // 2) % count
        positive = similarity[torch.arange(count), partners]
        (others.log() - positive.log()).mean().backward()

    compare(
        f"loss and gradient, {count} × {dimension}",
        "a second",
        1,
        lambda: seconds(lambda: _core.infonce(z, gradient, metric=0, temperature=1.0, threads=0)),
        lambda: seconds(peer),
    )


def main() -> None:
    config = tsimcne_swift.show_config()
    torch.set_num_threads(config["threads"])
    print(f"tsimcne-swift {tsimcne_swift.__version__}, PyTorch {torch.__version__}")
    print(f"{platform.machine()}, {config['level']}, {config['threads']} threads, median of {RUNS} runs\n")
    print("| | here | PyTorch | ratio |\n|---|---|---|---|")
    for dimension in (2, 128):
        compare_loss(dimension)
    for case in CASES:
        compare_network(*case)


if __name__ == "__main__":
    main()
