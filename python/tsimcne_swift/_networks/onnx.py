"""A network as an ONNX model: images in, map coordinates and features out."""

from __future__ import annotations

from typing import Any

import numpy as np

from .layers import Layers, named
from .network import Network
from .onnx_nodes import Nodes

# The first operator set with hard-swish is 14; everything of the last years reads this one.
OPSET, IR_VERSION = 17, 8


def to_onnx(network: Network, element: str, version: str) -> Any:
    """An ``onnx.ModelProto`` that is given ``element``: "uint8", "float32" or "float64"."""
    try:
        from onnx import TensorProto, helper
    except ImportError as error:
        raise ImportError("export_onnx wants: pip install onnx") from error
    graph = NetworkGraph(network)
    kind = network.architecture
    is_vector = kind.reads_vectors
    columns, outputs = kind.features, network.outputs
    given = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}[element]
    shape: list[str | int | None] = ["n", columns] if is_vector else ["n", "height", "width", kind.channels]
    graph.write(element, is_vector)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "tsimcne",
            [helper.make_tensor_value_info("images", given, shape)],
            [
                helper.make_tensor_value_info("map", TensorProto.FLOAT, ["n", outputs]),
                helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", columns]),
            ],
            graph.arrays,
        ),
        producer_name="tsimcne-swift",
        producer_version=version,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    model.ir_version = IR_VERSION
    return model


class NetworkGraph(Nodes):
    """The nodes of a network."""

    def __init__(self, network: Network) -> None:
        super().__init__("value")
        self.network = network
        self.tensors = network.tensors()

    def head(self, x: str) -> None:
        """From features to the map."""
        last = len(self.network.architecture.hidden)
        for i in range(last + 1):
            at = f"projection_head.layers.{2 * i}"
            weight, bias = (self.array(self.tensors[f"{at}.{p}"], f"{at}.{p}") for p in ("weight", "bias"))
            x = self.node("Gemm", x, weight, bias, transB=1, output="map" if i == last else None)
            if i < last:
                x = self.node("Relu", x)

    def normalized(self, x: str) -> str:
        """Values as the network wants them."""
        if self.network.normalization is None:
            return x
        mean, deviation, _ = self.network.normalization
        x = self.node("Sub", x, self.array(mean, "mean"))
        return self.node("Div", x, self.array(deviation, "deviation"))

    def write(self, element: str, is_vector: bool) -> None:
        x = "images"
        if element == "float64":
            assert self.network.normalization is not None
            origin = self.array(self.network.normalization.origin, "normalization.origin")
            x = self.node("Cast", self.node("Sub", x, origin), to=1)
        if element == "uint8":
            x = self.node("Cast", x, to=1)
            x = self.node("Div", x, self.array(np.float32(255), "largest"))
        x = self.normalized(x)
        if is_vector:
            x = self.node("Identity", x, output="features")
        else:
            x = self.node("Transpose", x, perm=[0, 3, 1, 2])
            x = self.layers(x, self.network.architecture.layers, "")
            x = self.node("GlobalAveragePool", x)
            x = self.node("Flatten", x, output="features")
        self.head(x)

    def layers(self, x: str, layers: Layers, prefix: str) -> str:
        for name, kind, options in named(layers, prefix):
            x = self.layer(x, kind, options, name)
        return x

    def layer(self, x: str, kind: str, o: dict[str, Any], name: str) -> str:
        def own(part: str) -> str:
            key = f"backbone.{name}.{part}"
            return self.array(self.tensors[key], key)

        if kind == "residual":
            body = self.layers(x, o["layers"], f"{name}.layers.")
            return self.node("Add", body, self.layers(x, o.get("shortcut", []), f"{name}.shortcut."))
        if kind in ("conv", "depthwise"):
            inputs = [own("weight")] + ([own("bias")] if o.get("bias") else [])
            groups = self.tensors[f"backbone.{name}.weight"].shape[0] if kind == "depthwise" else 1
            return self.node("Conv", x, *inputs, group=groups, **_window(o))
        if kind == "maxpool":
            return self.node("MaxPool", x, **_window(o))
        if kind == "batchnorm":
            parts = [own(part) for part in ("weight", "bias", "running_mean", "running_var")]
            return self.node("BatchNormalization", x, *parts, epsilon=o["eps"])
        if kind == "squeeze_excite":
            y = self.node("GlobalAveragePool", x)
            y = self.node("Conv", y, own("fc1.weight"), own("fc1.bias"))
            y = self.node("Conv", self.function(y, o["inner"]), own("fc2.weight"), own("fc2.bias"))
            return self.node("Mul", x, self.function(y, o["gate"]))
        return self.function(x, kind)

    def function(self, x: str, name: str) -> str:
        if name == "silu":
            return self.node("Mul", x, self.node("Sigmoid", x))
        if name == "hardsigmoid":
            return self.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        return self.node({"relu": "Relu", "hardswish": "HardSwish", "sigmoid": "Sigmoid"}[name], x)


def _window(o: dict[str, Any]) -> dict[str, Any]:
    """Kernel, stride and padding by half the kernel on all sides."""
    return {
        "kernel_shape": [o["kernel"]] * 2,
        "strides": [o["stride"]] * 2,
        "pads": [o["kernel"] // 2] * 4,
    }
