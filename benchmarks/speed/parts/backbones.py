"""Training steps of other networks beside PyTorch's: torchvision's, as tsimcne 0.4 has them."""

from __future__ import annotations

from collections.abc import Iterator

from ..probe import in_turns
from ..rows import Kind, Row
from ..session import Session

# Pixels a side, and views in a step.
CASES = {
    "resnet18_imagenet": (64, 64),
    "resnet50_imagenet": (64, 64),
    "mobilenetv3_small": (32, 128),
    "mobilenetv3_large": (32, 128),
    "efficientnet_v2_s": (32, 64),
}


def run(session: Session) -> Iterator[Row]:
    """Views per second: forward pass, loss, backward pass and SGD; ours makes its views as well."""
    for name, (size, views) in CASES.items():
        work = {
            "name": name,
            "views": session.smaller(views, 8),
            "steps": session.smaller(3, 1),
            "size": session.smaller(size, 16),
        }
        works = {"ours": session.ours("backbone", **work), "eager": session.pytorch("backbone", **work)}
        measured = in_turns(works, session.runs)
        yield Row(
            f"training, {name}, {work['views']} views of {work['size']}",
            "views/s",
            Kind.RATE,
            measured["ours"],
            {"eager": measured["eager"]},
            {},
            None,
            None,
        )
