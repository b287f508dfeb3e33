"""Training speed beside PyTorch: pairs per second, alternating between the two.

python benchmarks/training.py, in the environment of the parity tests (`make bench`).
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "parity"))
import tsimcne_swift
from reference import Network, infonce

RUNS = 3
CASES = [(width, side, channels) for width in (16, 64) for side, channels in ((28, 1), (32, 3))]


def ours(images: np.ndarray, width: int, batch: int) -> float:
    """Pairs per second of the second epoch: the first one allocates."""
    model = tsimcne_swift.TSimCNE(width=width, total_epochs=[2], batch_size=batch, random_state=0)
    return model.fit(images).history_[-1]["pairs_per_second"]


class Peer:
    def __init__(self, width: int, side: int, channels: int, batch: int) -> None:
        self.network = Network(18, width, channels, 1024, 128).float()
        self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9)
        self.views = np.random.default_rng(0).random((2 * batch, side, side, channels), np.float32)
        self.step()

    def step(self) -> None:
        self.optimizer.zero_grad()
        infonce(self.network(self.views), "cauchy", 1.0).backward()
        self.optimizer.step()

    def measure(self, steps: int) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            self.step()
        return steps * len(self.views) / 2 / (time.perf_counter() - started)


def main() -> None:
    threads = tsimcne_swift.show_config()["threads"]
    torch.set_num_threads(threads)
    print(f"tsimcne-swift {tsimcne_swift.__version__}, PyTorch {torch.__version__}, {threads} threads")
    print(f"{platform.machine()}, {tsimcne_swift.show_config()['level']}, median of {RUNS} runs\n")
    print("| width | image | pairs/s | PyTorch | ratio |\n|---|---|---|---|---|")
    for width, side, channels in CASES:
        batch, steps = (128, 4) if width == 16 else (64, 2)
        shape = (batch * steps, side, side, channels)
        images = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        peer = Peer(width, side, channels, batch)
        pairs = [(ours(images, width, batch), peer.measure(steps)) for _ in range(RUNS)]
        own, other = (statistics.median(values) for values in zip(*pairs, strict=True))
        print(
            f"| {width} | {side}×{side}×{channels} | {own:.0f} | {other:.0f} | {own / other:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
