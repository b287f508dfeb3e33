"""A network, what is done to images before it, and what is taken of it: from pixels to features."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._networks.onnx_nodes import Nodes
from .file import File, needed
from .resampling import resampling
from .sight import Sight

# Names of what goes in and comes out, and what stands before all names of the network itself.
IMAGES, FEATURES, PREFIX = "images", "features", "eyes/"
# ONNX's numbers of types.
FLOAT, UINT8, FLOAT16, DOUBLE = 1, 2, 10, 11
TYPES = {"float32": FLOAT, "uint8": UINT8, "float16": FLOAT16, "float64": DOUBLE}


class Graph(Nodes):
    """Nodes before and behind those of a network.

    All of them have been there, and meant the same, since version 8 of ONNX's operators, so that they go
    with a network of any.

    Parameters
    ----------
    file : File
    sight : Sight
    image_shape : (height, width, channels)
        Of the images.
    element : {"uint8", "float32"}
        Type of the images.
    """

    def __init__(self, file: File, sight: Sight, image_shape: tuple[int, ...], element: str) -> None:
        import onnx
        from onnx.compose import add_prefix

        super().__init__("step")
        self.sight, self.image_shape, self.element = sight, image_shape, element
        self.model = onnx.ModelProto()
        self.model.CopyFrom(file.model)
        add_prefix(self.model, PREFIX, inplace=True)
        self._input, self.output = PREFIX + sight.input, PREFIX + sight.output
        self._before()
        network, _ = needed(self.model.graph, [self.output])
        self.nodes += network

    def _before(self) -> None:
        """What is done to images (n, height, width, channels)."""
        sight, (height, width, channels) = self.sight, self.image_shape
        x = IMAGES
        if self.element == "uint8":
            x = self.node("Cast", x, to=FLOAT)
        x = self.node("Transpose", x, perm=[0, 3, 1, 2])
        if channels == 1 < sight.channels:
            x = self.node("Concat", *[x] * sight.channels, axis=1)
        largest = np.float32(255 if self.element == "uint8" else 1)
        if sight.size != (height, width):
            rows, columns = resampling((height, width), sight.size, sight.resize, sight.interpolation)
            x = self.node("MatMul", self.array(rows), x)
            x = self.node("MatMul", x, self.array(columns.T))
            # Kernels with negative parts go beyond black and white.
            x = self.node("Max", self.node("Min", x, self.array(largest)), self.array(np.float32(0)))
            inside = np.outer(rows.any(axis=1), columns.any(axis=1))
            if not inside.all():
                x = self.node("Add", x, self.array(largest * ~inside))
        if sight.element == "uint8":
            if self.element != "uint8":
                x = self.node("Mul", x, self.array(np.float32(255)))
            x = self.node("Floor", self.node("Add", x, self.array(np.float32(0.5))))
        else:
            mean, std = (np.reshape(values, (-1, 1, 1)) for values in (sight.mean, sight.std))
            factor = sight.scale * 255 / float(largest) / std
            x = self.node("Mul", x, self.array(factor.astype(np.float32)))
            x = self.node("Add", x, self.array((-mean / std).astype(np.float32)))
        if sight.element != "float32":
            x = self.node("Cast", x, to=TYPES[sight.element])
        if sight.layout == "NHWC":
            self.node("Transpose", x, perm=[0, 2, 3, 1], output=self._input)
        else:
            self.node("Identity", x, output=self._input)

    def take(self) -> None:
        """Take features of the network's output."""
        x, sight = self.node("Cast", self.output, to=FLOAT), self.sight
        if sight.takes == "plane, channels first":
            x = self.node("GlobalAveragePool", x)
        elif sight.takes == "plane, channels last":
            x = self.node("GlobalAveragePool", self.node("Transpose", x, perm=[0, 3, 1, 2]))
        elif sight.takes == "class token":
            x = self.node("Gather", x, self.array(np.int64(0)), axis=1)
        elif sight.takes == "mean of tokens":
            # Channels first is what averages.
            x = self.node("GlobalAveragePool", self.node("Transpose", x, perm=[0, 2, 1]))
        self.node("Flatten", x, axis=1, output=FEATURES)

    def finished(self, outputs: dict[str, int | None]) -> Any:
        """The model, whose outputs have these names and numbers of columns; None: the network's own."""
        from onnx import helper

        graph, batch = self.model.graph, self.sight.batch if self.sight.is_fixed else "n"
        constants = {tensor.name for tensor in graph.initializer}
        kept = [one for one in graph.input if one.name in constants]
        images = helper.make_tensor_value_info(IMAGES, TYPES[self.element], [batch, *self.image_shape])
        results = [
            next(one for one in graph.output if one.name == name)
            if columns is None
            else helper.make_tensor_value_info(name, FLOAT, [batch, columns])
            for name, columns in outputs.items()
        ]
        results = [type(images).FromString(one.SerializeToString()) for one in results]
        for field, values in (("node", self.nodes), ("input", [images, *kept]), ("output", results)):
            copies = [type(value).FromString(value.SerializeToString()) for value in values]
            del getattr(graph, field)[:]
            getattr(graph, field).extend(copies)
        graph.initializer.extend(self.arrays)
        # What it says of values in between may be of another number of images.
        del graph.value_info[:]
        return self.model
