"""t-SimCNE in PyTorch, as short as it can be said: what the core is compared with.

Written from the paper (Böhm, Berens and Kobak 2023) for float64, in which rounding is far below the
tolerances of the tests: float32 PyTorch has errors of the same size as those of the core, so that
comparing two of them would say little about either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain, pairwise

import numpy as np
import torch
from formula import BLOCKS, BOTTLENECKS
from torch import nn
from torch.nn import functional
from tsimcne_swift import _core

OUTPUT_LAYER = "projection_head.layers.2"


def conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class Block(nn.Module):
    """Two 3x3 convolutions, or a bottleneck, beside a shortcut that is projected where shapes differ."""

    def __init__(self, inputs: int, width: int, stride: int, is_bottleneck: bool) -> None:
        super().__init__()
        outputs = 4 * width if is_bottleneck else width
        if is_bottleneck:
            convolutions = [conv(inputs, width, 1), conv(width, width, 3, stride), conv(width, outputs, 1)]
        else:
            convolutions = [conv(inputs, width, 3, stride), conv(width, width, 3)]
        self.length = len(convolutions)
        for i, convolution in enumerate(convolutions, 1):
            setattr(self, f"conv{i}", convolution)
            setattr(self, f"bn{i}", nn.BatchNorm2d(convolution.out_channels))
        self.shortcut = nn.Sequential()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    @property
    def normalized(self) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        return [(getattr(self, f"conv{i}"), getattr(self, f"bn{i}")) for i in range(1, self.length + 1)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for i, (convolution, normalization) in enumerate(self.normalized):
            y = normalization(convolution(functional.relu(y) if i else y))
        return functional.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    """A ResNet for small images: a 3x3 stem without pooling."""

    def __init__(self, depth: int, width: int, channels: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(channels, width, 3), nn.BatchNorm2d(width)
        inputs, is_bottleneck = width, depth in BOTTLENECKS
        for i, count in enumerate(BLOCKS[depth]):
            blocks = []
            for block in range(count):
                blocks.append(Block(inputs, width * 2**i, 2 if i and not block else 1, is_bottleneck))
                inputs = width * 2**i * (4 if is_bottleneck else 1)
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.features = inputs

    def third_level(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        return self.layer3(self.layer2(self.layer1(x)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer4(self.third_level(x)).mean(dim=(2, 3))


class ProjectionHead(nn.Module):
    def __init__(self, features: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        sizes = [features, *hidden]
        pairs = [(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(sizes)]
        self.layers = nn.Sequential(*chain(*pairs), nn.Linear(sizes[-1], outputs))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return self.layers(h)


class Network(nn.Module):
    """Images (count, height, width, channels) to embeddings.

    Parameters
    ----------
    mean, deviation : sequence of float, optional
        Values per channel: the mean is subtracted from the pixels, which are then divided by the deviation.
    """

    def __init__(
        self,
        depth: int,
        base_width: int,
        channels: int,
        hidden_dims: Sequence[int],
        output_dim: int,
        mean: Iterable[float] | None = None,
        deviation: Iterable[float] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = ResNet(depth, base_width, channels)
        self.projection_head = ProjectionHead(self.backbone.features, hidden_dims, output_dim)
        self.pixels = None if mean is None else (torch.tensor(mean), torch.tensor(deviation))
        self.double()

    def pixels_of(self, images: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(images).to(self.backbone.conv1.weight.dtype)
        if self.pixels:
            x = (x - self.pixels[0]) / self.pixels[1]
        return x.permute(0, 3, 1, 2)

    def features(self, images: np.ndarray) -> torch.Tensor:
        return self.backbone(self.pixels_of(images))

    def levels(self, images: np.ndarray) -> torch.Tensor:
        """Means over 3×3 parts of what the last level reads, upper left channels first; then features."""
        plane = self.backbone.third_level(self.pixels_of(images))
        parts = functional.adaptive_avg_pool2d(plane, 3).permute(0, 2, 3, 1).flatten(1)
        return torch.cat([parts, self.features(images)], 1)

    def forward(self, images: np.ndarray) -> torch.Tensor:
        return self.projection_head(self.features(images))

    def load(self, state: dict[str, np.ndarray]) -> None:
        """Take all parameters and running statistics from arrays in PyTorch's layouts."""
        tensors = {name: torch.from_numpy(value) for name, value in state.items()}
        lacking = self.load_state_dict(tensors, strict=False)
        assert not lacking.unexpected_keys, lacking
        assert all(key.endswith("num_batches_tracked") for key in lacking.missing_keys), lacking

    @torch.no_grad()
    def add(self, moves: dict[str, np.ndarray]) -> None:
        for name, move in moves.items():
            self.get_parameter(name).add_(torch.from_numpy(move))

    def replace_output(self, weight: np.ndarray, bias: np.ndarray) -> None:
        layer = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        self.projection_head.layers[-1] = layer


METRICS = tuple(_core.METRICS)


