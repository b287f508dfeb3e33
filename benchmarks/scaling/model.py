"""What a training step on many machines takes, from what one machine and one message take.

step = arithmetic and loss of the own part + messages, one after another (gradients travel while others are
computed, which is left out: the model is an upper bound there). A sum over R ranks of n bytes takes
2 ⌈log₂ R⌉ latencies and 2 (R - 1)/R n / bandwidth (Rabenseifner's algorithm; Thakur et al., IJHPCA 2005), a
gathering ⌈log₂ R⌉ and (R - 1)/R n / bandwidth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tsimcne_swift import _core
from tsimcne_swift._networks.network import Architecture, Network


@dataclass(frozen=True)
class Link:
    """What carries messages.

    Attributes
    ----------
    latency : float
        Seconds of a small message between two machines.
    bandwidth : float
        Bytes a second of one machine.
    overhead : float
        Seconds that a message costs on top, in the core and in Python.
    """

    latency: float
    bandwidth: float
    overhead: float

    def add(self, size: float, ranks: int) -> float:
        hops = math.ceil(math.log2(ranks))
        return 2 * hops * self.latency + 2 * (ranks - 1) / ranks * size / self.bandwidth + self.overhead

    def gather(self, size: float, ranks: int) -> float:
        hops = math.ceil(math.log2(ranks))
        return hops * self.latency + (ranks - 1) / ranks * size / self.bandwidth + self.overhead


@dataclass(frozen=True)
class Traffic:
    """Messages of a step, in bytes.

    Attributes
    ----------
    gradients : list of int
        Bytes of the gradient of each array of parameters.
    statistics : list of int
        Bytes of BatchNorm's sums, two messages for each layer.
    embedding, scale : int
        Bytes of the embeddings, and of the loss's scales, of all views of an image, which are gathered.
    """

    gradients: list[int]
    statistics: list[int]
    embedding: int
    scale: int

    @property
    def sums(self) -> list[int]:
        """Bytes of all sums, with the loss and its derivative with respect to the temperature."""
        return [*self.gradients, *self.statistics, 16]

    def bytes(self, batch: int) -> int:
        return sum(self.sums) + batch * (self.embedding + self.scale)

    @property
    def count(self) -> int:
        return len(self.sums) + 2

    def seconds(self, batch: int, ranks: int, link: Link) -> float:
        if ranks == 1:
            return 0
        gathered = sum(link.gather(batch * size, ranks) for size in (self.embedding, self.scale))
        return gathered + sum(link.add(size, ranks) for size in self.sums)


def traffic(backbone: str, width: int, hidden: int, views: int, outputs: int = 128) -> Traffic:
    """Messages of a step of a network that reads images of three channels."""
    network = Network(Architecture(backbone, width, "mlp", (hidden,), 3), outputs, None)
    gradients, statistics = [], []
    for kind, name in network.core.arrays():
        count = math.prod(network.core.array(kind, name)[0])
        if kind == _core.ARRAY_PARAMETER:
            gradients.append(4 * count)
        elif name.endswith(".running_mean"):
            # A message has sums and squares in float64, and a count; one goes forward and one backward.
            statistics += 2 * [8 * (2 * count + 1)]
    return Traffic(gradients, statistics, 4 * views * outputs, 4 * views)
