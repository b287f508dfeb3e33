"""The JSON document of a file: what the arrays are, and whose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._checks.core_limits import check_hidden, check_whole
from .._checks.values import check_choice, check_integer, check_number
from .._eyes.eyes import Eyes, read_eyes
from .._inputs.images import LARGEST, MOST_CHANNELS, SMALLEST
from .._networks.network import HEADS, PREFIXES, Architecture, Network, check_backbone, read_normalization
from .._networks.state_dict import check_shapes
from .._parameters import PARAMETERS
from .._stages.stage import LONGEST_EPOCHS, Stage, check_stage
from .._system.config import show_config
from ..images import Layout
from ..images._decoding._layout import read_layout
from .json_params import from_json, to_json
from .safetensors import Tensors

# Format of the document, which is raised when older readers would misread it.
FORMAT = 1
KINDS = ("model", "checkpoint")
# Errors that reading a changed value may raise; a value nested deeply enough raises the last one.
DAMAGE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def describe(
    kind: str,
    *,
    params: dict[str, Any],
    network: Network,
    image_shape: Sequence[int],
    batch_size: int | None,
    stages: Sequence[Stage],
    history: Sequence[dict[str, Any]],
    eyes: Eyes | None = None,
) -> dict[str, Any]:
    """The document of a model or a checkpoint."""
    document = {
        "format": FORMAT,
        "version": show_config()["version"],
        "kind": kind,
        "params": params,
        "architecture": network.architecture.written(),
        "outputs": network.outputs,
        "image_shape": list(image_shape),
        "batch_size": batch_size,
        "stages": to_json(stages),
        "history": list(history),
    }
    return document if eyes is None else document | {"eyes": eyes.written()}


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
        if document.get("kind") not in KINDS:
            raise ValueError(f"{name}: is a {document.get('kind')!r}, want one of {KINDS}")

    def _damaged(self, error: Exception) -> ValueError:
        return ValueError(f"{self.name}: its document is damaged ({error!r})")

    def params(self) -> dict[str, Any]:
        """Parameters that a file keeps; others, which older versions wrote, are left out."""
        try:
            written = {str(name): from_json(value) for name, value in self.document["params"].items()}
            return {
                name: value
                for name, value in written.items()
                if name not in PARAMETERS or PARAMETERS[name].kept
            }
        except DAMAGE as error:
            raise self._damaged(error) from error

    def stages(self, image: tuple[int, int] | None) -> list[Stage]:
        """The stages; ``image`` is height and width, if there are any."""
        try:
            stages = from_json(self.document["stages"])
            if not isinstance(stages, list) or not all(isinstance(stage, Stage) for stage in stages):
                raise TypeError("stages")
            return [check_stage(stage, f"stages[{i}]", image) for i, stage in enumerate(stages)]
        except DAMAGE as error:
            raise self._damaged(error) from error

    def total_epochs(self, stages: list[Stage]) -> list[float]:
        """Epochs of each stage; the stages have them where the document, as of a checkpoint, has none."""
        epochs = self.document.get("total_epochs", [stage.epochs for stage in stages])
        try:
            for value in epochs:
                check_number("total_epochs", value, 0, LONGEST_EPOCHS)
            return list(epochs)
        except DAMAGE as error:
            raise self._damaged(error) from error

    def seed(self) -> int | None:
        value = self.document.get("seed")
        try:
            return None if value is None else check_integer("seed", value, 0, (1 << 64) - 1)
        except DAMAGE as error:
            raise self._damaged(error) from error

    def history(self) -> list[dict[str, Any]]:
        history = self.document.get("history")
        try:
            for row in history or []:
                if not all(math.isfinite(value) for value in row.values()):
                    raise ValueError("history")
        except DAMAGE as error:
            raise self._damaged(error) from error
        if not isinstance(history, list):
            raise self._damaged(TypeError("history"))
        return history

    def batch_size(self) -> int | None:
        value = self.document.get("batch_size")
        try:
            return None if value is None else check_integer("batch_size", value, 1, 1 << 20)
        except DAMAGE as error:
            raise self._damaged(error) from error

    def image_shape(self, network: Network) -> tuple[int, ...]:
        try:
            height, width, channels = self.document["image_shape"]
            has_eyes = "eyes" in self.document
            is_vector = network.architecture.reads_vectors and not has_eyes
            small, large = (1, 1) if is_vector else (SMALLEST, LARGEST)
            fewest, most = (1, MOST_CHANNELS) if has_eyes else [network.architecture.channels] * 2
            return (
                check_integer("image_shape[0]", height, small, large),
                check_integer("image_shape[1]", width, small, large),
                check_integer("image_shape[2]", channels, fewest, most),
            )
        except DAMAGE as error:
            raise self._damaged(error) from error

    def layout(self, shape: tuple[int, ...]) -> Layout | None:
        """How pictures are brought into the images' shape, if the file says so."""
        written = self.document.get("image_layout")
        if written is None:
            return None
        try:
            layout = read_layout(written)
            if (*layout.size, layout.channels) != shape:
                raise ValueError("image_layout")
            return layout
        except DAMAGE as error:
            raise self._damaged(error) from error

    def eyes(self, network: Network, shape: tuple[int, ...], folder: str | None, inside: Any) -> Eyes | None:
        """The eyes, whose file is ``inside`` (an array of its bytes), in the folder, or where it was."""
        written = self.document.get("eyes")
        if written is None:
            return None
        try:
            eyes = read_eyes(written, shape, folder, inside)
            if not network.architecture.reads_vectors or network.architecture.channels != eyes.columns:
                raise ValueError("eyes")
            return eyes
        except DAMAGE as error:
            raise self._damaged(error) from error

    def feature_names(self, features: int) -> list[str] | None:
        names = self.document.get("feature_names")
        if names is None:
            return None
        is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not is_list or len(names) != features:
            raise self._damaged(ValueError("feature_names"))
        return list(names)

    def network(self, tensors: Tensors) -> Network:
        """The network of the document, with the arrays of the file."""
        try:
            written = self.document["architecture"]
            checked: dict[str, Any] = {"hidden_dim": check_hidden("hidden_dim", written["hidden_dim"])}
            checked["backbone"] = check_backbone("backbone", written["backbone"])
            kind = Architecture(**written | checked)
            # No memory is taken before: the arrays that are there bound what a document can ask for.
            own = {name: value for name, value in tensors.items() if name.startswith(PREFIXES)}
            outputs = check_whole("outputs", self.document["outputs"], "stage", "output_dim")
            check_whole("channels", kind.channels, "model", "channels")
            check_whole("width", kind.width, "model", "base_width")
            check_choice("projection_head", kind.projection_head, HEADS)
            check_shapes(own, kind.layers, kind.channels, kind.hidden, outputs)
            network = Network(kind, outputs, read_normalization(tensors))
            network.read(tensors)
        except DAMAGE as error:
            raise ValueError(f"{self.name}: is damaged: {error}") from error
        return network
