"""Training steps of other networks beside PyTorch's: torchvision's, as tsimcne 0.4 has them."""

from __future__ import annotations

from collections.abc import Iterator

from ..cost_model import counted
from ..probe import in_turns
from ..rows import Kind, Row
from ..session import Session

# Networks, pixels a side, views in a step.
CASES = (
    ("resnet18_imagenet", 64, 64),
    ("resnet18_imagenet", 224, 16),
    ("resnet50_imagenet", 64, 64),
    ("mobilenetv3_small", 32, 128),
    ("mobilenetv3_large", 32, 128),
    ("efficientnet_v2_s", 32, 64),
)


def run(session: Session) -> Iterator[Row]:
    """Views per second: forward pass, loss, backward pass and SGD; ours makes its views as well."""
    # Compiling takes PyTorch a minute for each network.
    for network, size, views in CASES[: session.smaller(len(CASES), 1)]:
        views, size = session.smaller(views, 8), session.smaller(size, 16)
        work = {"network": network, "views": views, "steps": session.smaller(3, 1), "size": size}
        works = {"ours": session.ours("backbone", **work)}
        for name in ("eager", "compiled"):
            works[name] = session.pytorch("backbone", **work, compiled=name == "compiled")
        measured = in_turns(works, session.runs)
        ours = measured.pop("ours")
        yield Row(
            f"training, {network}, {views} views of {size}×{size}",
            "views/s",
            Kind.RATE,
            ours,
            measured,
            {},
            None,
            None,
            gflops=ours.median * 3 * counted(network, size) / 1e9,
        )
