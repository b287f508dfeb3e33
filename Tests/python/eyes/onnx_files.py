"""Tiny networks as ONNX files, which the tests of eyes make."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper, save  # noqa: E402

ELEMENTS = {
    "float32": (TensorProto.FLOAT, np.float32),
    "float16": (TensorProto.FLOAT16, np.float16),
    "float64": (TensorProto.DOUBLE, np.float64),
    "uint8": (TensorProto.UINT8, np.uint8),
}
# Nodes behind a plane of features (n, 6, height, width), and axes of what they give.
KINDS = {
    "features": ([("GlobalAveragePool", ["plane"], {}), ("Flatten", ["pooled"], {"axis": 1})], ["n", 6]),
    "plane": ([("Identity", ["plane"], {})], ["n", 6, None, None]),
    "plane, channels last": (
        [("Transpose", ["plane"], {"perm": [0, 2, 3, 1]})], ["n", None, None, 6],
    ),
    "square of tokens": (
        [("Reshape", ["plane", "flat"], {}), ("Transpose", ["pooled"], {"perm": [0, 2, 1]})], ["n", None, 6],
    ),
    "class token": (
        [
            ("Reshape", ["plane", "flat"], {}),
            ("Transpose", ["pooled"], {"perm": [0, 2, 1]}),
            ("Concat", ["first", "tokens"], {"axis": 1}),
        ],
        ["n", None, 6],
    ),
    "pixels": ([("Flatten", ["x"], {"axis": 1})], ["n", 192]),
}  # fmt: skip


def network(
    path, kind="features", *, layout="NCHW", element="float32", batch="n", size=(8, 8), channels=3,
    half=False, seed=0, opset=17, domain="", name="out",
):  # fmt: skip
    """Write a network of one convolution, of the KINDS; its path."""
    random = np.random.default_rng(seed)
    number = ELEMENTS[element][0]
    weight = random.standard_normal((6, channels, 3, 3)).astype(np.float16 if half else np.float32)
    arrays = {"weight": weight, "flat": np.array([0, 6, -1])}
    sides = [batch, channels, *size] if layout == "NCHW" else [batch, *size, channels]
    nodes, x = [], "in"

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    if element != "float32":
        x = node("Cast", [x], "as float", to=TensorProto.FLOAT)
    if layout == "NHWC":
        x = node("Transpose", [x], "channels first", perm=[0, 3, 1, 2])
    node("Identity", [x], "x")
    if half:
        node("Cast", ["weight"], "wide", to=TensorProto.FLOAT)
    node("Conv", ["x", "wide" if half else "weight"], "rough", strides=[2, 2], pads=[1] * 4)
    node("Relu", ["rough"], "plane")
    if kind == "class token":
        node("MaxPool", ["plane"], "largest", kernel_shape=[size[0] // 2, size[1] // 2])
        node("Reshape", ["largest", "one"], "first")
        arrays["one"] = np.array([0, 1, 6])
    steps, given = KINDS[kind]
    outputs = ["pooled", "tokens", name] if kind == "class token" else ["pooled", name]
    for (operator, inputs, attributes), output in zip(steps, outputs[-len(steps) :], strict=True):
        node(operator, inputs, output, **attributes)
    if domain:
        nodes[-1].domain = domain
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("in", number, sides)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *given[1:]])],
        [numpy_helper.from_array(value, key) for key, value in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    save(model, path)
    return str(path)


def run(path, x):
    """What onnxruntime gives for what a network itself takes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]
