"""What a network takes of memory, known before it is run."""

from __future__ import annotations

from typing import Any

# Bytes of a constant whose values may decide shapes; those of larger ones do not matter.
SMALL = 1 << 16
BYTES = {2: 1, 3: 1, 9: 1, 5: 2, 10: 2, 16: 2, 7: 8, 11: 8}


def bytes_of_image(model: Any) -> int:
    """Bytes that an image takes on its way, about: twice what the largest step reads and writes."""
    import onnx

    sizes: dict[str, int] = {}
    bare, images = _without_weights(model)
    try:
        graph = onnx.shape_inference.infer_shapes(bare, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        graph = bare.graph
    for one in (*graph.input, *graph.output, *graph.value_info):
        kind = one.type.tensor_type
        count = 1
        for side in kind.shape.dim:
            count *= max(1, side.dim_value)
        sizes[one.name] = count * BYTES.get(kind.elem_type, 4)
    steps = [sum(sizes.get(name, 0) for name in (*node.input, *node.output)) for node in graph.node]
    return max(1, 2 * max(steps, default=1) // images)


def _without_weights(model: Any) -> tuple[Any, int]:
    """The model for a fixed number of images, and that; its constants have lost their values."""
    import onnx

    bare = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    bare.functions.extend(model.functions)
    graph = bare.graph
    graph.name = model.graph.name
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    for tensor in model.graph.initializer:
        if tensor.ByteSize() <= SMALL:
            graph.initializer.append(tensor)
        else:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    first = graph.input[0].type.tensor_type.shape.dim[0]
    images = first.dim_value or 1
    first.dim_value = images
    return bare, int(images)