def infonce(
    z: torch.Tensor, metric: str, temperature: float | torch.Tensor, views: int = 2, degrees: float = 1.0
) -> torch.Tensor:
    """InfoNCE of embeddings, first views first, from the differences of all pairs.

    The other views of an image are its positives, whose logits are averaged; of more than two views all
    that are not the row itself are rivals.

    Examples
    --------
    >>> infonce(torch.zeros(4, 2), "euclidean", 1.0).exp()  # three equal rivals for each view
    tensor(3., dtype=torch.float64)
    """
    z = z.double()
    count = len(z)
    if metric != "cosine":
        squares = temperature**2 * (z[:, None] - z[None]).square().sum(-1)
        logits = -squares if metric == "gauss" else -torch.log1p(squares)
        if metric == "student_t":
            logits = -(degrees + 1) / 2 * torch.log1p(squares / degrees)
    else:
        unit = functional.normalize(z)
        logits = unit @ unit.T / temperature
    images = torch.arange(count) % (count // views)
    itself = torch.eye(count, dtype=torch.bool)
    positives = (images[:, None] == images[None]) & ~itself
    positive = (logits * positives).sum(1) / (views - 1)
    return (logits.masked_fill(itself, -torch.inf).logsumexp(1) - positive).mean()


SHAPES = tuple(_core.SHAPES)


def warmup_of(x: np.ndarray, shape: str) -> np.ndarray:
    """Share of the peak where the part ``x`` of the warm-up, 0 to 1, is over."""
    return 0.04 + 0.96 * (1 - np.cos(np.pi * x)) / 2 if shape == "onecycle" else x


def decline_of(x: np.ndarray, shape: str) -> np.ndarray:
    """Share of the peak where the part ``x``, 0 to 1, of what follows the warm-up is over."""
    if shape == "constant":
        return np.ones_like(x)
    if shape == "linear":
        return 1 - x
    cosine = 0.5 * (1 + np.cos(np.pi * x))
    return 4e-6 + (1 - 4e-6) * cosine if shape == "onecycle" else cosine


def epoch_schedule(peak: float, epochs: int, warmup: int, shape: str = "cosine") -> np.ndarray:
    """Learning rate of each epoch: warm-up from its very start, then the shape.

    With fewer epochs than warm-up epochs the peak is never reached.
    """
    falling = max(0, 1 + epochs - warmup)
    rise = peak * warmup_of(np.linspace(0, 1, warmup), shape)
    fall = peak * decline_of(np.arange(falling) / max(1, falling), shape)
    return np.concatenate([rise, fall])[:epochs]


def batch_schedule(peak: float, steps: int, warmup: float, shape: str = "cosine") -> np.ndarray:
    """Learning rate of each step of a stage: ``warmup`` is the share of steps that rise."""
    rising = int(warmup * steps)
    rise = peak * warmup_of(np.arange(1, rising + 1) / max(1, rising), shape)
    falling = np.arange(steps - rising) / max(1, steps - rising)
    return np.concatenate([rise, peak * decline_of(falling, shape)])


class LARS(torch.optim.Optimizer):
    """You, Gitman and Ginsburg (2017): matrices and kernels move in proportion to their own norms."""

    def __init__(self, groups: list[dict], lr: float, momentum: float) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                move = parameter.grad + group["weight_decay"] * parameter
                size, slope = parameter.norm(), parameter.grad.norm()
                if parameter.dim() > 1 and size > 0 and slope > 0:
                    move *= 0.001 * size / (slope + group["weight_decay"] * size)
                velocity = self.state[parameter].setdefault("velocity", torch.zeros_like(parameter))
                velocity.mul_(group["momentum"]).add_(move)
                parameter.sub_(group["lr"] * velocity)


class Muon(torch.optim.SGD):
    """Jordan et al. (2024): the momentum of matrices, with singular values near to 1.

    Here a matrix of many rows moves in blocks of at most 128 columns, each in proportion to its length, which
    it keeps. All else moves by Nesterov's SGD.
    """

    WIDEST = 128

    def __init__(self, groups: list[dict], lr: float, momentum: float, matrices: list[nn.Parameter]) -> None:
        super().__init__(groups, lr=lr, momentum=momentum, nesterov=True)
        self.matrices = matrices
        self.velocities = [torch.zeros_like(p) for p in matrices]

    @torch.no_grad()
    def step(self) -> None:
        momentum, rate = (self.param_groups[0][name] for name in ("momentum", "lr"))
        for parameter, velocity in zip(self.matrices, self.velocities, strict=True):
            velocity.mul_(momentum).add_(parameter.grad)
            ahead = self.matrix(parameter.grad + momentum * velocity)
            blocks = -(-ahead.shape[1] // self.WIDEST) if len(ahead) > self.WIDEST else 1
            edges = [ahead.shape[1] * i // blocks for i in range(blocks + 1)]
            weights = self.matrix(parameter).clone()
            for first, end in pairwise(edges):
                block = weights[:, first:end]
                length, direction = block.norm(), self.orthogonal(ahead[:, first:end])
                block -= rate * length * direction / direction.norm()
                block *= length / block.norm()
            if parameter.dim() == 4:
                outputs, inputs, *kernel = parameter.shape
                weights = weights.reshape(*kernel, inputs, outputs).permute(3, 2, 0, 1)
            parameter.copy_(weights)
            parameter.grad = None
        super().step()

    @staticmethod
    def matrix(kernel: torch.Tensor) -> torch.Tensor:
        """(kernel row, kernel column, in) × out; a linear layer's weights as they are."""
        return kernel if kernel.dim() == 2 else kernel.permute(2, 3, 1, 0).flatten(0, 2)

    @staticmethod
    def orthogonal(x: torch.Tensor) -> torch.Tensor:
        is_tall, dtype = len(x) > x.shape[1], x.dtype
        x = (x.T if is_tall else x).double()
        x = x / x.norm()
        for _ in range(5):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        return (x.T if is_tall else x).to(dtype)


def make_optimizer(
    parameters: list[nn.Parameter], stage: dict[str, float], output: Collection[nn.Parameter] = ()
) -> torch.optim.Optimizer:
    """An optimiser of two groups: biases and BatchNorm, which decay or not, and all else."""
    decay, momentum = stage["weight_decay"], stage["momentum"]
    vectors = [p for p in parameters if p.dim() <= 1]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": decay},
        {"params": vectors, "weight_decay": decay if stage.get("decays_biases", 1) else 0.0},
    ]
    kind = ("SGD", "Nesterov", "AdamW", "LARS", "Adam", "Muon")[stage.get("optimizer", 0)]
    if kind == "Adam":
        return torch.optim.Adam(groups, lr=0.0, betas=(momentum, stage["second_momentum"]), amsgrad=True)
    if kind == "AdamW":
        return torch.optim.AdamW(groups, lr=0.0, betas=(momentum, stage["second_momentum"]))
    if kind == "LARS":
        return LARS(groups, lr=0.0, momentum=momentum)
    if kind == "Muon":
        matrices = [p for p in parameters if p.dim() > 1 and not any(p is other for other in output)]
        return Muon(groups, lr=0.0, momentum=momentum, matrices=matrices)
    return torch.optim.SGD(groups, lr=0.0, momentum=momentum, nesterov=kind == "Nesterov")


def has_narrow_shortcut(network: nn.Module) -> bool:
    """Whether oneDNN is to be left out.

    Its AVX2 kernel for the weight gradient of a 1×1 convolution never ends on some shapes (PyTorch 2.13.0: 16
    planes of 28×28, 4 channels to 8, stride 2, channels last).
    """
    return any(p.dim() == 4 and p.shape[1] < 8 and p.shape[2:] == (1, 1) for p in network.parameters())


class StageTraining:
    """The steps of one stage: a fresh optimiser for what the stage trains, and for nothing else."""

    def __init__(self, network: Network, stage: dict[str, float], view_count: int = 2) -> None:
        self.network, self.stage, self.view_count = network, stage, view_count
        self.has_onednn = not has_narrow_shortcut(network)
        prefix = ("", OUTPUT_LAYER, "projection_head")[stage["trains"]]
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(prefix))
        output = [p for name, p in network.named_parameters() if name.startswith(OUTPUT_LAYER)]
        self.trained = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(self.trained, stage, output)
        # The temperature's logarithm, as tsimcne 0.4 has it: of T² / 2 for distances.
        self.is_cosine = METRICS[stage["metric"]] == "cosine"
        temperature = torch.tensor(stage["temperature"], dtype=torch.float64)
        start = temperature if self.is_cosine else temperature**2 / 2
        self.log_temperature = nn.Parameter(start.log())
        self.of_temperature = make_optimizer([self.log_temperature], stage)
        # BatchNorm follows the batches in all stages: it is not among what is frozen.
        network.train()

    def step(self, views: np.ndarray, learning_rate: float, dimension: int | None = None) -> float:
        """Train on the views of one batch, first views first; return its loss.

        Only the first ``dimension`` outputs count.
        """
        self.optimizer.zero_grad()
        self.of_temperature.zero_grad()
        temperature = self.log_temperature.exp()
        if not self.is_cosine:
            temperature = (2 * temperature).sqrt()
        degrees = self.stage.get("degrees_of_freedom", 1.0)
        z = self.network(views)[:, :dimension]
        loss = infonce(z, METRICS[self.stage["metric"]], temperature, self.view_count, degrees)
        torch.backends.mkldnn.enabled = self.has_onednn
        loss.backward()
        torch.backends.mkldnn.enabled = True
        share = self.stage.get("temperature_rate", 0.0)
        steps = [(self.optimizer, self.trained, 1.0), (self.of_temperature, [self.log_temperature], share)]
        for optimizer, parameters, factor in steps if share else steps[:1]:
            if self.stage["clip_value"]:
                nn.utils.clip_grad_value_(parameters, self.stage["clip_value"])
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * factor
            optimizer.step()
        return loss.item()
