"""Eyes and the map behind them as one ONNX model: pixels in, places out."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._networks.network import Network
from .._networks.onnx import NetworkGraph
from .eyes import Eyes
from .graph import FEATURES


def eyes_to_onnx(eyes: Eyes, network: Network, element: str, version: str) -> Any:
    """An ``onnx.ModelProto`` that is given images of type ``element``."""
    _, file = eyes.find()
    graph = eyes.model(element, file)
    # The head reads the direction of the features.
    square = graph.node("Mul", FEATURES, FEATURES)
    total = graph.node("MatMul", square, graph.array(np.ones((eyes.columns, 1), np.float32)))
    length = graph.node("Max", graph.node("Sqrt", total), graph.array(np.finfo(np.float32).tiny))
    head = NetworkGraph(network)
    direction = graph.node("Div", FEATURES, length)
    head.head(head.normalized(direction))
    graph.nodes += head.nodes
    graph.arrays += head.arrays
    model = graph.finished({"map": network.outputs, FEATURES: eyes.columns})
    model.producer_name, model.producer_version = "tsimcne-swift", version
    return model
