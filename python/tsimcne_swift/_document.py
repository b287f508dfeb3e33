"""The JSON document of a file: what the arrays are, and whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ._network import Architecture, Network, Normalization
from ._params import from_json, to_json
from ._stages import Stage

# Of the document; raised when older readers would misread it.
FORMAT = 1


def describe(
    kind: str,
    *,
    params: dict[str, Any],
    network: Network,
    image_shape: Sequence[int],
    batch_size: int | None,
    stages: Sequence[Stage],
    history: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """The document of a model or a checkpoint."""
    from . import __version__

    return {
        "format": FORMAT,
        "version": __version__,
        "kind": kind,
        "params": params,
        "architecture": asdict(network.architecture),
        "outputs": network.outputs,
        "image_shape": list(image_shape),
        "batch_size": batch_size,
        "stages": to_json(stages),
        "history": list(history),
    }


class Reader:
    """Reads a document; whatever is not as it was written is a ValueError that names the file."""

    def __init__(self, document: dict[str, Any], name: str) -> None:
        self.document = document
        self.name = name
        if document.get("format") != FORMAT:
            raise ValueError(
                f"{name}: has format {document.get('format')!r}, this version reads {FORMAT}; "
                f"it was written by version {document.get('version')!r}"
            )

    def _damaged(self, error: Exception) -> ValueError:
        return ValueError(f"{self.name}: its document is damaged ({error!r})")

    def params(self) -> dict[str, Any]:
        try:
            return {str(name): from_json(value) for name, value in self.document["params"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._damaged(error) from error

    def stages(self) -> list[Stage]:
        try:
            return [stage for stage in from_json(self.document["stages"]) if isinstance(stage, Stage)]
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(error) from error

    def history(self) -> list[dict[str, Any]]:
        history = self.document.get("history")
        if not isinstance(history, list) or not all(isinstance(row, dict) for row in history):
            raise self._damaged(TypeError("history"))
        return history

    def image_shape(self) -> tuple[int, ...]:
        try:
            height, width, channels = (int(value) for value in self.document["image_shape"])
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(error) from error
        return height, width, channels

    def network(self, normalization: Normalization | None) -> Network:
        """A network of the right shapes; its arrays are still to be read."""
        try:
            return Network(
                Architecture(**self.document["architecture"]), self.document["outputs"], normalization
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._damaged(error) from error
